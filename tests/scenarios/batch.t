#!/bin/sh
# halfopen batch: the same lines for any number of threads; a failure that can
# be played alone; tables complete or not at all; mistakes told in one line.
. tests/support/tap.sh
setup=$PWD/scenarios/setup_under_loss.lua
cd "$dir" || exit 1

# What a run does depends on its seed and parameters alone.
cat >dice.lua <<'LUA'
scenario {
    title = "Dice",
    params = { sides = 6, delay = "20ms", word = "a", steady = true, quirk = "none" },
}
local thrown = math.random(1, params.sides)
local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
link(a, b, { delay = params.delay })
run(thrown)
result("thrown", thrown)
result("half", thrown / 2)
result("of", { word = #params.word, text = "no number", list = { 7, { deep = 0.1 } } })
if params.quirk == "rare" and thrown == 6 then result("six", 1) end
if params.quirk == "raises" and thrown == 6 then error("a six") end
if params.quirk == "forever" then spawn(function() while true do sleep("1s") end end) run() end
expect(thrown):at_most(params.quirk == "strict" and 5 or params.sides)
LUA

# ---- the same for any number of threads

for jobs in 1 2 5; do
    timeout 60 "$halfopen" batch "$setup" --seeds 1-12,100 --set loss=5%,30% --profile linux,rfc \
        --jobs $jobs --out $jobs.tsv >$jobs.out 2>$jobs.err
    is "$jobs threads play them all" "$? $(wc -l <$jobs.tsv) $(wc -c <$jobs.err)" "0 53 0"
done
cmp -s 1.out 2.out && cmp -s 1.out 5.out
ok $? "1, 2 and 5 threads print the same bytes"
cmp -s 1.tsv 2.tsv && cmp -s 1.tsv 5.tsv
ok $? "1, 2 and 5 threads write the same table"
is "the table's head" "$(head -1 1.tsv | tr '\t' ' ')" "seed profile loss met of end setup syns"
is "seeds change fastest, then the last parameter, then the profile" \
    "$(cut -f 1-3 1.tsv | sed -n '2p;14p;15p;28p' | tr '\t\n' ' ,')" \
    "1 linux 5%,100 linux 5%,1 linux 30%,1 rfc 5%,"

# ---- what a line says is what the run alone says

"$halfopen" run dice.lua --seed 3 --set sides=20 --out alone --quiet
"$halfopen" batch dice.lua --seeds 1-5 --set sides=6,20 --out dice.tsv >/dev/null
is "a line has what the run alone has" \
    "$(awk -F '\t' '$1 == 3 && $2 == 20 { print $10 }' dice.tsv)" \
    "$(sed -n 's/.*"thrown" : \([0-9]*\).*/\1/p' alone/summary.json)"
is "tables have flat names, texts are left out" "$(head -1 dice.tsv | tr '\t' ' ')" \
    "seed sides met of end half of.list.1 of.list.2.deep of.word thrown"
is "numbers lose nothing" "$(awk -F '\t' 'NR == 2 { print $7, $8 }' dice.tsv)" "7 0.1"
"$halfopen" batch dice.lua --seeds 1-60 --set quirk=rare --out rare.tsv >rare.out
is "a number that only some runs have is - in the others" \
    "$(awk -F '\t' 'NR > 1 { seen[$9 == 6 ? $10 == 1 : $10 == "-"]++ } END { print seen[1], seen[0] }' rare.tsv)" "60 "
is "the middle of an even count lies between two" \
    "$("$halfopen" batch dice.lua --seeds 1-2 -q | awk '$1 == "thrown" { print ($3 + $5) / 2 == $4 }')" 1
is "without --seeds it is seed 1" "$("$halfopen" batch dice.lua -q | tail -1)" \
    "1 run; the 1 expectation is met."
is "a backslash keeps a comma within a value" \
    "$("$halfopen" batch dice.lua --set 'word=x\,y,z' --out comma.tsv >/dev/null; cut -f 2,9 comma.tsv | tail -2 | tr '\t\n' ' ;')" \
    "x,y 3;z 1;"

# ---- an expectation is not met

"$halfopen" batch dice.lua --seeds 1-60 --set quirk=strict --set 'word=two words' --out kept.tsv >strict.out 2>err
is "exit status 1" "$?" 1
is "the table is complete" "$(wc -l <kept.tsv)" 61
command=$(sed -n 's/^To see it: halfopen //p' strict.out)
first=$(awk -F '\t' 'NR > 1 && $2 < $3 { print $1; exit }' kept.tsv)
is "it names the first run that failed" "$command" \
    "run dice.lua --seed $first --set quirk=strict --set 'word=two words'"
eval "\"\$halfopen\" $command --no-folder --quiet" >/dev/null 2>err
is "the command it gives fails alike" "$? $(grep -c 'expected at most 5, found 6' err strict.out | tr '\n' ' ')" \
    "1 err:1 strict.out:1 "

# ---- one run cannot be played to its end

before=$(cksum kept.tsv)
refuses "an error in some runs is told once, with the first" \
    'of 60 runs could not be played to the end; the first, seed [0-9]*: dice.lua:[0-9]*: a six (to see it: halfopen run dice.lua --seed' \
    "$halfopen" batch dice.lua --seeds 1-60 --set quirk=raises --out kept.tsv
is "the other runs are shown" "$(awk '$2 == 1 && $3 == 1 { met++ } $2 == "error" { errors++ } END { print met + errors, (errors > 0), (met > 0) }' out)" \
    "60 1 1"
is "the table of before is untouched" "$(cksum kept.tsv)" "$before"
mkdir empty
"$halfopen" batch dice.lua --seeds 1-60 --set quirk=raises --out empty/t.tsv >/dev/null 2>&1
is "and no new one is begun" "$(ls -A empty)" ""

# ---- Ctrl-C

cat >stuck.lua <<'LUA'
scenario { params = { how = { "events", choices = { "events", "loop", "main" } } } }
local a = host("a", "10.0.0.1")
spawn(function() while true do sleep("1s") end end)
if math.random(1, 4) == 1 then run("1s") return end
if params.how == "loop" then while true do pcall(function() while true do end end) end end
if params.how == "main" then a:listen(80):accept() end
run()
LUA
# interrupted SECONDS HOW: sets status, and `played`, the runs that had ended by then.
interrupted() {
    timeout -s INT -k 60 "$1" env --default-signal=INT "$halfopen" batch stuck.lua --seeds 1-40 --jobs 30 \
        --set how="$2" --memory 64MiB --out kept.tsv >out 2>err
    status=$?
    played=$(sed -n 's/^halfopen: SIGINT: stopped: \([0-9]*\) of 40 runs were played; no table was written$/\1/p' err)
}
for how in events loop main; do
    # On a busy machine no run may have ended in a second: it is given more, until one has.
    for seconds in 1 4 16 64; do
        interrupted $seconds $how
        [ "$status" -eq 124 ] && [ "${played:-0}" -eq 0 ] || break
    done
    is "an interrupt ends what would run for ever ($how)" "$status $(wc -l <err)" "124 1"
    [ "${played:-0}" -gt 0 ] && [ "$(awk '$4 == "1s"' out | wc -l)" -eq "$played" ]
    ok $? "and the runs that had ended are shown ($how)"
done
is "the table of before is untouched" "$(cksum kept.tsv)" "$before"

# ---- mistakes

refuses "no file" "expected one scenario" "$halfopen" batch
refuses "an unreadable file" "cannot read the scenario.*nowhere.lua" "$halfopen" batch nowhere.lua
refuses "an empty range of seeds" '--seeds: found the empty range "9-3"' "$halfopen" batch dice.lua --seeds 9-3
refuses "no seeds" '--seeds: found' "$halfopen" batch dice.lua --seeds ''
refuses "a seed that is none" '--seeds: found "x", expected' "$halfopen" batch dice.lua --seeds 1,x
refuses "a hole among the seeds" '--seeds: found "", expected' "$halfopen" batch dice.lua --seeds 1,,3
refuses "a seed twice" '--seeds: seed 5 is there twice' "$halfopen" batch dice.lua --seeds 1-9,5
refuses "more seeds than can be" 'more than 1000000 seeds' "$halfopen" batch dice.lua --seeds 0-18446744073709551615
refuses "more runs than can be" 'more than 1000000 runs' "$halfopen" batch dice.lua --seeds 1-500001 --set sides=6,8
refuses "an unknown parameter" 'dice.lua has no parameter "side"; did you mean "sides"?' \
    "$halfopen" batch dice.lua --set side=6,8
refuses "a wrong unit anywhere in a list" '--set delay: found "3x", expected a time' \
    "$halfopen" batch dice.lua --set delay=3ms,4ms,3x
refuses "an empty value in a list" '--set sides: found "", expected a whole number' \
    "$halfopen" batch dice.lua --set sides=6,,8
refuses "a value twice" 'the value "6" of sides is there twice' "$halfopen" batch dice.lua --set sides=6,8,6
refuses "a parameter twice" '"sides" is set twice, expected its values together: sides=VALUE,VALUE' \
    "$halfopen" batch dice.lua --set sides=6 --set sides=8
refuses "a setting without a value" 'expected NAME=VALUE' "$halfopen" batch dice.lua --set sides
refuses "a profile that is none" '--profile: found "bsd", expected linux or rfc' \
    "$halfopen" batch dice.lua --profile linux,bsd
refuses "no threads" '--jobs: found "0"' "$halfopen" batch dice.lua --jobs 0
refuses "a time that is none" '--until' "$halfopen" batch dice.lua --until soon
refuses "a table in no folder" 'cannot write in the folder nowhere' \
    "$halfopen" batch dice.lua --out nowhere/t.tsv
refuses "a table in the place of a folder" 'empty is no file' "$halfopen" batch dice.lua --out empty
refuses "a table in the place of somebody's file" 'dice.lua is there and no batch wrote it' \
    "$halfopen" batch dice.lua --out dice.lua
echo 'local x =' >bad.lua
refuses "a syntax error is told before anything runs" 'bad.lua:' "$halfopen" batch bad.lua --seeds 1-9
echo 'host("a", "10.0.0.1") run("1s")' >plain.lua
refuses "a parameter of a scenario that has none" 'plain.lua has no parameter "x"' \
    "$halfopen" batch plain.lua --set x=1
refuses "and run tells it too" 'plain.lua has no parameter "x"' \
    "$halfopen" run plain.lua --set x=1 --no-folder --quiet
"$halfopen" batch plain.lua --seeds 1-3 -q >out
is "a scenario without scenario{} can be played" "$? $(cat out)" "0 3 runs; the scenario expects nothing."
done_testing
