-- The listening side's counters in a run's folder, as TAP: each of Linux's names
-- is counted by some scenario, grows with time in counters.tsv, and ends there
-- at what summary.json says; and the queues' lengths are series.

local json = require "dkjson"

local build = os.getenv("BUILD") or "build"
local NAMES = { "ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPReqQFullDoCookies", "SyncookiesSent", "SyncookiesRecv",
    "SyncookiesFailed", "EmbryonicRsts", "TCPTimeWaitOverflow", "TW", "TWRecycled", "TCPChallengeACK", "PAWSPassive",
    "TCPAbortOnMemory", "TCPAbortOnTimeout", "TCPWinProbe", "TCPKeepAlive" }
local SCENARIOS = { "syn_flood", "syncookies", "accept_queue", "tw_buckets", "time_wait_reuse", "stray_segments", "port_scan",
    "nat_timestamps", "keepalive", "connection_flood" }
local QUEUES = { "syn_queue", "accept_queue", "time_wait" }

local n, failed = 0, false
local function report(what, problems)
    n = n + 1
    print(("%s %d - %s"):format(#problems == 0 and "ok" or "not ok", n, what))
    for i = 1, math.min(#problems, 5) do print("# " .. problems[i]) end
    failed = failed or #problems > 0
end

local function rows_of(path)
    local rows = {}
    local file = assert(io.open(path))
    file:read("l") -- the names of the columns
    for line in file:lines() do
        local cells = {}
        for cell in (line .. "\t"):gmatch("(.-)\t") do cells[#cells + 1] = cell end
        rows[#rows + 1] = cells
    end
    file:close()
    return rows
end

local function folders_of(scenario, dir)
    local pipe = io.popen(("%s/halfopen run scenarios/%s.lua --quiet --out '%s' >&2 && find '%s' -name summary.json | sort")
        :format(build, scenario, dir, dir))
    local folders = {}
    for line in pipe:lines() do folders[#folders + 1] = line:match("^(.*)/summary.json$") end
    pipe:close()
    return folders
end

-- One folder: what its counters end at, by "host counter"; problems are added.
local function check_counters(folder, counted, problems)
    local file = assert(io.open(folder .. "/summary.json"))
    local summary = json.decode(file:read("a"))
    file:close()
    local last, at = {}, {}
    for _, row in ipairs(rows_of(folder .. "/counters.tsv")) do
        local key, time, value = row[2] .. " " .. row[3], tonumber(row[1]), tonumber(row[4])
        if last[key] and (value <= last[key] or time < at[key]) then
            problems[#problems + 1] = ("%s: %s goes from %d to %d at %s"):format(folder, key, last[key], value, row[1])
        end
        last[key], at[key] = value, time
    end
    for _, host in ipairs(summary.hosts) do
        for name, value in pairs(host.counters or {}) do
            local key = host.name .. " " .. name
            if last[key] ~= value then
                problems[#problems + 1] = ("%s: %s ends at %s, summary.json says %d"):format(folder, key, last[key], value)
            end
            counted[name:match("^TcpExt(.*)$") or name] = true
            last[key] = nil
        end
    end
    for key in pairs(last) do problems[#problems + 1] = ("%s: %s is not in summary.json"):format(folder, key) end
end

local dir = os.tmpname()
os.remove(dir)
local counted, queues = {}, {}
for _, scenario in ipairs(SCENARIOS) do
    local problems, folders = {}, folders_of(scenario, dir)
    for _, folder in ipairs(folders) do
        check_counters(folder, counted, problems)
        local file = io.open(folder .. "/series/queues.tsv")
        if file then
            file:close()
            for _, row in ipairs(rows_of(folder .. "/series/queues.tsv")) do
                queues[row[3]] = math.max(queues[row[3]] or 0, tonumber(row[5]))
            end
        end
    end
    if #folders == 0 then problems[1] = "it left no folder" end
    report(scenario .. ": counters.tsv grows and ends at what summary.json says", problems)
    os.execute("rm -rf '" .. dir .. "'")
end

local problems = {}
for _, name in ipairs(NAMES) do
    if not counted[name] then problems[#problems + 1] = name .. " was never counted" end
end
report("every counter of the listening side is counted by a scenario", problems)

problems = {}
for _, name in ipairs(QUEUES) do
    if (queues[name] or 0) == 0 then problems[#problems + 1] = name .. " has no series, or a flat one" end
end
report("the lengths of both queues and the number of TIME-WAIT entries are series", problems)

print("1.." .. n)
os.exit(not failed)
