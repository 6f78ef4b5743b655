-- What every scenario finds ready besides the calls of the program itself:
-- expect(), the queries of what happened, and pairs() in a fixed order.
-- Loaded by the program before the scenario; `core` is what it hands over.

local core = ...
local raw_next = next

-- ---- an order that is the same in every run --------------------------------

local rank = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
    local x, y = rank[type(a)] or 9, rank[type(b)] or 9
    if x ~= y then return x < y end
    if x <= 2 then return a < b end
    if x == 3 then return not a and b end
    return false
end

local function sorted_keys(t)
    local keys, n = {}, 0
    for k in raw_next, t do
        n = n + 1
        keys[n] = k
    end
    table.sort(keys, before)
    return keys
end

function pairs(t)
    local meta = getmetatable(t)
    if type(meta) == "table" and meta.__pairs then return meta.__pairs(t) end
    local keys, i = sorted_keys(t), 0
    return function()
        local value
        repeat -- an entry may have been cleared meanwhile
            i = i + 1
            local key = keys[i]
            if key == nil then return nil end
            value = rawget(t, key)
        until value ~= nil
        return keys[i], value
    end, t, nil
end

function next(t, key)
    if key == nil and raw_next(t) == nil then return nil end
    local keys = sorted_keys(t)
    if key == nil then return keys[1], t[keys[1]] end
    for i, k in ipairs(keys) do
        if k == key and keys[i + 1] ~= nil then return keys[i + 1], t[keys[i + 1]] end
    end
end

-- ---- words -----------------------------------------------------------------

local function show(value)
    if type(value) == "string" then return string.format("%q", value):gsub("\\\n", "\\n") end
    if type(value) == "number" and math.type(value) == "float" then return string.format("%.9g", value) end
    if type(value) == "table" then
        local parts = {}
        for k, v in pairs(value) do
            parts[#parts + 1] = type(k) == "number" and show(v) or tostring(k) .. " = " .. show(v)
            if #parts == 8 then
                parts[9] = "..."
                break
            end
        end
        return "{ " .. table.concat(parts, ", ") .. " }"
    end
    return tostring(value)
end

-- "FIN_WAIT1", "fin-wait-1" and "FIN_WAIT_1" are one state.
local aliases = { ["SYN-RECV"] = "SYN-RECEIVED", ["CLOSE"] = "CLOSED", ESTAB = "ESTABLISHED",
    ["FIN-WAIT1"] = "FIN-WAIT-1", ["FIN-WAIT2"] = "FIN-WAIT-2", ["LISTENING"] = "LISTEN",
    ["TIMEWAIT"] = "TIME-WAIT" }
local states, state_names = {}, {}
for name in ("CLOSED LISTEN SYN-SENT SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 CLOSE-WAIT CLOSING "
    .. "LAST-ACK TIME-WAIT"):gmatch("%S+") do
    states[name] = true
    state_names[#state_names + 1] = name
end

local function state_name(text)
    local name = tostring(text):upper():gsub("_", "-")
    name = aliases[name] or name
    if not states[name] then
        core.fail("found \"" .. tostring(text) .. "\", expected the name of a TCP state" .. core.suggest(name, state_names))
    end
    return name
end

-- A bound in a text with a unit, or a number.
local function quantity(value)
    if type(value) ~= "string" then return value end
    for _, read in ipairs { time, rate, size } do
        local ok, number = pcall(read, value)
        if ok then return number, read == time end
    end
    core.fail("found \"" .. value .. "\", expected a number or a quantity such as \"20ms\"")
end

local function show_quantity(number, is_time)
    if is_time and type(number) == "number" then return time_text(number) end
    return show(number)
end

-- ---- packets ---------------------------------------------------------------

local PacketList = { __name = "packets" }
PacketList.__index = PacketList
local Packet = { __name = "packet" }

local function describe(packet)
    local text = (packet.flags or packet.proto or "packet")
    if packet.seq then text = text .. " seq " .. packet.seq end
    if packet.len and packet.len > 0 then text = text .. " len " .. packet.len end
    text = text .. " from " .. packet.from .. " at " .. time_text(packet.at)
    if packet.fate ~= "arrived" then text = text .. " (" .. packet.fate .. ")" end
    return text
end

Packet.__tostring = describe

local function packet_list(list)
    for _, packet in ipairs(list) do setmetatable(packet, Packet) end
    return setmetatable(list, PacketList)
end

function PacketList.__tostring(list)
    local parts = {}
    for i, packet in ipairs(list) do
        if i > 8 then
            parts[9] = "... " .. #list - 8 .. " more"
            break
        end
        parts[i] = describe(packet)
    end
    return #parts == 0 and "none" or table.concat(parts, "; ")
end

function PacketList:first() return self[1] end
function PacketList:last() return self[#self] end
function PacketList:times()
    local times = {}
    for i, packet in ipairs(self) do times[i] = packet.at end
    return times
end

-- Sum of a field over the list: packets:sum("len").
function PacketList:sum(field)
    local sum = 0
    for _, packet in ipairs(self) do sum = sum + (packet[field] or 0) end
    return sum
end

local host_methods, link_methods = core.methods["halfopen.host"], core.methods["halfopen.link"]
local conn_methods = core.methods["halfopen.conn"]

function link_methods.packets(link, query) return packet_list(core.packets(link, nil, query)) end
function host_methods.packets(host, query) return packet_list(core.packets(nil, host, query)) end
function packets(query) return packet_list(core.packets(nil, nil, query)) end

-- ---- connections -----------------------------------------------------------

local Connection = { __name = "connection" }
Connection.__index = Connection

function Connection.__tostring(c)
    return string.format("connection %d of %s: %s", c.id, c.host, table.concat(c:states(), " -> "))
end

-- The states that it was in, in order: { "CLOSED", "SYN-SENT", ... }.
function Connection:states()
    local names = {}
    for i, step in ipairs(self.history) do
        if i == 1 then names[1] = step.from end
        names[#names + 1] = step.to
    end
    if #names == 0 then names[1] = self.state end
    return names
end

-- When it first entered the state; nil if it never did.
function Connection:entered(state)
    state = state_name(state)
    for _, step in ipairs(self.history) do
        if step.to == state then return step.at end
    end
end

-- How long it was in the state, all visits together; up to now if it still is.
function Connection:spent(state)
    state = state_name(state)
    local sum, since = 0, nil
    for _, step in ipairs(self.history) do
        if step.from == state and since then
            sum, since = sum + step.at - since, nil
        end
        if step.to == state then since = step.at end
    end
    if since then sum = sum + now() - since end
    return sum
end

local function connection(record) return setmetatable(record, Connection) end

function host_methods.connections(host)
    local list = core.connections(host)
    for _, record in ipairs(list) do connection(record) end
    return list
end

function conn_methods.history(conn)
    local record = core.connections(nil, conn)[1]
    return record and connection(record)
end

function host_methods.verdicts(host) return core.verdicts(host) end
function host_methods.peak(host, queue, port) return core.peak(host, queue, port) end

-- How many sockets of the host are in a state: host:count("SYN_RECV").
function host_methods.count(host, state)
    state = state_name(state)
    local n = 0
    for _, row in ipairs(host:sockets()) do
        if row.state == state then n = n + 1 end
    end
    return n
end

-- ---- expect ----------------------------------------------------------------

local Expect = { __name = "expect" }
local matchers = {}

function Expect.__index(_, name)
    local matcher = matchers[name]
    if matcher or name == "value" then return matcher end -- the value itself may be nil
    local known = {}
    for word in pairs(matchers) do known[#known + 1] = word end
    core.fail("expect() has no \"" .. tostring(name) .. "\"" .. core.suggest(tostring(name), known) .. "; there are: "
        .. table.concat(known, ", "))
end

-- Those that no matcher has judged yet, in the order of the calls. An expect()
-- without a matcher would pass whatever is found, so the end of the run tells it.
local pending = {}

function expect(...)
    local e = setmetatable({ value = (...), n = select("#", ...), values = { ... }, is_judged = false,
        where = core.where() }, Expect)
    while #pending > 0 and pending[#pending].is_judged do pending[#pending] = nil end
    pending[#pending + 1] = e
    return e
end

core.at_end(function()
    for _, e in ipairs(pending) do
        if not e.is_judged then
            core.fail(e.where .. ": expect() claims nothing: expected a matcher after it, such as :equals(1)")
        end
    end
end)

-- Records one expectation. The claim is the label, or the scenario's own line.
local function judge(e, is_met, expected, found)
    local where, line = core.where()
    e.is_judged = true
    local claim = rawget(e, "label") or line:match("^%s*(.-)%s*$")
    core.record(is_met and true or false, where, claim,
        is_met and "" or "expected " .. expected .. ", found " .. (found or show(e.value)))
    return e
end

-- The label under which what follows is reported.
function matchers.as(e, label)
    e.label = label
    return e
end

local function same(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then return a == b end
    for k, v in pairs(a) do if not same(v, b[k]) then return false end end
    for k in pairs(b) do if a[k] == nil then return false end end
    return true
end

function matchers.equals(e, wanted)
    local value, is_time = wanted, false
    if type(e.value) == "number" and type(wanted) == "string" then value, is_time = quantity(wanted) end
    return judge(e, same(e.value, value), show(wanted), show_quantity(e.value, is_time))
end

function matchers.is_not(e, other) return judge(e, not same(e.value, other), "anything but " .. show(other)) end
function matchers.is_true(e) return judge(e, e.value and true, "true") end
function matchers.is_false(e) return judge(e, not e.value, "false") end
function matchers.is_nil(e) return judge(e, e.value == nil, "nothing") end
function matchers.exists(e) return judge(e, e.value ~= nil, "something") end

-- near("60s", "1s") or near(60, "5%")
function matchers.near(e, wanted, tolerance)
    local value, is_time = quantity(wanted)
    local percent = type(tolerance) == "string" and tolerance:match("^([%d.]+)%%$")
    local by = percent and math.abs(value) * tonumber(percent) / 100 or quantity(tolerance or 0)
    local found = e.value
    return judge(e, type(found) == "number" and math.abs(found - value) <= by,
        string.format("%s, give or take %s", show_quantity(value, is_time),
            percent and tolerance or show_quantity(by, is_time)), show_quantity(found, is_time))
end

local function compare(words, test)
    return function(e, bound)
        local value, is_time = quantity(bound)
        return judge(e, type(e.value) == "number" and test(e.value, value),
            words .. " " .. show_quantity(value, is_time), show_quantity(e.value, is_time))
    end
end

matchers.above = compare("more than", function(a, b) return a > b end)
matchers.below = compare("less than", function(a, b) return a < b end)
matchers.at_least = compare("at least", function(a, b) return a >= b end)
matchers.at_most = compare("at most", function(a, b) return a <= b end)

function matchers.between(e, low, high)
    local a, is_time = quantity(low)
    local b = quantity(high)
    return judge(e, type(e.value) == "number" and e.value >= a and e.value <= b,
        "between " .. show_quantity(a, is_time) .. " and " .. show_quantity(b, is_time),
        show_quantity(e.value, is_time))
end

function matchers.one_of(e, list)
    for _, wanted in ipairs(list) do if same(e.value, wanted) then return judge(e, true) end end
    return judge(e, false, "one of " .. show(list))
end

function matchers.contains(e, part)
    if type(e.value) == "string" then
        return judge(e, e.value:find(part, 1, true), "a text with " .. show(part))
    end
    for _, v in pairs(type(e.value) == "table" and e.value or {}) do
        if same(v, part) then return judge(e, true) end
    end
    return judge(e, false, "a list with " .. show(part))
end

function matchers.matches(e, pattern)
    return judge(e, type(e.value) == "string" and e.value:find(pattern), "a text like " .. show(pattern))
end

-- ---- results of calls: expect(client:connect(server, 80)):fails("ECONNREFUSED")

function matchers.succeeds(e)
    return judge(e, e.value ~= nil, "success", show(e.values[2]))
end

function matchers.fails(e, with)
    local err = e.values[2]
    return judge(e, e.value == nil and (with == nil or err == with), with and "the error " .. with or "an error",
        e.value == nil and tostring(err) or "success: " .. show(e.value))
end

-- ---- connections

local function history_of(e)
    local value = e.value
    if type(value) == "userdata" and value.history then value = value:history() end
    if getmetatable(value) == Connection then return value end
    if value == nil then core.fail("expect: there is no such connection; did run() come before, and did a host connect?") end
    core.fail("expect: this matcher is for a connection, found " .. show(e.value))
end

-- In this order, others may come between: passed("LAST_ACK", "CLOSED").
function matchers.passed(e, ...)
    local c, wanted = history_of(e), { ... }
    local i = 1
    for n, name in ipairs(wanted) do wanted[n] = state_name(name) end
    for _, name in ipairs(c:states()) do
        if name == wanted[i] then i = i + 1 end
    end
    return judge(e, i > #wanted, table.concat(wanted, " -> "), tostring(c))
end

-- These and no others, from the first to the last.
function matchers.passed_only(e, ...)
    local c, wanted = history_of(e), { ... }
    for n, name in ipairs(wanted) do wanted[n] = state_name(name) end
    return judge(e, same(c:states(), wanted), "exactly " .. table.concat(wanted, " -> "), tostring(c))
end

function matchers.never_passed(e, ...)
    local c = history_of(e)
    for _, name in ipairs { ... } do
        name = state_name(name)
        for _, state in ipairs(c:states()) do
            if state == name then return judge(e, false, "never " .. name, tostring(c)) end
        end
    end
    return judge(e, true)
end

function matchers.is_in(e, state)
    local c = history_of(e)
    return judge(e, c.state == state_name(state), "the state " .. state_name(state), tostring(c))
end

-- spent("TIME_WAIT", "60s" [, tolerance])
function matchers.spent(e, state, wanted, tolerance)
    local c = history_of(e)
    local found, value, by = c:spent(state), time(wanted), time(tolerance or "1ms")
    return judge(e, math.abs(found - value) <= by, time_text(value) .. " in " .. state_name(state), time_text(found))
end

-- ---- packets

local function packets_of(e)
    if type(e.value) == "table" then return e.value end
    core.fail("expect: this matcher is for a list, found " .. show(e.value))
end

local function show_list(list)
    return getmetatable(list) == PacketList and #list .. ": " .. tostring(list) or tostring(#list)
end

-- count(2), count(2, 5): at least 2 and at most 5
function matchers.count(e, least, most)
    local list = packets_of(e)
    most = most or least
    return judge(e, #list >= least and #list <= most, least == most and tostring(least) or least .. " to " .. most,
        show_list(list))
end

function matchers.none(e) return judge(e, #packets_of(e) == 0, "none", show_list(e.value)) end
function matchers.some(e) return judge(e, #packets_of(e) > 0, "at least one", "none") end

-- sent_at({ "0s", "1s", "3s" }, "10ms"): each at its time, and no others
function matchers.sent_at(e, times, tolerance)
    local list, by = packets_of(e), time(tolerance or "1ms")
    local wanted, found, good = {}, {}, #list == #times
    for i, at in ipairs(times) do
        wanted[i] = time_text(time(at))
        good = good and math.abs(list[i].at - time(at)) <= by
    end
    for i, packet in ipairs(list) do found[i] = time_text(packet.at) end
    return judge(e, good, "packets at " .. table.concat(wanted, ", "), "at " .. table.concat(found, ", "))
end

-- all{ len = 0, seq = 5 }: every packet has these fields
function matchers.all(e, fields)
    for _, packet in ipairs(packets_of(e)) do
        for key, wanted in pairs(fields) do
            if packet[key] ~= wanted then
                return judge(e, false, "every packet with " .. key .. " = " .. show(wanted),
                    key .. " = " .. show(packet[key]) .. " in " .. describe(packet))
            end
        end
    end
    return judge(e, true)
end
