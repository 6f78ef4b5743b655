# How long packets waited in the queues of links, over time.
load templates . "/chart.gp"
picture = "sojourn"
heading = "time in queue"
unit = "ms"
load templates . "/series.gp"
