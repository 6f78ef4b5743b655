#!/bin/sh
# The generated pages of the manual are those that the code gives now.
BUILD=${BUILD:-build}
echo 1..2
n=0
for page in tunables counters; do
    n=$((n + 1))
    if "$BUILD/docs/generate" $page | cmp -s - docs/manual/$page.md; then
        echo "ok $n - docs/manual/$page.md is current"
    else
        echo "not ok $n - docs/manual/$page.md is current"
        echo "# run make docs and commit the page"
    fi
done
