# Counters over time, by the names that nstat prints.
load templates . "/chart.gp"
picture = "counters"
heading = "counters"
load templates . "/series.gp"
