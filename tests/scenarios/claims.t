#!/bin/sh
# docs/claims.md names each of the 56 claims once, and only scenarios that there are.
page=docs/claims.md
bad=0
echo 1..2

named=$(grep -o 'scenarios/[a-z0-9_]*\.lua' "$page" | sort -u)
missing=$(for file in $named; do [ -f "$file" ] || echo "$file"; done)
if [ -n "$named" ] && [ -z "$missing" ]; then
    echo "ok 1 - every scenario that the page names is there"
else
    echo "not ok 1 - every scenario that the page names is there"
    echo "$missing" | sed 's/^/# missing: /'
    bad=1
fi

# "18–20" is a range, "28, 29" a list.
found=$(sed -n 's/^| \([0-9][0-9, –]*\) |.*/\1/p' "$page" | tr ',' '\n' | sed 's/–/ /' |
    awk '{ for (i = $1; i <= $NF; i++) print i }' | sort -n | tr '\n' ' ')
if [ "$found" = "$(seq 1 56 | tr '\n' ' ')" ]; then
    echo "ok 2 - claims 1 to 56 have a line each"
else
    echo "not ok 2 - claims 1 to 56 have a line each"
    echo "# found: $found"
    bad=1
fi
exit $bad
