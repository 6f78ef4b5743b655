#!/bin/sh
# halfopen plot draws from a folder and from nothing else.
BUILD=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! command -v gnuplot >/dev/null; then
    echo "1..0 # SKIP gnuplot is not installed"
    exit 0
fi
echo 1..21

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
mkdir "$work/empty"
"$BUILD/halfopen" plot "$work/empty" >/dev/null 2>&1
test $? -eq 2
check "what is no run's folder is refused with exit 2" $?
"$BUILD/halfopen" plot "$work/run" --format gif >/dev/null 2>&1
test $? -eq 2
check "an unknown format is refused with exit 2" $?
"$BUILD/halfopen" run --quiet scenarios/udp_does_not_slow_down.lua --set seconds=6 --out "$work/queue" >/dev/null 2>&1
"$BUILD/halfopen" plot "$work/queue" --format svg >/dev/null
grep -q 'time in queue' "$work/queue/sojourn.svg"
check "how long packets waited in a queue is drawn" $?
grep -q '>lost<' "$work/queue/seq.svg"
check "a loss past the first link is marked in the sequence graph" $?
cut -f16 "$work/queue/packets.tsv" | grep -q 'in flight' && grep -B3 'still on its way' "$work/queue/timeline.svg" | grep -q 'fill="rgb(139,149,165)"' &&
    ! grep -B3 'still on its way' "$work/queue/timeline.svg" | grep -q 'fill="rgb(220,38,38)"'
check "what is still on its way is not drawn as lost" $?

"$BUILD/halfopen" run --quiet docs/labs/bulk.lua --out "$work/bulk" >/dev/null 2>&1
"$BUILD/halfopen" plot "$work/bulk" --format svg >/dev/null
all=$(($(wc -l <"$work/bulk/packets.tsv") - 1))
grep -o '[0-9]* packets not drawn' "$work/bulk/timeline.svg" | awk -v all="$all" '{ n++; sum += $1 } END { exit !(n == 2 && sum == all - 100) }'
check "each gap says how many packets it hides, all but a hundred together" $?

"$BUILD/halfopen" run --quiet scenarios/port_exhaustion.lua --out "$work/ports" >/dev/null 2>&1
"$BUILD/halfopen" plot "$work/ports/client_closes_first_linux" --format svg >/dev/null
grep -q '>10.0.0.1<' "$work/ports/client_closes_first_linux/timeline.svg" && grep -q '>10.0.0.2:80<' "$work/bulk/timeline.svg"
check "a host's port is shown only where it is the only one drawn" $?

"$BUILD/halfopen" run --quiet scenarios/queue_disciplines.lua --out "$work/aqm" >/dev/null 2>&1
"$BUILD/halfopen" plot "$work/aqm" --format svg >/dev/null
grep -q '4 of 8 drawn' "$work/aqm/cwnd.svg" && grep -q 'from_red' "$work/aqm/cwnd.svg"
check "a chart says how many of its curves were left out, and shows one of each host first" $?

shown() { ! "$@" | grep -q .; } # prints nothing
svg() { grep -o '>[^<]*<' "$work/$1"; }

svg bulk/timeline.svg | grep -E '^>[0-9.]+ m?s<$' | uniq -d | shown cat
check "neighbouring times of the axis are never the same text" $?
test "$(svg aqm/timeline.svg | grep -c '>to_')" -eq 1
check "of one connection only the hosts on its way are drawn" $?
svg ports/client_closes_first_linux/timeline.svg | grep -q 'connect(): EADDRNOTAVAIL'
check "a call that failed is in the timeline" $?

"$BUILD/halfopen" run --quiet scenarios/loopback.lua --out "$work/loop" >/dev/null 2>&1
"$BUILD/halfopen" plot "$work/loop" --format svg >/dev/null
svg loop/timeline.svg | grep -q 'PSH+ACK seq 1 ack 13 len 4000'
check "what a host sends to itself is in the timeline" $?

"$BUILD/halfopen" run --quiet scenarios/honest_crowd.lua --out "$work/crowd" >/dev/null 2>&1
"$BUILD/halfopen" plot "$work/crowd/as_a_trace_has_it" --format svg >/dev/null
svg crowd/as_a_trace_has_it/states.svg | grep -q '>1000<' && ! svg crowd/as_a_trace_has_it/states.svg | grep -q '↔'
check "a crowd is counted by state, not listed" $?
svg crowd/as_a_trace_has_it/queues.svg | grep -q '>in TIME-WAIT<' && svg crowd/as_a_trace_has_it/queues.svg | grep -q '>connections<'
check "queues of another kind have a panel of their own" $?
svg crowd/as_a_trace_has_it/counters.svg | grep -q '>server ListenDrops = ListenOverflows<'
check "counters that are one curve are drawn once, with both names" $?

"$BUILD/halfopen" plot "$work/ports" --format svg >"$work/said"
test "$(grep -c 'timeline.svg$' "$work/said")" -eq 3
check "a folder of worlds is drawn world by world" $?

"$BUILD/halfopen" run scenarios/icmp_errors.lua --plot --out "$work/many" >"$work/said" 2>&1
test "$(grep -c '^Picture:' "$work/said")" -eq 24 && grep -q '^Drawn: 12 of 36 worlds' "$work/said"
check "of many worlds the first ones are drawn, and it is said how many" $?
