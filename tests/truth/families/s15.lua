-- Data: timers, loss and its repair, delayed ACKs, windows, Nagle, urgent data.
local R = require "replay"

R.scenario {
    title = "Recordings s15",
    params = {
        kind = { "loss", choices = { "loss", "blackout", "zero_window_answered", "zero_window_silent", "zero_window_app_closed",
            "delack_small_oneway", "delack_pingpong", "delack_bulk", "delack_noread", "quickack_off", "nagle", "rexmit_lost",
            "bulk_cubic", "idle_restart", "window_update", "urg", "tlp_then_data", "frto_path" } },
        sack = 1, timestamps = 1, early_retrans = 3, retries2 = 15, -- sysctls of both
        cc = "cubic",
        lost = "", late = "", -- which data segments: "5", "1-10", "12 15"
        late_by = "0ms", -- beyond the one-way delay
        total = 60000, prime = 0,
        user_timeout = 0, rcvbuf = 0, nodelay = false,
    },
}

local sysctl = {}
local function differs(name, value, default)
    if value ~= default then sysctl["net.ipv4." .. name] = value end
end
differs("tcp_sack", params.sack, 1)
differs("tcp_timestamps", params.timestamps, 1)
differs("tcp_early_retrans", params.early_retrans, 3)
differs("tcp_retries2", params.retries2, 15)
R.inputs.drops = true -- the rules below count what they see: the relay's come before them
-- Segments of a burst left the kernel about 15 us apart: between two of them
-- the reader could run.
R.world { sysctl = sysctl, cc = params.cc, rate = params.kind ~= "nagle" and "1Gbit" or nil, delay = params.kind == "bulk_cubic" and "50ms" or nil }

local rcvbuf = params.rcvbuf
if params.kind:find("^zero_window") or params.kind == "window_update" then rcvbuf = 8192 end
local client, server = R.pair { options = rcvbuf > 0 and { SO_RCVBUF = rcvbuf } or nil }
sleep("1ms")

-- "1-10 12" as a set.
local function numbers(text)
    local set = {}
    for word in text:gmatch("%S+") do
        local first, last = word:match("^(%d+)%-?(%d*)$")
        for i = tonumber(first), tonumber(last ~= "" and last or first) do set[i] = true end
    end
    return set
end

local delivered = 0
local function reader()
    R.b:spawn(function() R.inputs.reader(server, function(n) delivered = delivered + n end) end)
end

-- The fate of the n-th data segment from A, by the order of its first sending.
local function fates(choose)
    local seen, n = {}, 0
    R.wire:script({ from = R.a }, function(p)
        if p.len == 0 then return end
        if not seen[p.seq] then
            n = n + 1
            seen[p.seq] = { n = n, times = 0 }
        end
        seen[p.seq].times = seen[p.seq].times + 1
        return choose(seen[p.seq].n, seen[p.seq].times)
    end)
end

local function send(n, op) return R.call("A", op or "send", function() return client:send(n) end) end
local function send_all(n, op) return R.call("A", op or "send", function() return R.inputs.send(client, n) end) end
local function quietly_send_all(n) -- the program did not note when
    R.inputs.await("data")
    R.inputs.send(client, n)
end
-- A small write after a pause, of which the program did not note when either.
local function quietly_send(what, options)
    R.inputs.await("data")
    client:send(what, options)
end
-- What a non-blocking send takes.
local function try_send(n, op)
    return R.call("A", op, function()
        local taken, _, part = client:send(n, { timeout = 0 })
        return taken or part
    end)
end

local kinds = {}

function kinds.loss()
    local lost, late = numbers(params.lost), numbers(params.late)
    reader()
    if params.prime > 0 then
        quietly_send_all(params.prime)
        sleep("400ms")
    end
    fates(function(n, times)
        if times > 1 then return end
        if lost[n] then return "drop" end
        if late[n] then return { "delay", by = params.late_by } end
    end)
    send_all(params.total)
    local began = now()
    while delivered < params.total + params.prime and now() - began < 12 do sleep("20ms") end
    sleep("300ms")
end

function kinds.rexmit_lost()
    reader()
    fates(function(n, times) return n == 5 and times <= 2 and "drop" or nil end)
    quietly_send_all(100000)
    sleep("1.5s")
end

function kinds.blackout()
    if params.user_timeout > 0 then client:option("TCP_USER_TIMEOUT", params.user_timeout) end
    sleep("100ms")
    R.wire:drop {}
    send(1000, "send 1000")
    R.call("A", "recv", function() return client:recv(100) end)
end

function kinds.zero_window_answered()
    try_send(200000, "send 200000 nonblocking")
    sleep("280s")
    reader()
    sleep("2s")
end

function kinds.zero_window_silent()
    try_send(200000, "send 200000 nonblocking")
    sleep("150ms")
    R.wire:drop {}
    R.call("A", "recv", function() return client:recv(100) end)
end

function kinds.zero_window_app_closed()
    try_send(50000, "send 50000 nonblocking")
    sleep("300ms")
    R.call("A", "close", function() return client:close() end)
    sleep("300s")
end

function kinds.delack_small_oneway()
    client:option("TCP_NODELAY", 1)
    reader()
    for _ = 1, 40 do
        quietly_send(10)
        sleep("100ms")
    end
end

function kinds.delack_noread()
    client:option("TCP_NODELAY", 1)
    for _ = 1, 30 do
        quietly_send(10)
        sleep("100ms")
    end
end

function kinds.delack_pingpong()
    client:option("TCP_NODELAY", 1)
    server:option("TCP_NODELAY", 1)
    R.b:spawn(function()
        for _, delay in ipairs { 0, 0, 0, 0.02, 0.02, 0.02, 0.1, 0.1, 0.1 } do
            if not server:recv(100) then return end
            if delay > 0 then sleep(delay) end
            server:send(10)
        end
    end)
    for _ = 1, 9 do
        quietly_send(10)
        client:recv(100)
        sleep("150ms")
    end
end

function kinds.delack_bulk()
    reader()
    send_all(params.total)
    sleep(rcvbuf > 0 and "1.5s" or "1s")
end

function kinds.quickack_off()
    client:option("TCP_NODELAY", 1)
    for _ = 1, 6 do
        server:option("TCP_QUICKACK", 0)
        quietly_send(10)
        sleep("150ms")
        server:recv(100)
    end
end

function kinds.nagle()
    if params.nodelay then client:option("TCP_NODELAY", 1) end
    R.inputs.await("data")
    for _ = 1, 3 do
        client:send(10)
        server:recv(100)
        server:send(10)
        client:recv(100)
    end
    sleep("200ms")
    quietly_send(10)
    for _ = 1, 2 do client:send(10) end
    local n = 0
    while n < 30 do n = n + #server:recv(100) end
    server:send(10)
    client:recv(100)
    sleep("200ms")
    quietly_send(2000)
    client:send(500)
    sleep("300ms")
end

function kinds.bulk_cubic()
    reader()
    quietly_send_all(2000000)
    local began = now()
    while delivered < 2000000 and now() - began < 8 do sleep("20ms") end
    sleep("200ms")
end

function kinds.idle_restart()
    reader()
    quietly_send_all(200000)
    sleep("2.3s")
    quietly_send_all(100000)
    sleep("600ms")
end

function kinds.window_update()
    R.a:spawn(function() send_all(30000, "sendall") end)
    sleep("500ms")
    for _ = 1, 25 do
        R.call("B", "recv 1000", function() return server:recv(1000) end)
        sleep("200ms")
    end
end

function kinds.urg()
    quietly_send("abc")
    client:send("X", { urgent = true })
    client:send("def")
    sleep("200ms")
    R.call("B", "recv", function() return server:recv(100) end)
    R.call("B", "recv OOB", function() return server:recv(1, { urgent = true }) end)
    R.call("B", "recv", function() return server:recv(100) end)
end

function kinds.tlp_then_data()
    reader()
    quietly_send_all(30000)
    sleep("200ms")
    fates(function(n, times) return n == 1 and times == 1 and "drop" or nil end)
    quietly_send_all(1448)
    sleep("350ms")
    quietly_send_all(14480)
    sleep("300ms")
end

function kinds.frto_path()
    local first
    reader()
    if params.prime > 0 then
        quietly_send_all(params.prime)
        sleep("200ms")
    end
    fates(function()
        first = first or now()
        if now() - first < 0.35 then return { "delay", by = "300ms" } end
    end)
    quietly_send_all(28960)
    sleep("1.2s")
end

kinds[params.kind]()
R.finish()
