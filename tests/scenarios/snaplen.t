#!/bin/sh
# --snaplen cuts what captures keep of a packet, and nothing else of the run.
. tests/support/tap.sh

run() { # run DIR OPTION...: a bulk transfer
    name=$1
    shift
    "$halfopen" run tests/bench/recorded.lua --set length=40ms --quiet --out "$dir/$name" "$@"
}
# blocks FILE: bytes kept and bytes on the wire of each enhanced packet block, whose type is 6; `snaplen N` of
# the interface's block, whose type is 1
blocks() {
    od -An -v -tu4 -w4 "$1" | awk '
        { word[NR - 1] = $1 }
        END {
            for (at = 0; at < NR; at += word[at + 1] / 4) {
                if (word[at + 1] < 12) { print "no block"; exit }
                if (word[at] == 1) print "snaplen", word[at + 3]
                if (word[at] == 6) print word[at + 5], word[at + 6]
            }
        }'
}

run whole && run cut --snaplen 128
ok $? "a run with --snaplen is a good one"
for host in client server; do
    blocks "$dir/whole/$host-eth0.pcapng" | awk '$1 != "snaplen" { print ($2 > 128 ? 128 : $2), $2 }' >"$dir/expected"
    blocks "$dir/cut/$host-eth0.pcapng" >"$dir/found"
    is "the $host's capture says so" "$(sed -n '/^snaplen /p' "$dir/found")" "snaplen 128"
    grep -q '^128 1500$' "$dir/found" && sed '/^snaplen /d' "$dir/found" | cmp -s - "$dir/expected"
    ok $? "the $host's capture has each packet: its first 128 bytes, and its true length"
done
diff -r -x '*.pcapng' "$dir/whole" "$dir/cut" >"$dir/diff"
ok $? "the other files of the folder are the same"
run longest --snaplen 65535 && blocks "$dir/longest/client-eth0.pcapng" | grep -v snaplen >"$dir/found" &&
    blocks "$dir/whole/client-eth0.pcapng" | grep -v snaplen | cmp -s - "$dir/found"
ok $? "65535 bytes are all of any packet"

if command -v tshark >/dev/null; then
    # What tshark says of a packet, without the bytes that are missing.
    told() {
        tshark -r "$1" -T fields -e frame.len -e ip.id -e ip.checksum -e tcp.seq_raw -e tcp.ack_raw -e tcp.checksum \
            -e tcp.len -e tcp.options.timestamp.tsval -e frame.comment 2>/dev/null
    }
    told "$dir/cut/server-eth0.pcapng" >"$dir/found" && [ -s "$dir/found" ] &&
        told "$dir/whole/server-eth0.pcapng" | cmp -s - "$dir/found"
    ok $? "tshark reads the same headers from it as from whole packets"
    is "tshark finds no packet malformed" \
        "$(tshark -r "$dir/cut/server-eth0.pcapng" -Y _ws.malformed 2>/dev/null)" ""
else
    ok 0 "tshark reads what was cut # SKIP tshark is not installed"
fi
done_testing
