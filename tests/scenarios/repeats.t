#!/bin/sh
# The same scenario, parameters and seed give the same bytes in every file; and
# in them every reply, drop, retransmission and transition names its rule, and
# every TCP segment why it was sent.
BUILD=${BUILD:-build}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

report() { # claim, file that is empty if it is so
    n=$((n + 1))
    if [ ! -s "$2" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        head -5 "$2" | sed 's/^/# /'
    fi
}

nameless() { # folder
    find "$1" -name why.tsv -exec awk -F '\t' 'FNR > 1 &&
        $7 !~ /^(RFC [0-9]|net\.(ipv4|core)\.|Linux: |TCP_|SO_|counterfactual\.|listen\(\) )/' {} +
    find "$1" -name packets.tsv -exec awk -F '\t' 'FNR > 1 && $9 == "tcp" && ($28 == "" || $28 == "-")' {} +
}

for file in scenarios/*.lua tests/scenarios/face.lua; do
    "$BUILD/halfopen" run "$file" --quiet --out "$dir/one" >"$dir/out1" 2>&1
    "$BUILD/halfopen" run "$file" --quiet --out "$dir/two" >"$dir/out2" 2>&1
    diff -r "$dir/one" "$dir/two" >"$dir/diff"
    report "$file repeats itself to the byte" "$dir/diff"
    nameless "$dir/one" >"$dir/nameless"
    report "$file gives a reason for all it did" "$dir/nameless"
    rm -rf "$dir/one" "$dir/two"
done
echo "1..$n"
