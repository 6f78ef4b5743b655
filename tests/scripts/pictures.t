#!/bin/sh
# halfopen plot draws from a folder and from nothing else.
BUILD=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! command -v gnuplot >/dev/null; then
    echo "1..0 # SKIP gnuplot is not installed"
    exit 0
fi
echo 1..7

check() {
    n=$((n + 1))
    if [ "$2" -eq 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
n=0
"$BUILD/halfopen" run --quiet scenarios/lost_final_ack.lua --out "$work/run" >/dev/null 2>&1
"$BUILD/halfopen" plot "$work/run" --format svg >/dev/null
check "plot succeeds" $?
grep -q 'TIME-WAIT' "$work/run/timeline.svg" && grep -q 'lost on' "$work/run/timeline.svg"
check "the timeline names states and fates" $?
cp "$work/run/timeline.svg" "$work/first.svg"
"$BUILD/halfopen" plot "$work/run" --format svg >/dev/null
cmp -s "$work/first.svg" "$work/run/timeline.svg"
check "the same folder gives the same picture" $?
"$BUILD/halfopen" plot "$work/run" --format txt | grep -q 'TIME-WAIT'
check "the text names states" $?
"$BUILD/halfopen" plot "$work" >/dev/null 2>&1
test $? -eq 2
check "what is no run's folder is refused with exit 2" $?
"$BUILD/halfopen" plot "$work/run" --format gif >/dev/null 2>&1
test $? -eq 2
check "an unknown format is refused with exit 2" $?
"$BUILD/halfopen" run --quiet scenarios/udp_does_not_slow_down.lua --set seconds=6 --out "$work/queue" >/dev/null 2>&1
"$BUILD/halfopen" plot "$work/queue" --format svg >/dev/null
grep -q 'time in queue' "$work/queue/sojourn.svg"
check "how long packets waited in a queue is drawn" $?
