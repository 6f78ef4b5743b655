# Lengths of queues over time: SYN queue, accept queue, TIME-WAIT, links.
load templates . "/chart.gp"
picture = "queues"
heading = "queues"
load templates . "/series.gp"
