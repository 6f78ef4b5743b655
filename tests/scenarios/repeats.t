#!/bin/sh
# The same scenario, parameters and seed give the same bytes in every file.
BUILD=${BUILD:-build}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
for file in scenarios/*.lua tests/scenarios/face.lua; do
    n=$((n + 1))
    "$BUILD/halfopen" run "$file" --quiet --out "$dir/one" >"$dir/out1" 2>&1
    "$BUILD/halfopen" run "$file" --quiet --out "$dir/two" >"$dir/out2" 2>&1
    if diff -r "$dir/one" "$dir/two" >"$dir/diff"; then
        echo "ok $n - $file repeats itself to the byte"
    else
        echo "not ok $n - $file repeats itself to the byte"
        head -5 "$dir/diff" | sed 's/^/# /'
    fi
    rm -rf "$dir/one" "$dir/two"
done
echo "1..$n"
