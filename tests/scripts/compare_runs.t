#!/bin/sh
# scripts/compare-runs says whether two runs are the same, and where not; two
# runs of one seed are.
BUILD=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 1..5

check() {
    n=$((n + 1))
    if [ "$2" -eq 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
n=0
"$BUILD/halfopen" run --quiet scenarios/lost_final_ack.lua --out "$work/a" >/dev/null 2>&1
"$BUILD/halfopen" run --quiet scenarios/lost_final_ack.lua --out "$work/b" >/dev/null 2>&1
"$BUILD/halfopen" run --quiet scenarios/lost_final_ack.lua --set delay=25ms --out "$work/c" >/dev/null 2>&1

scripts/compare-runs "$work/a" "$work/b" >"$work/out"
check "the same seed gives the same bytes" $?
scripts/compare-runs "$work/a" "$work/c" >"$work/out"
test $? -eq 1
check "another delay gives another run" $?
head -n 1 "$work/out" | grep -q '^states.tsv: first difference in line 4, at 0.02'
check "the first difference is told with its time" $?
grep -q '! time  *0.020048000   |   0.025048000' "$work/out"
check "both sides of a differing cell are shown" $?
scripts/compare-runs "$work/a" "$work" >/dev/null 2>&1
test $? -eq 2
check "what is no run's folder is refused" $?
