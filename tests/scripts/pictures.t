#!/bin/sh
# halfopen plot draws from a folder and from nothing else.
if ! command -v gnuplot >/dev/null; then
    echo "1..0 # SKIP gnuplot is not installed"
    exit 0
fi
. tests/support/tap.sh

"$halfopen" run --quiet scenarios/lost_final_ack.lua --out "$dir/run" >/dev/null 2>&1
"$halfopen" plot "$dir/run" --format svg >/dev/null
ok $? "plot succeeds"
grep -q 'TIME-WAIT' "$dir/run/timeline.svg" && grep -q 'lost on' "$dir/run/timeline.svg"
ok $? "the timeline names states and fates"
cp "$dir/run/timeline.svg" "$dir/first.svg"
"$halfopen" plot "$dir/run" --format svg >/dev/null
cmp -s "$dir/first.svg" "$dir/run/timeline.svg"
ok $? "the same folder gives the same picture"
"$halfopen" plot "$dir/run" --format txt | grep -q 'TIME-WAIT'
ok $? "the text names states"
mkdir "$dir/empty"
"$halfopen" plot "$dir/empty" >/dev/null 2>&1
test $? -eq 2
ok $? "what is no run's folder is refused with exit 2"
"$halfopen" plot "$dir/run" --format gif >/dev/null 2>&1
test $? -eq 2
ok $? "an unknown format is refused with exit 2"
"$halfopen" run --quiet scenarios/udp_does_not_slow_down.lua --set seconds=6 --out "$dir/queue" >/dev/null 2>&1
"$halfopen" plot "$dir/queue" --format svg >/dev/null
grep -q 'time in queue' "$dir/queue/sojourn.svg"
ok $? "how long packets waited in a queue is drawn"
grep -q '>lost<' "$dir/queue/seq.svg"
ok $? "a loss past the first link is marked in the sequence graph"
cut -f16 "$dir/queue/packets.tsv" | grep -q 'in flight' && grep -B3 'still on its way' "$dir/queue/timeline.svg" | grep -q 'fill="rgb(139,149,165)"' &&
    ! grep -B3 'still on its way' "$dir/queue/timeline.svg" | grep -q 'fill="rgb(220,38,38)"'
ok $? "what is still on its way is not drawn as lost"

"$halfopen" run --quiet docs/labs/bulk.lua --out "$dir/bulk" >/dev/null 2>&1
"$halfopen" plot "$dir/bulk" --format svg >/dev/null
all=$(($(wc -l <"$dir/bulk/packets.tsv") - 1))
grep -o '[0-9]* packets not drawn' "$dir/bulk/timeline.svg" | awk -v all="$all" '{ n++; sum += $1 } END { exit !(n == 2 && sum == all - 100) }'
ok $? "each gap says how many packets it hides, all but a hundred together"

"$halfopen" run --quiet scenarios/port_exhaustion.lua --out "$dir/ports" >/dev/null 2>&1
"$halfopen" plot "$dir/ports/client_closes_first_linux" --format svg >/dev/null
grep -q '>10.0.0.1<' "$dir/ports/client_closes_first_linux/timeline.svg" && grep -q '>10.0.0.2:80<' "$dir/bulk/timeline.svg"
ok $? "a host's port is shown only where it is the only one drawn"

"$halfopen" run --quiet scenarios/queue_disciplines.lua --out "$dir/aqm" >/dev/null 2>&1
"$halfopen" plot "$dir/aqm" --format svg >/dev/null
grep -q '4 of 8 drawn' "$dir/aqm/cwnd.svg" && grep -q 'from_red' "$dir/aqm/cwnd.svg"
ok $? "a chart says how many of its curves were left out, and shows one of each host first"

shown() { ! "$@" | grep -q .; } # prints nothing
svg() { grep -o '>[^<]*<' "$dir/$1"; }

svg bulk/timeline.svg | grep -E '^>[0-9.]+ m?s<$' | uniq -d | shown cat
ok $? "neighbouring times of the axis are never the same text"
test "$(svg aqm/timeline.svg | grep -c '>to_')" -eq 1
ok $? "of one connection only the hosts on its way are drawn"
svg ports/client_closes_first_linux/timeline.svg | grep -q 'connect(): EADDRNOTAVAIL'
ok $? "a call that failed is in the timeline"

"$halfopen" run --quiet scenarios/loopback.lua --out "$dir/loop" >/dev/null 2>&1
"$halfopen" plot "$dir/loop" --format svg >/dev/null
svg loop/timeline.svg | grep -q 'PSH+ACK seq 1 ack 13 len 4000'
ok $? "what a host sends to itself is in the timeline"

"$halfopen" run --quiet scenarios/honest_crowd.lua --out "$dir/crowd" >/dev/null 2>&1
"$halfopen" plot "$dir/crowd/as_a_trace_has_it" --format svg >/dev/null
svg crowd/as_a_trace_has_it/states.svg | grep -q '>1000<' && ! svg crowd/as_a_trace_has_it/states.svg | grep -q '↔'
ok $? "a crowd is counted by state, not listed"
svg crowd/as_a_trace_has_it/queues.svg | grep -q '>in TIME-WAIT<' && svg crowd/as_a_trace_has_it/queues.svg | grep -q '>connections<'
ok $? "queues of another kind have a panel of their own"
svg crowd/as_a_trace_has_it/counters.svg | grep -q '>server ListenDrops = ListenOverflows<'
ok $? "counters that are one curve are drawn once, with both names"

"$halfopen" plot "$dir/ports" --format svg >"$dir/said"
test "$(grep -c 'timeline.svg$' "$dir/said")" -eq 3
ok $? "a folder of worlds is drawn world by world"

"$halfopen" run scenarios/icmp_errors.lua --plot --out "$dir/many" >"$dir/said" 2>&1
test "$(grep -c '^Picture:' "$dir/said")" -eq 24 && grep -q '^Drawn: 12 of 36 worlds' "$dir/said"
ok $? "of many worlds the first ones are drawn, and it is said how many"

# A gnuplot that sees its user lose patience.
mkdir "$dir/bin" "$dir/tmp"
printf '#!/bin/sh\nkill -TERM $PPID\n' >"$dir/bin/gnuplot"
chmod +x "$dir/bin/gnuplot"
rm "$dir/run/timeline.svg"
(TMPDIR=$dir/tmp PATH=$dir/bin:$PATH && export TMPDIR PATH && exec "$halfopen" plot "$dir/run") >"$dir/said" 2>&1
[ $? -gt 128 ] && grep -q 'SIGTERM: stopped while drawing timeline.svg' "$dir/said"
ok $? "a signal ends the drawing, and is told"
[ ! -e "$dir/run/timeline.svg" ] && [ -z "$(ls -A "$dir/tmp")" ]
ok $? "and leaves neither half a picture nor what it was drawn from"
done_testing
