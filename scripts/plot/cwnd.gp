# Congestion window and slow start threshold above, times below, one colour a
# connection. Variables: data, W, H, templates.
load templates . "/chart.gp"
load data . "/cwnd_titles.gp"
file(i) = data . "/cwnd_" . i . ".dat"
set multiplot layout 2,1 margins 0.075,0.975,0.08,0.86 spacing 0.13
set title run_title . " — congestion window" font ",15" textcolor rgb "#1f2937" left offset graph 0, 0
set ylabel "segments" textcolor rgb "#5b6675" font ",11"
unset xlabel
set yrange [0:*]
plot for [i = 1:n] file(i) using 1:4 with steps lw 0.8 lc rgb "#cbd5e1" title (i == 1 ? "in flight" : ""), \
     for [i = 1:n] file(i) using 1:3 with steps lw 1.4 dt (6,4) lc rgb color(i) title (i == 1 ? "ssthresh" : ""), \
     for [i = 1:n] file(i) using 1:2 with steps lw 2 lc rgb color(i) title "cwnd, " . titles[i]
set title "round-trip time and retransmission timeout" font ",13" textcolor rgb "#1f2937" left offset graph 0, 0
set ylabel "ms" textcolor rgb "#5b6675" font ",11"
set xlabel "seconds" textcolor rgb "#5b6675" font ",11"
plot for [i = 1:n] file(i) using 1:6 with steps lw 1.2 dt (6,4) lc rgb color(i) title (i == 1 ? "RTO" : ""), \
     for [i = 1:n] file(i) using 1:5 with steps lw 2 lc rgb color(i) title (i == 1 ? "smoothed RTT" : "")
unset multiplot
