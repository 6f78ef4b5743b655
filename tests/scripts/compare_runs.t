#!/bin/sh
# scripts/compare-runs says whether two runs are the same, and where not; two
# runs of one seed are.
. tests/support/tap.sh

"$halfopen" run --quiet scenarios/lost_final_ack.lua --out "$dir/a" >/dev/null 2>&1
"$halfopen" run --quiet scenarios/lost_final_ack.lua --out "$dir/b" >/dev/null 2>&1
"$halfopen" run --quiet scenarios/lost_final_ack.lua --set delay=25ms --out "$dir/c" >/dev/null 2>&1

scripts/compare-runs "$dir/a" "$dir/b" >"$dir/out"
ok $? "the same seed gives the same bytes"
scripts/compare-runs "$dir/a" "$dir/c" >"$dir/out"
test $? -eq 1
ok $? "another delay gives another run"
head -n 1 "$dir/out" | grep -q '^states.tsv: first difference in line 4, at 0.02'
ok $? "the first difference is told with its time"
grep -q '! time  *0.020048000   |   0.025048000' "$dir/out"
ok $? "both sides of a differing cell are shown"
scripts/compare-runs "$dir/a" "$dir" >/dev/null 2>&1
test $? -eq 2
ok $? "what is no run's folder is refused"
done_testing
