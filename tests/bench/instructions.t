#!/bin/sh
# Instructions that callgrind counts for small workloads, against the committed
# figures: more than 5 % above one is a failure, whatever the machine's noise.
# After an intended change: `tests/bench/instructions.t --update`, and say so
# in the commit. `--table` prints what is counted now, of any build.
set -eu
build=${BUILD:-build}
bench=$build/tests/bench/bench
file=tests/bench/instructions.txt

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count() { # instructions per unit of one workload: of "recorded", a packet of which everything is written
    if [ "$1" = recorded ]; then
        set -- "$build/halfopen" run tests/bench/recorded.lua --set length=120ms --quiet --out "$work/run"
    else
        set -- "$bench" --small --one "$1"
    fi
    valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" "$@" >"$work/said" 2>/dev/null
    if [ -d "$work/run" ]; then
        units=$(($(wc -l <"$work/run/packets.tsv") - 1))
        rm -r "$work/run"
    else
        units=$(awk '{ print ($3 > 0 ? $3 : $7 + $9) }' "$work/said")
    fi
    total=$(sed -n 's/^\(summary\|totals\): //p' "$work/callgrind" | head -n 1)
    echo $((total / units))
}

if [ "${1:-}" = --update ]; then
    for w in bulk-1 bulk-10-loss short-10k idle-10k syn-flood-10M handshakes-100k recorded; do
        echo "$w $(count "$w")"
    done >"$file.new"
    mv "$file.new" "$file"
    cat "$file"
    exit
fi
if [ "${1:-}" = --table ]; then
    printf '%-16s %12s\n' workload instructions
    while read -r workload _; do
        printf '%-16s %12d\n' "$workload" "$(count "$workload")"
    done <"$file"
    exit
fi
if ! command -v valgrind >/dev/null || [ -n "${SAN:-}" ] || [ "$build" != build ]; then
    echo "1..0 # SKIP needs valgrind and the ordinary build"
    exit
fi
echo "1..$(wc -l <"$file")"
while read -r workload committed; do
    now=$(count "$workload")
    if [ "$now" -le $((committed * 105 / 100)) ]; then
        echo "ok - $workload takes $now instructions a unit (committed: $committed)"
    else
        echo "not ok - $workload takes $now instructions a unit, more than 5 % above the committed $committed"
    fi
done <"$file"
