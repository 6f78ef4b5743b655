-- The recordings' notes of their steps, in the form in which families/raw.lua
-- notes ours, and their comparison: for variant.extra in variants.lua. Each
-- reader takes one recorded step and returns what, replies, states, counters
-- (nil: not noted there).

local compare = require "compare"

local M = {}

local function list_text(list) return #list == 0 and "none" or table.concat(list, "; ") end

local function counters_text(counters)
    local out = {}
    for _, name in ipairs(compare.COUNTERS) do
        if (counters[name] or 0) ~= 0 then out[#out + 1] = name .. " " .. counters[name] end
    end
    return list_text(out)
end

local function comparer(read)
    return function(recorded, ours)
        local steps = ours.steps or {}
        for i, row in ipairs(recorded.steps) do
            local want, got = read(row), steps[i]
            if not got then return "step " .. want.what .. ": the scenario did not make it" end
            for _, part in ipairs { "replies", "states", "counters" } do
                if want[part] then
                    local text = part == "counters" and counters_text or list_text
                    local w, g = text(want[part]), text(got[part] or {})
                    if w ~= g then return ("step %s: %s: kernel %s, we %s"):format(want.what, part, w, g) end
                end
            end
        end
    end
end

-- { where, what, { { flags, "seq .. ack .." } } }
M.stray = comparer(function(row)
    local replies = {}
    for _, reply in ipairs(row[3]) do
        local rest = reply[1] == "S." and reply[2]:gsub("^seq %d+", "seq ISN") or reply[2]
        replies[#replies + 1] = reply[1] .. " " .. rest
    end
    return { what = row[1] .. ": " .. row[2], replies = replies }
end)

local function states_of(list) -- of { state, ... }
    local out = {}
    for _, row in ipairs(list) do out[#out + 1] = type(row) == "table" and row[1] or row end
    return out
end

-- { what, { { flags, "seq-irs ..", "ack ..", "TS .." } }, { { state, retransmissions } }, counters }
M.synrecv = comparer(function(row)
    local replies = {}
    for _, r in ipairs(row[2]) do replies[#replies + 1] = ("%s %s %s"):format(r[1], r[2], r[3]) end
    return { what = row[1], replies = replies, states = states_of(row[3]), counters = row[4] }
end)

-- { what, { { direction, flags } }, counters, { state } }
M.established = comparer(function(row)
    local replies = {}
    for _, r in ipairs(row[2]) do
        if not r[1]:find("^inj") then replies[#replies + 1] = r[1] .. " " .. r[2] end
    end
    return { what = row[1], replies = replies, states = states_of(row[4]), counters = row[3] }
end)

-- { step =, replies = { { flags =, seq_vs_irs =, ack_vs_rcvnxt = } }, state_after = { { state, timer, ms left } }, nstat = }
M.timewait = comparer(function(row)
    local replies, states = {}, {}
    for _, r in ipairs(row.replies) do
        replies[#replies + 1] = ("%s seq %d ack %s"):format(r.flags, r.seq_vs_irs, r.ack_vs_rcvnxt or "none")
    end
    for _, s in ipairs(row.state_after) do
        local left = s[1] == "TIME_WAIT" and (s[3] > 59300 and " restarted" or " goes on") or ""
        states[#states + 1] = s[1] .. left
    end
    return { what = row.step, replies = replies, states = states, counters = row.nstat }
end)

-- { what, { { flags, "seq-iss ..", "ack .." } }, { state } }
M.synsent = comparer(function(row)
    local replies = {}
    for _, r in ipairs(row[2]) do replies[#replies + 1] = table.concat(r, " ") end
    return { what = row[1], replies = replies, states = states_of(row[3]) }
end)

-- { what, { { flags, seq, ack, len } }, { state }, counters }
M.last_ack = comparer(function(row)
    local replies = {}
    for _, r in ipairs(row[2]) do
        replies[#replies + 1] = ("%s seq %d ack %s len %d"):format(r[1], r[2], type(r[3]) == "number" and r[3] or "none", r[4])
    end
    return { what = row[1], replies = replies, states = states_of(row[3]), counters = row[4] }
end)

-- { what, { flags }, counters, { state } }
M.cookie = comparer(function(row)
    local states = row[4] and { table.unpack(states_of(row[4]), 2) } -- without the listener
    return { what = row[1], replies = row[2], states = states, counters = row[3] }
end)

-- ---- s07: how long TIME_WAIT still lasts --------------------------------------

local function left_of(note) -- { state, ms } or { { .., expires_ms = } } or { { t, { expires_ms = } } }; nil: none
    for _, row in ipairs(note) do
        local entry = row.state and row or type(row[2]) == "table" and row[2] or { state = row[1], expires_ms = row[2] }
        if entry.state == "TIME_WAIT" then return entry.expires_ms / 1000 end
    end
end

function M.time_wait_left(recorded, ours)
    local names = {}
    for name in pairs(recorded) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do
        local w, g = left_of(recorded[name]), ours[name]
        -- The wheel's steps are 2 s wide there, and inet_diag shows when it would fire.
        if (w == nil) ~= (g == nil) or w and math.abs(w - g) > 0.5 then
            return ("TIME_WAIT left, %s: kernel %s s, we %s s"):format(name, w or "none", g or "none")
        end
    end
end

-- ---- s14: what a transfer came to ----------------------------------------------

function M.bulk(recorded, ours)
    for _, name in ipairs { "received", "IP_MTU" } do
        -- IP_MTU fails in a kernel that has just dropped its route (after many timeouts).
        if recorded[name] and recorded[name] ~= ours[name] then
            return ("%s: kernel %s, we %s"):format(name, recorded[name] or "none", ours[name] or "none")
        end
    end
end

-- ---- s10: what else those recordings note ------------------------------------

local function sockets_text(list) -- of { state, local, ... }
    local out = {}
    for _, row in ipairs(list) do out[#out + 1] = row[1] .. " " .. row[2] end
    table.sort(out)
    return list_text(out)
end

local function outcome(text) -- "40000", or the words of an error
    return text == "[Errno 99] Cannot assign requested address" and "EADDRNOTAVAIL" or text
end

function M.reuse(recorded, ours)
    local w, g = sockets_text(recorded.tw), list_text(ours.tw or {})
    if w ~= g then return ("after the first close: kernel %s, we %s"):format(w, g) end
    for theirs, mine in pairs { ["reconnect_0.2s"] = "reconnect_0_2s", ["reconnect_1.5s"] = "reconnect_1_5s" } do
        w, g = outcome(recorded[theirs]), tostring(ours[mine])
        if w ~= g then return ("%s: kernel %s, we %s"):format(theirs, w, g) end
    end
end

function M.buckets(recorded, ours)
    for i = 1, 5 do
        local w, g = sockets_text(recorded["after_" .. i]), list_text(ours["after_" .. i] or {})
        if w ~= g then return ("after %d closes: kernel %s, we %s"):format(i, w, g) end
    end
end

-- Ports are random: what is compared is how they follow each other.
function M.port_choice(recorded, ours)
    local function shape(ports, bound)
        local steps_up, parity, odd = true, true, true
        for i = 2, #ports do
            local step = (ports[i] - ports[i - 1]) % 28232
            steps_up = steps_up and step <= 64
            parity = parity and step % 2 == 0
        end
        for _, port in ipairs(bound) do odd = odd and port % 2 == 1 end
        return ("connect() %s, %s; bind(0) %s"):format(steps_up and "steps upwards" or "jumps",
            parity and "ports of one parity" or "ports of both parities", odd and "odd ports" or "any port")
    end
    local w, g = shape(recorded.ports, recorded.bind0_ports), shape(ours.ports, ours.bind0_ports)
    if w ~= g then return ("kernel: %s; we: %s"):format(w, g) end
end

return M
