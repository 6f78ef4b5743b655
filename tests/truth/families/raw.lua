-- A host played by the script: what its peer sends to it is taken off the wire
-- (its own stack hears nothing), what it says is put into the peer's end. One
-- player at a time listens, as in the recordings' own program; steps are noted
-- in the form in which the recordings note them.
local R = require "replay"

local Raw = {}
Raw.__index = Raw

local WORDS = { S = "syn", F = "fin", R = "rst", P = "psh", U = "urg", ["."] = "ack" }
local LETTERS = { { "SYN", "S" }, { "FIN", "F" }, { "RST", "R" }, { "PSH", "P" }, { "URG", "U" }, { "ACK", "." } }

local function words_of(letters)
    local words = {}
    for letter in letters:gmatch(".") do words[#words + 1] = WORDS[letter] end
    return #words == 0 and "none" or table.concat(words, "+")
end

-- "SYN+ACK" as the recordings write it: "S."
function R.letters(words)
    local has, out = {}, ""
    for word in words:gmatch("[^+]+") do has[word] = true end
    for _, pair in ipairs(LETTERS) do
        if has[pair[1]] then out = out .. pair[2] end
    end
    return out
end

function R.u32(n) return n & 0xffffffff end

local players = {} -- by side: who listens now

local function hook(side)
    local peer = side == "A" and R.b or R.a
    R.wire:script({ from = peer }, function(p)
        local player = players[side]
        if not player or p.dst ~= player.ip then return end
        if p.tsval then player.ecr = p.tsval end
        if p.proto ~= "tcp" or p.dport == player.sport then table.insert(player.queue, p) end
        return "drop"
    end)
end

-- R.raw("A", { sport = 40000, dport = R.port, ts = true, ip = "10.0.0.1" })
function R.raw(side, o)
    local r = setmetatable({ side = side, queue = {}, seq = 1000, ack = 0, ecr = 0, tsbase = 5000000 }, Raw)
    r.ip = o.ip or (side == "A" and "10.0.0.1" or "10.0.0.2")
    r.peer = side == "A" and R.b or R.a
    r.sport, r.dport, r.ts = o.sport or 40000, o.dport or R.port, o.ts ~= false
    if players[side] == nil then hook(side) end
    players[side] = r
    return r
end

function Raw:tsv() return self.tsbase + math.floor(now() * 1000) % 1000000 end

-- send("S", { seq =, ack =, data =, win =, tsval =, plain = true (no options but those given), mss =, tsecr = })
function Raw:send(flags, o)
    o = o or {}
    local segment = { to = self.peer, src = self.ip, dst = self.peer, sport = self.sport, dport = self.dport,
        flags = words_of(flags), raw_seq = R.u32(o.seq or self.seq), win = o.win or 60000, data = o.data }
    local has_ack = flags:find(".", 1, true)
    if has_ack then segment.raw_ack = R.u32(o.ack or self.ack) end
    if o.plain then
        segment.mss, segment.sack_ok, segment.tsval, segment.tsecr = o.mss, o.sack_ok, o.tsval, o.tsecr
    else
        if flags:find("S", 1, true) then segment.mss, segment.sack_ok = 1460, self.ts or nil end
        if self.ts and not flags:find("R", 1, true) then
            segment.tsval, segment.tsecr = o.tsval or self:tsv(), has_ack and self.ecr or 0
        end
    end
    R.inputs.await_injection()
    R.inject(segment)
end

function Raw:recv(timeout)
    local limit = now() + (timeout or 1.0)
    while #self.queue == 0 do
        if now() >= limit then return nil end
        sleep("0.1ms")
    end
    return table.remove(self.queue, 1)
end

function Raw:drain(quiet)
    local list = {}
    while true do
        local p = self:recv(quiet or 0.05)
        if not p then return list end
        list[#list + 1] = p
    end
end

function Raw:handshake(iss, win)
    self:send("S", { seq = iss })
    local p = self:recv()
    self.irs, self.seq, self.ack = p.raw_seq, iss + 1, R.u32(p.raw_seq + 1)
    self:send(".", { win = win })
    return p
end

-- ---- notes of a step ---------------------------------------------------------

local KERNEL = { ["SYN-RECEIVED"] = "SYN_RECV", ["FIN-WAIT-1"] = "FIN_WAIT1", ["FIN-WAIT-2"] = "FIN_WAIT2" }

-- The states that a host's sockets are in, listeners aside; only those with
-- this remote port, if one is given.
function R.states(where, remote_port)
    local list = {}
    for _, row in ipairs(where:sockets()) do
        if row.state ~= "LISTEN" and (not remote_port or row.remote_port == remote_port) then
            list[#list + 1] = KERNEL[row.state] or (row.state:gsub("-", "_"))
        end
    end
    return list
end

function R.counters_since(where, before)
    local delta = {}
    for name, value in pairs(where:counters()) do
        if value ~= (before[name] or 0) then delta[name] = value - (before[name] or 0) end
    end
    return delta
end

-- When the recording began its steps (seconds since its first packet): the
-- recording program took its time between them, so that is an input.
function R.step_times(text)
    R.steps_at = {}
    for t in text:gmatch("[^,]+") do R.steps_at[#R.steps_at + 1] = tonumber(t) end
    R.zero, R.step_number = nil, 0
    R.wire:script(function() R.zero = R.zero or now() end)
end

local function await(at)
    if at and R.zero and R.zero + at > now() then sleep(R.zero + at - now()) end
end

-- Waits until the next step began there.
function R.await_step()
    R.step_number = R.step_number + 1
    await(R.steps_at[R.step_number])
end

-- Waits until so long before that.
function R.await_before_step(early)
    local at = R.steps_at[R.step_number + 1]
    await(at and at - early)
end

-- step{ what =, replies = { "S. seq 0 ack 1" }, states =, counters = }
function R.step(row)
    R.extra = R.extra or { steps = {} }
    R.extra.steps = R.extra.steps or {}
    table.insert(R.extra.steps, row)
end

return R
