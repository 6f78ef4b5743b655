#!/bin/sh
# Every relative link of README.md and docs/ leads to a file of the tree; so
# does every path in the table of mechanisms.
pages=$(echo README.md; find docs -name '*.md' | sort)
echo "1..$(echo "$pages" | wc -l)"
n=0
for page in $pages; do
    n=$((n + 1))
    missing=
    # [text](target) and ![text](target), the fragment cut off; code blocks hold none
    for target in $(awk '/^```/ { code = !code; next } !code' "$page" |
        grep -o ']([^) ]*)' | sed 's/^](//; s/)$//; s/#.*//' | grep -v '^[a-z][a-z]*:' | sort -u); do
        [ -e "$(dirname "$page")/$target" ] || missing="$missing $target"
    done
    if [ -z "$missing" ]; then
        echo "ok $n - the links of $page resolve"
    else
        echo "not ok $n - the links of $page resolve"
        echo "# not there:$missing"
    fi
done
