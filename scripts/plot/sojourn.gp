# How long packets waited in the queues of links, over time.
load templates . "/chart.gp"
picture = "sojourn"
heading = "time in queue"
load templates . "/series.gp"
