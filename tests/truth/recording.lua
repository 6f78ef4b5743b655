-- Reads one recording of a real kernel (JSON, see the README beside the
-- recordings) into the form that compare.lua takes.

local json = require "dkjson"

local M = {}

local function read_file(path)
    local file, err = io.open(path, "rb")
    if not file then return nil, err end
    local text = file:read("a")
    file:close()
    return text
end

local function packet_of(p)
    local q = {
        t = p.t, rx = p.rx, dir = p.dir, proto = p.proto, len = p.len, df = p.ip.df, id = p.ip.id,
        from = ("%s:%s"):format(p.ip.src, p.sport or "-"), to = ("%s:%s"):format(p.ip.dst, p.dport or "-"),
        mf = p.ip.mf or false, off = p.ip.off or 0, delivered = p.rx ~= nil,
    }
    if p.proto == "tcp" then
        q.flags, q.raw_seq, q.raw_ack, q.win, q.opts = p.flags, p.raw_seq, p.raw_ack, p.win, p.opts
    elseif p.proto == "icmp" then
        q.type, q.code, q.mtu = p.type, p.code, p.mtu
    end
    return q
end

-- The connections of which packets are there, as the tracepoint names them.
local function names_on_the_wire(packets)
    local names = {}
    for _, p in ipairs(packets) do
        names[p.from .. ">" .. p.to], names[p.to .. ">" .. p.from] = true, true
    end
    return names
end

-- A socket without a port never was a connection; one without a packet belongs
-- to another run of the recording program (FACTS 102), unless there is no wire.
local function is_stray(s, wire)
    if s.sk:match("^[%d.]+:0>") then return true end
    return next(wire) ~= nil and not s.sk:find(">0.0.0.0:0", 1, true) and not wire[s.sk]
end

-- Transitions by side: the kernel's tracepoint names the local end first.
local function transitions_of(list, packets)
    local sides, wire = { A = {}, B = {} }, names_on_the_wire(packets)
    for _, s in ipairs(list) do
        if s.ev == "inet_sock_set_state" and not is_stray(s, wire) then
            local side = s.sk:match("^10%.0%.0%.1:") and "A" or "B"
            -- A passive socket is first seen when its handshake is complete.
            table.insert(sides[side], { t = s.t, sk = s.sk, old = s.old, new = s.new })
        end
    end
    return sides
end

-- When A first called connect(): its socket may have had no port yet.
local function began(list)
    for _, s in ipairs(list) do
        if s.new == "SYN_SENT" and s.sk:match("^10%.0%.0%.1:") then return s.t end
    end
end

function M.read(path)
    local text, err = read_file(path)
    if not text then return nil, err end
    local doc, _, why = json.decode(text, 1, nil)
    if not doc then return nil, path .. ": " .. why end
    local recording = {
        name = doc.scenario, what = doc.what, packets = {},
        calls = doc.app, counters = doc.nstat, extra = doc.extra, polls = doc.sock_poll,
    }
    recording.began = began(doc.transitions)
    recording.ends = 0
    for _, list in ipairs { doc.packets, doc.app, doc.sock_poll, doc.transitions } do
        for _, row in ipairs(list) do recording.ends = math.max(recording.ends, row.t) end
    end
    for _, p in ipairs(doc.packets) do table.insert(recording.packets, packet_of(p)) end
    recording.transitions = transitions_of(doc.transitions, recording.packets)
    recording.retransmissions = {} -- when the kernel's tracepoint saw one, most by a timer
    for _, s in ipairs(doc.transitions) do
        if s.ev:find("^tcp_retransmit_s") then table.insert(recording.retransmissions, s.t) end
    end
    return recording
end

M.read_file = read_file
return M
