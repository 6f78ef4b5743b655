#!/bin/sh
# What a host sends to itself stands in the ladder, the tables and a capture.
BUILD=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

ok() { # status claim
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

LC_ALL=C.UTF-8 "$BUILD/halfopen" run scenarios/loopback.lua --out "$work/run" >"$work/said"
grep -q '0\.000000 *A SYN-SENT │ ↻ A SYN seq 0' "$work/said"
ok $? "the ladder has a word for each beside the host's line"
LC_ALL=C "$BUILD/halfopen" run scenarios/loopback.lua --no-folder | grep -q 'SYN-SENT | @ A SYN seq 0'
ok $? "in ASCII too"
[ "$(awk -F'\t' '$4 == "host" && $5 == "host" && $6 == "lo"' "$work/run/packets.tsv" | wc -l)" -eq 12 ]
ok $? "packets.tsv has all of them, on lo"
# An enhanced packet block begins with its type, 6, and has the time in its third and fourth words.
[ "$(od -An -v -tx4 -w4 "$work/run/host-lo.pcapng" | grep -c '^ 00000006$')" -ge 12 ]
ok $? "the capture of lo has each of them"
echo "1..$n"
