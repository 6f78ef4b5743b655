#!/bin/sh
# What a host sends to itself stands in the ladder, the tables and a capture.
. tests/support/tap.sh

LC_ALL=C.UTF-8 "$halfopen" run scenarios/loopback.lua --out "$dir/run" >"$dir/said"
grep -q '0\.000000 *A SYN-SENT │ ↻ A SYN seq 0' "$dir/said"
ok $? "the ladder has a word for each beside the host's line"
LC_ALL=C "$halfopen" run scenarios/loopback.lua --no-folder | grep -q 'SYN-SENT | @ A SYN seq 0'
ok $? "in ASCII too"
[ "$(awk -F'\t' '$4 == "host" && $5 == "host" && $6 == "lo"' "$dir/run/packets.tsv" | wc -l)" -eq 12 ]
ok $? "packets.tsv has all of them, on lo"
# An enhanced packet block begins with its type, 6, and has the time in its third and fourth words.
[ "$(od -An -v -tx4 -w4 "$dir/run/host-lo.pcapng" | grep -c '^ 00000006$')" -ge 12 ]
ok $? "the capture of lo has each of them"
done_testing
