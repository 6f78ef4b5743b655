# The look that all charts share.
set border 3 lc rgb "#8b95a5" lw 0.8
set tics out nomirror scale 0.6 textcolor rgb "#5b6675" font ",11"
set grid xtics ytics lc rgb "#e8ecf2" lt 1 lw 0.8
set key at graph 0, 1.015 left bottom horizontal samplen 1.6 spacing 1.15 width 1 textcolor rgb "#1f2937" font ",11" Left reverse
set xlabel "seconds" textcolor rgb "#5b6675" font ",11"
set lmargin at screen 0.075
set rmargin at screen 0.975
set bmargin at screen 0.12
set tmargin at screen 0.80
# The axis ends with the data, not at the next round number.
set autoscale xfixmax
set datafile missing "NaN"

array palette[10] = ["#1d4ed8", "#d97706", "#15803d", "#be185d", "#7e22ce", "#0e7490", "#b91c1c", "#4d7c0f", "#a16207", "#475569"]
color(i) = palette[(i - 1) % 10 + 1]
