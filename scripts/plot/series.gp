# Values over time, as steps, in panels one below the other. Variables: data, W,
# H, picture, heading; from the titles' file: what stands in which panel.
load data . "/" . picture . "_titles.gp"
file(i) = data . "/" . picture . "_" . i . ".dat"
set label 1 run_title at screen 0.02, 1 - 26.0 / H left font ",17" textcolor rgb "#1f2937"
set label 2 heading . left_out at screen 0.02, 1 - 55.0 / H left font ",11.5" textcolor rgb "#8b95a5"
set yrange [0:*]
set offsets 0, 0, graph 0.05, 0
set multiplot
do for [p = 1:n_panels] {
    set tmargin at screen 1 - real(top[p]) / H
    set bmargin at screen 1 - real(bottom[p]) / H
    set ylabel unit[p] textcolor rgb "#5b6675" font ",11"
    set xlabel (p == n_panels ? "seconds" : "")
    set key maxcols columns[p]
    if (step[p] > 0) { set ytics step[p] } else { set ytics autofreq }
    plot for [i = first[p]:last[p]] file(i) using 1:2 with steps lw 1.8 lc rgb color(i - first[p] + 1) title titles[i]
    unset label 1
    unset label 2
}
unset multiplot
