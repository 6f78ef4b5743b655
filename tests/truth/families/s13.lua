-- Half close, FIN_WAIT2, simultaneous open and close.
local R = require "replay"

R.scenario {
    title = "Recordings s13",
    params = { kind = { "finwait2_orphan", choices = { "finwait2_orphan", "shutdown_only", "fin_late", "finwait2_data",
        "fin_timeout", "fin_timeout_timewait", "fin_lost_orphan", "half_close", "shut_rd", "simul_close", "simul_close_acklost",
        "simul_open", "self_connect" } }, fin_timeout = 60, stagger = 0, life = "7s" },
}
R.world { sysctl = params.fin_timeout ~= 60 and { ["net.ipv4.tcp_fin_timeout"] = params.fin_timeout } or nil }

local function send(side, op, conn, n) return R.call(side, op, function() return conn:send(n) end) end
local function recv(side, conn, n, op) return R.call(side, op or "recv", function() return conn:recv(n) end) end
local function close(side, conn) return R.call(side, "close", function() return conn:close() end) end
local function shutdown(side, conn, how, op) return R.call(side, op, function() return conn:shutdown(how) end) end

local function simultaneous_open()
    local from_a, from_b
    R.a:spawn(function()
        from_a = R.call("A", "connect", function() return R.a:connect(R.b, R.port, { port = 40000, reuseaddr = true }) end)
    end)
    if params.stagger > 0 then sleep(params.stagger / 1000) end
    from_b = R.call("B", "connect", function() return R.b:connect(R.a, 40000, { port = R.port, reuseaddr = true }) end)
    while not from_a do sleep("0.1ms") end
    if params.stagger > 0 then
        sleep("1.5s")
        return
    end
    sleep("300ms")
    send("A", "send", from_a, "hello")
    recv("B", from_b, 100)
    sleep("1.2s")
    close("A", from_a)
    sleep("100ms")
    close("B", from_b)
    sleep("200ms")
end

if params.kind == "simul_open" then
    simultaneous_open()
    R.finish()
    return
elseif params.kind == "self_connect" then
    local conn = R.call("A", "connect to itself", function() return R.a:connect(R.a, R.port, { port = R.port, address = "10.0.0.1" }) end)
    send("A", "send", conn, "hi")
    recv("A", conn, 10)
    sleep("100ms")
    R.finish()
    return
end

local client, server = R.pair()
if params.kind == "finwait2_orphan" then
    close("A", client)
    sleep("63s")
    send("B", "send 10 (after client socket has gone)", server, 10)
    sleep("200ms")
    send("B", "send 10", server, 10)
    recv("B", server, 10)
elseif params.kind == "shutdown_only" then
    shutdown("A", client, "write", "shutdown(SHUT_WR)")
    sleep("75s")
    send("B", "send 10", server, 10)
    recv("A", client, 100)
    close("B", server)
    sleep("300ms")
elseif params.kind == "fin_late" then
    close("A", client)
    sleep("10s")
    close("B", server)
    sleep("63s")
elseif params.kind == "finwait2_data" then
    close("A", client)
    sleep("500ms")
    send("B", "send 10", server, 10)
    sleep("200ms")
    send("B", "send 10", server, 10)
    recv("B", server, 10)
elseif params.kind == "fin_timeout" then
    close("A", client)
    sleep(params.life)
elseif params.kind == "fin_timeout_timewait" then
    close("A", client)
    sleep("1s")
    close("B", server)
    sleep("62s")
elseif params.kind == "fin_lost_orphan" then
    sleep("100ms")
    R.wire:drop {}
    close("A", client)
    local began = now()
    while now() - began < 160 do
        sleep("1s")
        if R.a:count("FIN-WAIT-1") == 0 then break end
    end
    sleep("1s")
elseif params.kind == "half_close" then
    send("A", "send 100", client, 100)
    shutdown("A", client, "write", "shutdown(SHUT_WR)")
    R.b:spawn(function()
        recv("B", server, 1000)
        recv("B", server, 1000)
        for _ = 1, 5 do
            send("B", "send 1000", server, 1000)
            sleep("200ms")
        end
        close("B", server)
    end)
    send("A", "send after shutdown", client, 1)
    while true do
        local data = recv("A", client, 4096)
        if not data or data == "" then break end
    end
    close("A", client)
    sleep("100ms")
elseif params.kind == "shut_rd" then
    shutdown("A", client, "read", "shutdown(SHUT_RD)")
    recv("A", client, 100)
    send("B", "send 100", server, 100)
    sleep("100ms")
    recv("A", client, 1000)
    close("A", client)
    sleep("100ms")
elseif params.kind == "simul_close" then
    sleep("50ms")
    close("A", client)
    close("B", server)
    sleep("200ms")
else -- simul_close_acklost
    sleep("50ms")
    R.wire:drop { from = R.a, match = function(p) return not p.flags:find("FIN", 1, true) end, count = 1 }
    close("A", client)
    close("B", server)
    sleep("1s")
end
R.finish()
