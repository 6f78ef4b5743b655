# Draws a sheet: a picture given in pixels, layer by layer. Variables:
#   data    folder of the layers, each with at least one row (off the sheet)
#   W, H    size in pixels
# The terminal and the output are set by the caller.

layer(name) = data . "/" . name . ".dat"

unset border
unset tics
unset key
set lmargin at screen 0
set rmargin at screen 1
set tmargin at screen 1
set bmargin at screen 0
set xrange [0:W]
set yrange [H:0]
set style fill solid 1.0 noborder
set datafile separator whitespace

plot \
    layer("fills") using (($1+$3)/2):(($2+$4)/2):1:3:2:4:5 with boxxyerror lc rgb variable, \
    layer("rules") using 1:2:($3-$1):($4-$2):5 with vectors nohead lw 0.7 lc rgb variable, \
    layer("bands") using (($1+$3)/2):(($2+$4)/2):1:3:2:4:5 with boxxyerror lc rgb variable, \
    layer("dashes") using 1:2:($3-$1):($4-$2):5 with vectors nohead lw 1.2 dt (6,4) lc rgb variable, \
    layer("lines") using 1:2:($3-$1):($4-$2):5 with vectors nohead lw 1.6 lc rgb variable, \
    layer("dashed_arrows") using 1:2:($3-$1):($4-$2):5 with vectors head filled size 11,16 fixed lw 1.6 dt (5,4) lc rgb variable, \
    layer("arrows") using 1:2:($3-$1):($4-$2):5 with vectors head filled size 11,16 fixed lw 1.6 lc rgb variable, \
    layer("crosses") using 1:2:3 with points pt 2 ps 1.5 lw 3.2 lc rgb variable, \
    layer("rings") using 1:2:3 with points pt 6 ps 1.2 lw 2.4 lc rgb variable, \
    layer("stars") using 1:2:3 with points pt 3 ps 1.3 lw 2 lc rgb variable, \
    layer("title") using 1:2:3:4:5 with labels left rotate variable font ",19" tc rgb variable, \
    layer("subtitle") using 1:2:3:4:5 with labels left rotate variable font ",11.5" tc rgb variable, \
    layer("heads") using 1:2:3:4:5 with labels center rotate variable font ",14" tc rgb variable, \
    layer("names") using 1:2:3:4:5 with labels left rotate variable font ",14" tc rgb variable, \
    layer("centered") using 1:2:3:4:5 with labels center rotate variable font ",10.5" tc rgb variable, \
    layer("left") using 1:2:3:4:5 with labels left rotate variable font ",10.5" tc rgb variable, \
    layer("right") using 1:2:3:4:5 with labels right rotate variable font ",10.5" tc rgb variable
