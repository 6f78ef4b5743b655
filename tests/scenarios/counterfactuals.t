#!/bin/sh
# A counterfactual says in the record that it was on: its name stands beside what
# it changed, and not in the world that is as TCP is.
BUILD=${BUILD:-build}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

# SCENARIO, the folder of the changed world, that of the ordinary one, what stands in the record
while IFS='|' read -r scenario without with name; do
    n=$((n + 1))
    [ -d "$dir/$scenario" ] ||
        "$BUILD/halfopen" run "scenarios/$scenario.lua" --quiet --out "$dir/$scenario" >"$dir/said" 2>&1
    said=$(cat "$dir/$scenario/$without"/states.tsv "$dir/$scenario/$without"/why.tsv \
        "$dir/$scenario/$without"/packets.tsv 2>/dev/null | cut -f 2- | grep -cF "$name")
    silent=$(cat "$dir/$scenario/$with"/states.tsv "$dir/$scenario/$with"/why.tsv "$dir/$scenario/$with"/packets.tsv \
        2>/dev/null | cut -f 2- | grep -cF "$name")
    if [ -s "$dir/$scenario/$with/states.tsv" ] && [ "$said" -gt 0 ] && [ "$silent" -eq 0 ]; then
        echo "ok $n - $scenario: \"$name\" is told $said times in $without, never in $with"
    else
        echo "not ok $n - $scenario: \"$name\" is told in $without and not in $with"
        echo "# told $said and $silent times; worlds: $(ls "$dir/$scenario" 2>/dev/null | tr '\n' ' ')"
    fi
done <<END
two_way_handshake|two-way|three-way|counterfactual.two_way_handshake
four_way_handshake|four|three|counterfactual.four_way_handshake
no_time_wait|without|as_it_is|counterfactual.no_time_wait
no_time_wait|half_a_second_of_it|as_it_is|	timewait
syn_flood|without_cookies|with_cookies|net.ipv4.tcp_syncookies = 0
unlimited_queue|unlimited|bounded|counterfactual.unlimited_queue
no_paws|without_PAWS|with_PAWS|counterfactual.no_paws
no_window_check|without|as_it_is|counterfactual.no_window_check
rst_injection|no_number_is_looked_at|linux|counterfactual.no_rst_check
isn_guess|fixed|Linux|isn = 3
isn_guess|64000|RFC_6528|isn = 4
nat_timestamps|by_address|by_connection|counterfactual.paws_by_address
END
echo "1..$n"
