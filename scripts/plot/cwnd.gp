# Congestion window and slow start threshold above, times below, one colour a
# connection. Variables: data, W, H, templates.
load templates . "/chart.gp"
load data . "/cwnd_titles.gp"
file(i) = data . "/cwnd_" . i . ".dat"
set multiplot
set label 1 run_title at screen 0.02, 0.965 left font ",17" textcolor rgb "#1f2937"
set label 2 "congestion window, in segments" . left_out at screen 0.02, 0.93 left font ",11.5" textcolor rgb "#8b95a5"
set tmargin at screen 0.86
set bmargin at screen 0.47
set ylabel "segments" textcolor rgb "#5b6675" font ",11"
unset xlabel
set yrange [0:*]
set offsets 0, 0, graph 0.05, 0
plot for [i = 1:n] file(i) using 1:4 with steps lw 0.8 lc rgb "#cbd5e1" title (i == 1 ? "in flight" : ""), \
     for [i = 1:n] file(i) using 1:3 with steps lw 1.4 dt (6,4) lc rgb color(i) title (i == 1 ? "ssthresh" : ""), \
     for [i = 1:n] file(i) using 1:2 with steps lw 2 lc rgb color(i) title "cwnd of " . titles[i]
unset label 1
set label 2 "round-trip time and retransmission timeout" at screen 0.02, 0.40
set tmargin at screen 0.355
set bmargin at screen 0.08
set ylabel "ms" textcolor rgb "#5b6675" font ",11"
set xlabel "seconds" textcolor rgb "#5b6675" font ",11"
plot for [i = 1:n] file(i) using 1:6 with steps lw 1.2 dt (6,4) lc rgb color(i) title (i == 1 ? "RTO" : ""), \
     for [i = 1:n] file(i) using 1:5 with steps lw 2 lc rgb color(i) title (i == 1 ? "smoothed RTT" : "")
unset multiplot
