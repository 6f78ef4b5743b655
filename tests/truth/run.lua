-- Reads a run's folder into the form that compare.lua takes.

local json = require "dkjson"
local recording = require "recording"

local M = {}

local function table_of(path)
    local text, err = recording.read_file(path)
    if not text then return nil, err end
    local names, rows = nil, {}
    for line in text:gmatch("[^\n]+") do
        local cells = {}
        for cell in (line .. "\t"):gmatch("(.-)\t") do cells[#cells + 1] = cell end
        if not names then
            names = cells
        else
            local row = {}
            for i, name in ipairs(names) do row[name] = cells[i] end
            rows[#rows + 1] = row
        end
    end
    return rows
end

-- "SYN+ACK" as the recordings write it: "S."
local LETTERS = { { "SYN", "S" }, { "FIN", "F" }, { "RST", "R" }, { "PSH", "P" }, { "URG", "U" }, { "ECE", "E" },
    { "CWR", "W" }, { "ACK", "." } }

local function flag_letters(words)
    local has, out = {}, ""
    for word in words:gmatch("[^+]+") do has[word] = true end
    for _, pair in ipairs(LETTERS) do
        if has[pair[1]] then out = out .. pair[2] end
    end
    return out
end

-- "mss 1460,sackOK,TS 1 0,ws 7,sack 10-20,sack 30-40" as a list, all SACK
-- blocks in one entry.
local function options_of(text)
    local list, sack = {}, nil
    for o in text:gmatch("[^,]+") do
        local first, last = o:match("^sack (%d+)%-(%d+)$")
        if first then
            sack = (sack or "sack") .. (" %s:%s"):format(first, last)
        elseif o ~= "-" then
            list[#list + 1] = o
        end
    end
    if sack then list[#list + 1] = sack end
    return list
end

-- Everything that crossed the wire: what A's and B's stacks sent, and what was
-- put there (copies and forged segments, when they arrive), as the recordings
-- name them.
local function direction_of(r)
    local to = r.to ~= "" and r.to or "?"
    if r.marks:find("i", 1, true) then return "inj>" .. to end
    local dir = r.from == "A" and "A>B" or r.from == "B" and "B>A" or "router>" .. to
    return r.marks:find("c", 1, true) and dir .. " dup" or dir
end

local ICMP = { ["ICMP echo reply"] = { 0, 0 }, ["ICMP echo"] = { 8, 0 }, ["ICMP TTL exceeded"] = { 11, 0 },
    ["ICMP reassembly timed out"] = { 11, 1 }, ["ICMP net unreachable"] = { 3, 0 }, ["ICMP host unreachable"] = { 3, 1 },
    ["ICMP protocol unreachable"] = { 3, 2 }, ["ICMP port unreachable"] = { 3, 3 },
    ["ICMP fragmentation needed"] = { 3, 4 }, ["ICMP prohibited"] = { 3, 13 } }
local PROTOCOLS = { tcp = 6, udp = 17, icmp = 1 }

local function packets_of(rows)
    local out = {}
    for _, r in ipairs(rows) do
        local injected = r.marks:find("i", 1, true) and tonumber(r.ended)
        local arrived = (r.fate == "arrived" or r.fate == "refused") and (r.to == "A" or r.to == "B")
        local p = {
            t = injected or tonumber(r.sent), dir = direction_of(r), proto = r.proto, len = tonumber(r.len), df = r.frag == "DF",
            id = tonumber(r.ip_id), from = r.src, to = r.dst, mf = r.frag:find("+", 1, true) ~= nil,
            off = tonumber(r.frag:match("^%d+")) or 0, rx = arrived and tonumber(r.ended) or nil,
        }
        if r.proto == "tcp" then
            p.flags, p.win = flag_letters(r.flags), tonumber(r.win)
            p.raw_seq, p.raw_ack = tonumber(r.raw_seq), tonumber(r.raw_ack)
            p.opts = options_of(r.options)
        elseif r.proto == "icmp" then
            p.type, p.code = table.unpack(ICMP[r.flags] or {})
            p.len = tonumber(r.ip_len) - 28 -- what it quotes
        elseif p.off > 0 then
            p.proto = "frag" .. PROTOCOLS[r.proto]
        elseif r.proto == "udp" and p.off == 0 and p.mf then
            p.len = p.len - 8 -- the recordings count what follows the UDP header
        end
        if r.from == "A" or r.from == "B" or r.to == "A" or r.to == "B" then -- not between routers
            p.order = #out + 1
            out[p.order] = p
        end
    end
    table.sort(out, function(a, b) return a.t < b.t or a.t == b.t and a.order < b.order end)
    return out
end

local STATES = { ["SYN-RECEIVED"] = "SYN_RECV", CLOSED = "CLOSE", ["FIN-WAIT-1"] = "FIN_WAIT1",
    ["FIN-WAIT-2"] = "FIN_WAIT2" }

-- The tracepoint heard one port, that of families/replay.lua.
local function is_traced(row) return row["local"]:match(":5101$") or row.remote:match(":5101$") end

-- As the kernel's tracepoint tells them: a request is seen only when it
-- becomes a socket, TIME_WAIT and an orphan's FIN_WAIT2 entry are CLOSE.
local function transitions_of(rows, notes)
    local sides, passive, gone, orphaned = { A = {}, B = {} }, {}, {}, {}
    for _, r in ipairs(notes) do
        if r.what == "FIN-WAIT-2 goes on without a socket" then orphaned[r.host .. r.conn] = true end
    end
    for _, r in ipairs(rows) do
        local new = STATES[r.to] or r.to:gsub("-", "_")
        local old = STATES[r.from] or r.from:gsub("-", "_")
        local side, key, sk = r.host, r.host .. r.conn, r["local"] .. ">" .. r.remote
        if sides[side] and not gone[key] and is_traced(r) then
            if old == "LISTEN" and new == "SYN_RECV" then
                passive[key] = true -- told when (and if) it goes on
            else
                if passive[key] then
                    passive[key] = nil
                    if new == "CLOSE" then goto continue end
                    table.insert(sides[side], { t = tonumber(r.time), sk = sk, old = "LISTEN", new = "SYN_RECV" })
                end
                if new == "TIME_WAIT" then new, gone[key] = "CLOSE", true end
                table.insert(sides[side], { t = tonumber(r.time), sk = sk, old = old, new = new })
                if new == "FIN_WAIT2" and orphaned[key] then
                    table.insert(sides[side], { t = tonumber(r.time), sk = sk, old = new, new = "CLOSE" })
                    gone[key] = true
                end
            end
        end
        ::continue::
    end
    return sides
end

function M.read(dir)
    local rows, err = table_of(dir .. "/packets.tsv")
    if not rows then return nil, err end
    local summary = json.decode(recording.read_file(dir .. "/summary.json"))
    local run = {
        packets = packets_of(rows),
        transitions = transitions_of(table_of(dir .. "/states.tsv") or {}, table_of(dir .. "/why.tsv") or {}),
        calls = (summary.results or {}).calls or {}, results = (summary.results or {}).extra or {},
        counters = {}, summary = summary,
    }
    for _, host in ipairs(summary.hosts) do run.counters[host.name] = host.counters end
    -- The recordings count time from the first packet that anyone sent.
    local zero = math.huge
    for _, r in ipairs(rows) do zero = math.min(zero, tonumber(r.sent)) end
    run.last_event, run.zero = 0, zero
    for _, file in ipairs { "/packets.tsv", "/states.tsv", "/why.tsv" } do
        for _, r in ipairs(table_of(dir .. file) or {}) do
            run.last_event = math.max(run.last_event, tonumber(r.time or r.sent) - zero)
        end
    end
    for _, p in ipairs(run.packets) do
        p.t = p.t - zero
        p.rx = p.rx and p.rx - zero
    end
    return run
end

return M
