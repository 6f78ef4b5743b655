-- What a recording shows of its program, as text for a replay's parameters
-- (families/inputs.lua reads it): when the relay delivered each packet, when
-- calls began, when the script injected.

local M = {}

local function time(t) return t and ("%.6f"):format(t) or "-" end

-- The relay counted time from when it read the first packet: so much after it was sent.
function M.late(recorded) return recorded.began and math.max(-recorded.began - 0.00005, 0) or 0 end

-- "late;A>B:times;B>A:times": of what was cut on the way, when the last piece came.
local function relay(recorded)
    local last_piece, times = {}, { ["A>B"] = {}, ["B>A"] = {} }
    for _, p in ipairs(recorded.packets) do
        if p.dir == "A>B frag" and p.rx then last_piece[p.id] = p.rx end
    end
    for _, p in ipairs(recorded.packets) do
        local list = times[p.dir]
        if list then list[#list + 1] = time(p.rx or p.dir == "A>B" and last_piece[p.id]) end
    end
    return ("%.6f;A>B:%s;B>A:%s"):format(M.late(recorded), table.concat(times["A>B"], ","), table.concat(times["B>A"], ","))
end

-- "A send:0.041700;...": the calls that the program timed.
local function calls(recorded)
    local by, order = {}, {}
    for _, c in ipairs(recorded.calls) do
        if c.elapsed then
            local op = c.side .. " " .. c.op
            if not by[op] then
                by[op] = {}
                order[#order + 1] = op
            end
            table.insert(by[op], time(c.began or c.t - c.elapsed))
        end
    end
    for i, op in ipairs(order) do order[i] = op .. ":" .. table.concat(by[op], ",") end
    return table.concat(order, ";")
end

-- When A began to write after a pause, where the program did not note it: the
-- first new data for 50 ms that no ACK set free.
local function writes(recorded)
    local list, last, high = {}, -1, -1
    for _, p in ipairs(recorded.packets) do
        if p.dir == "B>A" and p.rx then last = math.max(last, p.rx) end
        if p.dir == "A>B" and p.proto == "tcp" then
            local is_new = p.len > 0 and (high < 0 or (p.raw_seq - high) & 0xffffffff < 0x80000000)
            if is_new and (high < 0 or p.t - last > 0.05) then list[#list + 1] = time(p.t - 0.00008) end
            if is_new then high = p.raw_seq + p.len end
            if p.len > 0 then last = math.max(last, p.t) end
        end
    end
    return table.concat(list, ",")
end

-- Timers fire at ticks of 4 ms, the longer ones at every 8th, the longest here
-- at every 64th: the uptimes, in microseconds, that put a tick where most of
-- the recorded timers fired. `zero`: our time of the recording's time 0.
function M.uptimes(recorded, zero)
    local votes, best = {}, nil
    for _, t in ipairs(recorded.retransmissions) do
        local slot = math.floor(t * 1e6 % 32000 / 250)
        votes[slot] = (votes[slot] or 0) + 1
        if not best or votes[slot] > votes[best] then best = slot end
    end
    local list = {}
    for k = 0, 7 do
        for part = 0, best and 0 or 15 do
            -- A timer is a little late, never early.
            local at = best and best * 250 or part * 250 + k * 4000
            list[#list + 1] = math.floor((-(zero * 1e6 + at) + (best and k * 32000 or 0)) % 256000)
        end
    end
    return list
end

local function injections(recorded)
    local list = {}
    for _, p in ipairs(recorded.packets) do
        if p.dir:find("^inj>") then list[#list + 1] = time(p.rx) end
    end
    return table.concat(list, ",")
end

-- When A closed its connections, in the order of their SYNs; "-": not at all.
local function lives(recorded)
    local list, at = {}, {}
    for _, s in ipairs(recorded.transitions.A) do
        if s.old == "SYN_SENT" and s.new == "CLOSE" or s.old == "ESTABLISHED" and s.new == "FIN_WAIT1" then
            at[s.sk:match("^[^>]*")] = s.t
        end
    end
    local seen = {}
    for _, p in ipairs(recorded.packets) do
        if p.dir == "A>B" and p.flags == "S" and not seen[p.from] then
            seen[p.from] = true
            list[#list + 1] = time(at[p.from])
        end
    end
    return table.concat(list, ",")
end

function M.of(recorded)
    local begins, data = calls(recorded), writes(recorded)
    if data ~= "" then begins = begins .. ";data:" .. data end
    return { relay = relay(recorded), calls = begins .. ";A lives:" .. lives(recorded), ends = recorded.ends }
end
M.injections = injections

return M
