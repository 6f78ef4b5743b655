#!/bin/sh
# The manual has every option of the command line, every call of the Lua face and every key of its
# tables, every file of a run's folder, every column, every member of summary.json.
. tests/support/tap.sh

words=$dir/words # those looked for: one a line

# documents PAGE CLAIM: there are words, and each stands on the page as a word
documents() {
    missing=$(while read -r word; do
        grep -qE -- "(^|[^[:alnum:]_-])$word([^[:alnum:]_]|\$)" "$1" || printf ' %s' "$word"
    done <"$words")
    is "$2" "$([ -s "$words" ] || printf ' no words')$missing" ""
}
# section FILE: what the page on a run's folder says of it
section() {
    awk -v name="$1" '/^## / { on = index($0, name) > 0 } on' docs/manual/run-folder.md
}

for command in run check batch list plot; do
    "$halfopen" $command --help | grep -oE -- '--[a-z-]+|^  -[a-z],' | tr -d ' ,' | sort -u >"$words"
    documents docs/manual/command-line.md "every option of $command"
done

runtime=scenarios/runtime
# Not those that only the library calls, nor Lua's own.
grep -ohE '\{ "[a-z][a-z_]*", [a-z_]+ \}' $runtime/*.c | grep -oE '"[a-z_]+"' | tr -d '"' | sort -u |
    grep -vxE 'at_end|fail|record|suggest|load|print|tostring' >"$words"
[ "$(wc -l <"$words")" -gt 80 ]
ok $? "the calls of the Lua face are found in its tables"
documents docs/manual/lua.md "every call that C offers"
grep -ohE '^function ([a-z_]+[.:])?[a-z_]+' scenarios/lib/*.lua | sed 's/.*[ .:]//' | sort -u >"$words"
documents docs/manual/lua.md "every call of the library"
cat $runtime/*.c | tr '\n' ' ' | grep -oE 'conf_[a-z_]+\( *&?[a-z]+, +"[a-z_]+"' | grep -oE '"[a-z_]+"' | tr -d '"' | sort -u >"$words"
[ "$(wc -l <"$words")" -gt 50 ]
ok $? "the keys of tables are found where they are read"
documents docs/manual/lua.md "every key of a table"

"$halfopen" run scenarios/lost_final_ack.lua --quiet --out "$dir/run"
(cd "$dir/run" && find . -name '*.tsv' -o -name '*.json' | sed 's|^\./||') >"$words"
documents docs/manual/run-folder.md "every file of a run"
for file in states packets calls why counters series/tcp series/queues; do
    case $file in counters | series/*) section counters.tsv ;; *) section $file.tsv ;; esac >"$dir/section"
    head -1 "$dir/run/$file.tsv" | tr '\t' '\n' >"$words"
    documents "$dir/section" "every column of $file.tsv"
done
section summary.json >"$dir/section"
sed -n 's/^  "\([a-z_]*\)" :.*/\1/p' "$dir/run/summary.json" >"$words"
documents "$dir/section" "every member of summary.json"
done_testing
