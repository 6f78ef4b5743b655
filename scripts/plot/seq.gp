# The sequence-time graph of the direction that carried most segments: each
# segment a stroke from its first byte to its last, between the line of what is
# acknowledged and the line of what the receiver's window allows.
load templates . "/chart.gp"
load data . "/seq_titles.gp"
set label 1 run_title at screen 0.02, 0.96 left font ",17" textcolor rgb "#1f2937"
set label 2 "sequence numbers over time, " . titles[1] at screen 0.02, 0.92 left font ",11.5" textcolor rgb "#8b95a5"
set tmargin at screen 0.85
set bmargin at screen 0.09
set ylabel "sequence number" textcolor rgb "#5b6675" font ",11"
set format y "%.1s%c"
set yrange [0:*]
# The window must not dwarf the data.
stats data . "/seq_sent.dat" using 3 nooutput name "S"
set yrange [0:(S_max * 1.12)]
# A stroke has at least three pixels, however many bytes are a pixel.
least = S_max * 1.12 * 3 / (0.76 * H)
stroke(from, to) = to - from > least ? to - from : least
plot data . "/seq_window.dat" using 1:2 with steps lw 1.2 lc rgb "#d97706" title "window's edge", \
     data . "/seq_acks.dat" using 1:2 with steps lw 1.4 lc rgb "#15803d" title "acknowledged", \
     data . "/seq_sent.dat" using 1:2:(0):(stroke($2, $3)) with vectors nohead lw 2 lc rgb "#1d4ed8" title "sent", \
     data . "/seq_again.dat" using 1:2:(0):(stroke($2, $3)) with vectors nohead lw 2.6 lc rgb "#c2410c" title "retransmitted", \
     data . "/seq_lost.dat" using 1:(($2+$3)/2) with points pt 2 ps 1 lw 2 lc rgb "#dc2626" title "lost"
