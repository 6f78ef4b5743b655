# Some series of one value over time, as steps. Variables: data, W, H, picture,
# heading, unit.
load data . "/" . picture . "_titles.gp"
set title run_title . " — " . heading font ",15" textcolor rgb "#1f2937" left offset graph 0, 0
set ylabel unit textcolor rgb "#5b6675" font ",11"
set yrange [0:*]
set offsets 0, 0, graph 0.05, 0
plot for [i = 1:n] data . "/" . picture . "_" . i . ".dat" using 1:2 with steps lw 1.8 lc rgb color(i) title titles[i]
