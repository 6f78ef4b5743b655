#!/bin/sh
# What a user gets wrong ends with exit status 2 and one clear line, and leaves
# an earlier run's folder as it was.
. tests/support/tap.sh
cd "$dir" || exit 1

# refuses_text CLAIM PATTERN TEXT: the same for a scenario of this text
refuses_text() {
    printf '%s\n' "$3" >bad.lua
    refuses "$1" "$2" "$halfopen" run bad.lua --out kept --quiet
}

# A run whose folder must survive all that follows.
cat >good.lua <<'LUA'
scenario { title = "Nothing happens", params = { delay = "20ms", tries = 3, cookies = true, loss = "1%" } }
local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
link(a, b, { delay = params.delay })
run("1s")
LUA
"$halfopen" run good.lua --out kept --quiet
ok $? "a good scenario runs"
"$halfopen" run good.lua --until 10ms --no-folder >out && grep -q '^Stopped at 10ms by --until.$' out
ok $? "a run that --until cut short says so"
before=$(find kept -type f | sort | xargs cksum)

refuses_text "a misspelt key of a link is told with a suggestion" \
    'bad.lua:2: link: the key "dealy" is not known; did you mean "delay"?' \
    'local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
link(a, b, { dealy = "20ms" })'
refuses_text "a wrong unit names the key's path, what was found and expected" \
    'bad.lua:2: link.delay: found "20mss", expected a time such as "20ms"' \
    'local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
link(a, b, { delay = "20mss" })'
refuses_text "a key of a sub-table has its whole path" \
    'bad.lua:2: link.up.rate: found true, expected a rate' \
    'local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
link(a, b, { up = { rate = true } })'
refuses_text "a name used twice" 'bad.lua:1: host: the name "a" is used twice' \
    'host("a", "10.0.0.1") host("a", "10.0.0.2")'
refuses_text "an address used twice" 'the address 10.0.0.1 is used twice: "a" has it' \
    'host("a", "10.0.0.1") host("b", "10.0.0.1")'
refuses_text "a misspelt sysctl is told with a suggestion" \
    'sysctl tcp_syncookie: no sysctl or tunable is called so; did you mean "net.ipv4.tcp_syncookies"?' \
    'host("a", "10.0.0.1", { sysctl = { tcp_syncookie = 1 } })'
refuses_text "a sysctl out of its range" 'tcp_syncookies.*found.*7' \
    'host("a", "10.0.0.1", { sysctl = { ["net.ipv4.tcp_syncookies"] = 7 } })'
refuses_text "a misspelt call is told with a suggestion" 'the name "hots" is not known; did you mean "host"?' \
    'hots("a", "10.0.0.1")'
refuses_text "a misspelt method is told with a suggestion" 'has no method "lisen"; did you mean "listen"?' \
    'host("a", "10.0.0.1"):lisen(80)'
refuses_text "a method called with a dot" 'call its methods with a colon' \
    'local a = host("a", "10.0.0.1") a.listen(80)'
refuses_text "a match that is neither a word nor a filter" 'drop.match: found "sin", expected a word' \
    'local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
link(a, b):drop { match = "sin" }'
refuses_text "an event of a host that is not there" 'no host is called "srever"' \
    'local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
link(a, b):drop { match = "ack", after = "srever.FIN" }'
refuses_text "a syntax error" "bad.lua:1: .*expected" 'local = 3'
refuses_text "an error in a process says which, where and when" \
    "bad.lua:2: attempt to index a nil value.*a: process 1, at 1s" \
    'local a, b = host("a", "10.0.0.1")
a:spawn(function() sleep("1s") local x = b.y end) run()'
refuses_text "an endless loop" 'without letting time pass: an endless loop?' 'while true do end'
refuses_text "an endless loop behind pcall" 'without letting time pass: an endless loop?' \
    'while true do pcall(function() while true do end end) end'
refuses_text "a process that never lets time pass" 'without letting time pass' \
    'spawn(function() while true do sleep(0) end end) run("1s")'
echo 'local t = {} for i = 1, 1e9 do t[i] = string.rep("x", 1000000) .. i end' >bad.lua
refuses "too much memory" 'needs more memory than the 32 MiB' \
    "$halfopen" run bad.lua --out kept --memory 32MiB
refuses_text "no input and output" 'the name "io" is not known' 'io.open("x")'
refuses_text "no operating system" 'the name "os" is not known' 'os.execute("true")'
refuses_text "no bytecode" 'attempt to load a binary chunk' 'assert(load("\27Lua"))'
refuses_text "no module from elsewhere" 'require: found "../../etc/x"' 'require "../../etc/x"'
refuses_text "blocking for ever in the main script" 'would wait for ever' \
    'host("a", "10.0.0.1"):listen(80):accept()'

printf '\033Lua' >bad.lua
refuses "a compiled file" "is no text" "$halfopen" run bad.lua --out kept
refuses "an unreadable file" "cannot read the scenario.*nowhere.lua" "$halfopen" run nowhere.lua --out kept
refuses "no file" "expected one scenario" "$halfopen" run
refuses "a scenario that is not there is told with a suggestion" 'No such file or directory; did you mean "good.lua"?' \
    "$halfopen" run god.lua --out kept
refuses "and found among those that came with the program" 'did you mean ".*scenarios/handshake.lua"?' \
    "$halfopen" run handshake --out kept
refuses "an unknown option" 'Unknown option --untill; did you mean --until? (halfopen run --help lists the options)' \
    "$halfopen" run good.lua --untill 3
refuses "an unknown command" 'found "rnu".*did you mean "run"?' "$halfopen" rnu good.lua
refuses "an unknown parameter" 'good.lua has no parameter "dely"; did you mean "delay"?' \
    "$halfopen" run good.lua --set dely=3 --out kept
refuses "a parameter of the wrong type" '--set delay: found "3x", expected a time' \
    "$halfopen" run good.lua --set delay=3x --out kept
refuses "a whole number that is none" '--set tries: found "1.5", expected a whole number' \
    "$halfopen" run good.lua --set tries=1.5 --out kept
refuses "a switch that is none" '--set cookies: found "maybe", expected true or false' \
    "$halfopen" run good.lua --set cookies=maybe --out kept
refuses "a probability above one" '--set loss: found "101%", expected a probability such as 0.01' \
    "$halfopen" run good.lua --set loss=101% --out kept
refuses "a setting without a value" 'expected NAME=VALUE' "$halfopen" run good.lua --set delay --out kept
refuses "a profile that is none" '--profile: found "bsd", expected linux or rfc' \
    "$halfopen" run good.lua --profile bsd --out kept
refuses "a seed that is none" '--seed: found "x"' "$halfopen" run good.lua --seed x --out kept
refuses "a time that is none" '--until' "$halfopen" run good.lua --until soon --out kept
refuses "a snaplen that would cut a SYN's headers" '--snaplen: found 63 bytes, expected 64 to 65535' \
    "$halfopen" run good.lua --snaplen 63 --out kept
refuses "a snaplen longer than any packet" '--snaplen: found 65536 bytes, expected 64 to 65535' \
    "$halfopen" run good.lua --snaplen 64KiB --out kept
refuses "a snaplen that is none" '--snaplen: found "all", expected' \
    "$halfopen" run good.lua --snaplen all --out kept
refuses "too little memory" '--memory: found 1 bytes' "$halfopen" run good.lua --memory 1 --out kept
refuses_text "a number out of its range is quoted" 'bad.lua:1: host.mtu: found 10, expected a whole number from 68' \
    'host("a", "10.0.0.1", { mtu = 10 })'
refuses_text "a method that is none" 'bad.lua:1: a host has no method "conect"; did you mean "connect"?' \
    'host("a", "10.0.0.1"):conect()'
refuses_text "a queue that is none" 'bad.lua:1: peak: queue: found "syn", expected "syn_queue"' \
    'host("a", "10.0.0.1"):peak("syn")'
refuses_text "the queues that peak() knows" 'expected "syn_queue", "accept_queue", "time_wait", "backlog", "fragments" or' \
    'host("a", "10.0.0.1"):peak("link")'
refuses_text "an algorithm of congestion control that is none" \
    'bad.lua:2: bulk.congestion: found "vegas", expected one of: cubic' \
    'local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
a:bulk { to = b, port = 80, bytes = "1kB", congestion = "vegas" }'
refuses_text "a fate that is none" 'packets.fate: found "lots", expected "arrived", "lost"' \
    'local wire = link(host("a", "10.0.0.1"), host("b", "10.0.0.2"))
expect(#wire:packets { fate = "lots" }):equals(0)'
refuses_text "an expectation without a claim is told at the end, with its place" \
    'bad.lua:2: expect() claims nothing: expected a matcher' \
    'expect(1):equals(1)
expect(2)
expect(3):equals(3)'
refuses_text "a misspelt matcher is told with a suggestion" 'expect() has no "equal"; did you mean "equals"?' \
    'expect(1):equal(1)'
refuses_text "a misspelt state is told with a suggestion" \
    'found "SYN_SEND", expected the name of a TCP state; did you mean "SYN-SENT"?' \
    'host("a", "10.0.0.1"):count("SYN_SEND")'
refuses_text "a backlog that is no number" 'serve.backlog: found "1x", expected a whole number$' \
    'host("a", "10.0.0.1"):serve { port = 80, backlog = "1x" }'
refuses_text "a negative time" 'run: found -1, expected a time that is not negative' 'run(-1)'
refuses_text "a nil that a failed call returned is told with the call and its error" \
    "bad.lua:3: attempt to index a nil value (local 'k'); the last connect() failed: ECONNREFUSED" \
    'local c, s = host("c", "10.0.0.1"), host("s", "10.0.0.2") link(c, s)
local k = c:connect(s, 81)
k:send("x")'
refuses_text "in a process too, after a sleep" \
    "bad.lua:2: .*(local 'k'); the last connect() failed: ECONNREFUSED \[c: process 1, at 2.02s\]" \
    'local c, s = host("c", "10.0.0.1"), host("s", "10.0.0.2") link(c, s)
c:spawn(function() local k = c:connect(s, 81) sleep("2s") k:send("x") end) run()'
refuses_text "and for a packet that did not come" 'a nil value.*; the last recv_raw() failed: TIMEOUT' \
    'local a = host("a", "10.0.0.1", { raw = true })
local seq = a:recv_raw({ timeout = "1s" }).seq'
refuses_text "a nil that no failed call returned is left alone" "(local 'k') *$" \
    'local c, s = host("c", "10.0.0.1"), host("s", "10.0.0.2") link(c, s)
c:connect(s, 81)
s:spawn(function() s:listen(80):accept() end)
c:connect(s, 80)
local k
k:send("x")'
refuses_text "an error that is no text" 'the scenario raised a table, expected a text' 'error({})'
refuses_text "a metric of a route that is none" 'route: the key "initcwn" is not known; did you mean "initcwnd"?' \
    'host("a", "10.0.0.1"):route("10.0.0.0/24", { initcwn = 4 })'
refuses_text "a metric of a route out of its range" 'route.initcwnd: found 0, expected segments, 1 to 65535' \
    'host("a", "10.0.0.1"):route("10.0.0.0/24", { initcwnd = 0 })'
refuses "no folder can be made" 'cannot write the run.s folder: good.lua' "$halfopen" run good.lua --out good.lua/x

# Output that does not arrive
if [ -e /dev/full ]; then
    "$halfopen" run good.lua --out kept2 >/dev/full 2>err
    [ $? -eq 2 ] && grep -q 'cannot write to standard output: No space left' err
    ok $? "a full disk behind standard output is told"
    rm -rf kept2
else
    ok 0 "a full disk behind standard output is told # SKIP no /dev/full"
fi
"$halfopen" run good.lua --out kept2 2>err | head -c 1 >/dev/null
[ -e kept2/summary.json ] && [ ! -s err ]
ok $? "a reader that has read enough stops no run"
rm -rf kept2

# Ctrl-C and its like
cat >long.lua <<'LUA'
scenario { title = "Never ends" }
local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
link(a, b)
a:spawn(function() while true do pcall(sleep, "1us") end end)
run("10000h")
LUA
cat >stuck.lua <<'LUA'
scenario { title = "Never lets time pass" }
host("a", "10.0.0.1")
while true do pcall(function() for _ = 1, 1000 do end end) end
LUA
# interrupted SIGNAL FILE: sends it once the run writes; sets status. A shell's
# background jobs ignore SIGINT, nohup has SIGHUP ignored: perl takes that back.
interrupted() {
    perl -e '$SIG{$_} = "DEFAULT" for qw(INT TERM HUP); exec @ARGV' "$halfopen" run "$2" --out made/on/the/way 2>err &
    pid=$! tries=0
    until [ -n "$(ls -A made/on/the 2>/dev/null)" ] || [ $tries -eq 600 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill "-$1" $pid
    wait $pid 2>/dev/null
    status=$?
}
for signal in INT TERM HUP; do
    interrupted $signal long.lua
    [ $status -gt 128 ] && grep -q "SIG$signal: stopped at virtual time .*; nothing was written" err && [ ! -e made ]
    ok $? "SIG$signal stops a run, which leaves nothing"
done
interrupted INT stuck.lua
[ $status -gt 128 ] && grep -q "SIGINT: stopped" err && [ ! -e made ]
ok $? "Ctrl-C stops a loop in Lua, whatever it catches"

refuses_text "a link that never delivers" 'delay: found "never", expected a time of at most a year' \
    'scenario { title = "t" } link(host("a", "10.0.0.1"), host("b", "10.0.0.2"), { delay = "never" })'

mkdir other && echo mine >other/file
refuses "a folder that is no run's" "cannot write the run's folder" "$halfopen" run good.lua --out other --quiet
refuses "a folder to draw that is no run's" "other" "$halfopen" plot other

[ "$(find kept -type f | sort | xargs cksum)" = "$before" ]
ok $? "the earlier run's folder is untouched"
[ "$(ls -A | grep -c kept)" -eq 1 ]
ok $? "nothing is left beside it"
done_testing
