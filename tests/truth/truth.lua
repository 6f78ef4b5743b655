-- truth.lua [--tap | --page] [NAME ...]: replays recordings and prints a table
-- (or TAP, or the page docs/fidelity.md):
-- recording, equal or the first difference with both sides in plain words.
-- Environment: BUILD (default build), TRUTH (the recordings' folder), VARIANTS
-- (a file in place of variants.lua), SEARCH (with more patience: fit.lua).

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path

local compare = require "compare"
local recording = require "recording"
local run = require "run"
local variants = os.getenv("VARIANTS") and dofile(os.getenv("VARIANTS")) or require "variants"

local build = os.getenv("BUILD") or "build"
local truth = os.getenv("TRUTH") or "../shared/truth/recordings"
local work = build .. "/truth"

local function quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

-- The recording program injected in a loop that took its time: how long is an
-- input of the scenario, read off the recording.
local function injection_gap(recorded)
    local first, last, n = nil, nil, 0
    for _, p in ipairs(recorded.packets) do
        if p.dir == "inj>B" then
            first, last, n = first or p.t, p.t, n + 1
        end
    end
    return ("%.6fs"):format((last - first) / (n - 1))
end

-- The same of the steps that a script took.
local function step_times(recorded)
    local out = {}
    for _, call in ipairs(recorded.calls) do
        if call.side == "script" and call.op == "step" then out[#out + 1] = ("%.6f"):format(call.t) end
    end
    return table.concat(out, ",")
end

-- Plays the family's scenario; `inputs` are parameters beside the variant's own.
local function play(variant, inputs)
    local dir = work .. "/" .. variant.name
    local words = { quote(build .. "/halfopen"), "run", quote(here .. "/families/" .. variant.family .. ".lua"),
        "--quiet", "--out", quote(dir) }
    local all, keys = {}, {}
    for _, list in ipairs { variant.set or {}, inputs or {} } do
        for key, value in pairs(list) do all[key] = value end
    end
    for key in pairs(all) do keys[#keys + 1] = key end
    table.sort(keys)
    for _, key in ipairs(keys) do
        words[#words + 1] = "--set"
        words[#words + 1] = quote(key .. "=" .. tostring(all[key]))
    end
    os.execute("rm -rf " .. quote(dir))
    local pipe = io.popen(table.concat(words, " ") .. " 2>&1")
    local said = pipe:read("a")
    if not pipe:close() then error("the scenario failed: " .. (said:match("[^\n]+") or "no message"), 0) end
    return assert(run.read(dir))
end

-- Plays a recording and compares. Where the plain replay differs, it is given
-- more and more of what the recorded program and machine did: when the relay
-- delivered each packet and calls began; where the kernel's ticks stood; when
-- the threads held their sockets. Returns the difference, and what was given.
local function replay(variant, has_recording)
    local want = has_recording and assert(recording.read(truth .. "/" .. variant.name .. ".json"))
    if variant.gap and want then variant.set.gap = injection_gap(want) end
    if variant.steps and want then
        variant.set = variant.set or {}
        variant.set.steps_at = step_times(want)
    end
    local got = play(variant)
    if not want then return nil end
    local plain = compare.compare(want, got, variant)
    if not plain or not variant.timed then return plain end
    return require("escalate").replay(variant, want, plain, got.zero, play)
end

local function wanted(name)
    local any = false
    for _, pattern in ipairs(arg) do
        if pattern:sub(1, 2) ~= "--" then
            any = true
            if name:find(pattern) then return true end
        end
    end
    return not any
end

local tap, page = arg[1] == "--tap", arg[1] == "--page"
local families, differences, inputs_given = {}, {}, {} -- for the page
local probe = io.open(truth .. "/s01_plain.json")
if not probe then
    print(tap and "1..0 # SKIP the recordings are not here" or "no recordings at " .. truth)
    os.exit(tap and 0 or 2)
end
probe:close()
os.execute("mkdir -p " .. quote(work))

local equal, differ, left, absent = 0, 0, 0, 0
local n = 0
for _, variant in ipairs(variants) do
    if wanted(variant.name) then
        n = n + 1
        local note, status, given
        local file = io.open(truth .. "/" .. variant.name .. ".json")
        if file then file:close() end
        if not file then
            -- The family must be able to play it all the same.
            absent = absent + 1
            local ok, difference = xpcall(replay, debug.traceback, variant, false)
            note = ok and not difference and "runs; not among the recordings here" or tostring(difference)
            status = ok and not difference and "ok" or "not ok"
            if status ~= "ok" then differ = differ + 1 end
        elseif variant.out_of_scope then
            left = left + 1
            status, note = "ok", "out of scope: " .. variant.out_of_scope
        else
            local ok, difference
            ok, difference, given = xpcall(replay, debug.traceback, variant, true)
            if not ok then difference = "comparison failed: " .. difference:match("[^\n]+") end
            -- A known difference is written beside its recording, with its reason; that it is
            -- still there is checked, so that none outlives its cause.
            if difference and variant.known then
                left = left + 1
                status, note = "ok", ("known difference: %s (%s)"):format(variant.known, difference)
            elseif difference then
                differ = differ + 1
                status, note = "not ok", difference
            elseif variant.known then
                differ = differ + 1
                status, note = "not ok", "equal now: the known difference is to be struck out"
            else
                equal = equal + 1
                status, note = "ok", given and "equal, given " .. given.words or "equal"
                if given then table.insert(inputs_given, { variant.name, given }) end
            end
        end
        if file then
            local family = families[variant.family] or { n = 0, equal = 0 }
            families[variant.family] = family
            family.n = family.n + 1
            local is_equal = note:find("^equal") and status == "ok"
            if is_equal then family.equal = family.equal + 1 end
            if not is_equal then table.insert(differences, { variant.name, variant.known or variant.out_of_scope or note }) end
        end
        if page then
            goto continue
        elseif tap then
            print(("%s %d - %s: %s"):format(status, n, variant.name, (note:gsub("#", "no. "))))
        else
            print(("%-34s %s"):format(variant.name, note))
            if os.getenv("SEARCH") and given then print("", given and given.uptime, given.plan) end
        end
        io.stdout:flush()
        ::continue::
    end
end
if page then
    require("page").print { n = n - absent, equal = equal, families = families, differences = differences, given = inputs_given }
elseif tap then
    print("1.." .. n)
else
    print(("\n%d recordings: %d equal, %d differ, %d known differences or out of scope"):format(n - absent, equal, differ, left))
end
os.exit(differ == 0 and 0 or 1)
