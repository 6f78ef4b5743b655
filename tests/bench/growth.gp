# The growth curves of tests/bench/run: cost of a segment over the number of flows,
# cost of a connection over their number; halfopen's in blue, ns-3's in grey.
set terminal svg size 1080,420 font "Helvetica,12" background "#ffffff"
set output picture
set border 3 lc rgb "#8b95a5" lw 0.8
set tics out nomirror scale 0.6 textcolor rgb "#5b6675" font ",11"
set grid ytics lc rgb "#e8ecf2" lt 1 lw 0.8
set datafile separator "\t"
set logscale xy
unset key
of(kind) = sprintf("< awk -F'\\t' '$1 == \"%s\"' %s", kind, growth)
has(kind) = system(sprintf("grep -c '^%s\t' %s || true", kind, growth)) + 0 > 0
set label 1 "What work costs as it grows" at screen 0.02, 0.955 left font ",17" textcolor rgb "#1f2937"
set label 2 "user CPU, one core; flat is ideal. Blue: halfopen, grey: ns-3 3.37 on the same work" \
    at screen 0.02, 0.895 left font ",11.5" textcolor rgb "#5b6675"
set multiplot
set tmargin at screen 0.75
set bmargin at screen 0.18
set format x "10^{%L}"
set lmargin at screen 0.08
set rmargin at screen 0.47
set title "a delivered segment" textcolor rgb "#1f2937" font ",13"
set xlabel "bulk flows through one dumbbell" textcolor rgb "#5b6675" font ",11"
set yrange [90:1.1e6]
set ytics ("100 ns" 1e2, "1 µs" 1e3, "10 µs" 1e4, "100 µs" 1e5, "1 ms" 1e6)
set xrange [0.8:1300]
plot of("flows") using 2:3 with linespoints lw 2 pt 7 ps 0.6 lc rgb "#1d4ed8", \
     has("ns3-flows") ? of("ns3-flows") : "/dev/null" using 2:3 with linespoints lw 2 pt 7 ps 0.6 lc rgb "#8b95a5"
unset label 1
unset label 2
set lmargin at screen 0.57
set rmargin at screen 0.96
set title "a connection: short (filled), idle (open)" textcolor rgb "#1f2937" font ",13"
set xlabel "connections" textcolor rgb "#5b6675" font ",11"
set yrange [900:1.1e7]
set ytics ("1 µs" 1e3, "10 µs" 1e4, "100 µs" 1e5, "1 ms" 1e6, "10 ms" 1e7)
set xrange [700:1.5e6]
plot of("short") using 2:3 with linespoints lw 2 pt 7 ps 0.6 lc rgb "#1d4ed8", \
     of("idle") using 2:3 with linespoints lw 2 pt 6 ps 0.6 lc rgb "#1d4ed8", \
     has("ns3-short") ? of("ns3-short") : "/dev/null" using 2:3 with linespoints lw 2 pt 7 ps 0.6 lc rgb "#8b95a5", \
     has("ns3-idle") ? of("ns3-idle") : "/dev/null" using 2:3 with linespoints lw 2 pt 6 ps 0.6 lc rgb "#8b95a5"
unset multiplot
