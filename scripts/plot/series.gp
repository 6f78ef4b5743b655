# Some series of one value over time, as steps. Variables: data, W, H, picture,
# heading, unit.
load data . "/" . picture . "_titles.gp"
set label 1 run_title at screen 0.02, 0.95 left font ",17" textcolor rgb "#1f2937"
set label 2 heading . left_out at screen 0.02, 0.895 left font ",11.5" textcolor rgb "#8b95a5"
set ylabel unit textcolor rgb "#5b6675" font ",11"
set yrange [0:*]
set offsets 0, 0, graph 0.05, 0
plot for [i = 1:n] data . "/" . picture . "_" . i . ".dat" using 1:2 with steps lw 1.8 lc rgb color(i) title titles[i]
