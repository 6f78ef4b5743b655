#!/bin/sh
# The generated pages are those that the code and its tests give now.
BUILD=${BUILD:-build}
echo 1..3
n=0
for page in tunables:docs/manual/tunables.md counters:docs/manual/counters.md states:docs/state-by-segment.md; do
    n=$((n + 1))
    if "$BUILD/docs/generate" "${page%%:*}" | cmp -s - "${page#*:}"; then
        echo "ok $n - ${page#*:} is current"
    else
        echo "not ok $n - ${page#*:} is current"
        echo "# run make docs and commit the page"
    fi
done
