-- Ways to close: SO_LINGER, unread data, data after the close.
local R = require "replay"

R.scenario {
    title = "Recordings s11",
    params = { kind = { "linger0", choices = { "linger0", "linger0_blocked_reader", "close_unread", "data_after_close",
        "linger2_ok", "linger2_blackout", "pending_rst" } } },
}
R.world {}
local client, server = R.pair()

local function send(side, op, conn, n) return R.call(side, op, function() return conn:send(n) end) end
local function recv(side, op, conn, n) return R.call(side, op, function() return conn:recv(n) end) end
local function close(side, conn) return R.call(side, "close", function() return conn:close() end) end

if params.kind == "linger0" then
    client:option("SO_LINGER", 0)
    send("A", "send 1000", client, 1000)
    close("A", client)
    sleep("50ms")
    recv("B", "recv", server, 4096)
    recv("B", "recv", server, 4096)
    send("B", "send", server, 1)
elseif params.kind == "linger0_blocked_reader" then
    client:option("SO_LINGER", 0)
    local done = false
    R.b:spawn(function()
        recv("B", "recv (blocked)", server, 4096)
        done = true
    end)
    sleep("50ms")
    close("A", client)
    while not done do sleep("1ms") end
    recv("B", "recv again", server, 4096)
    send("B", "send", server, 1)
elseif params.kind == "close_unread" then
    send("A", "send 100", client, 100)
    sleep("50ms")
    close("B", server)
    sleep("50ms")
    send("A", "send 10", client, 10)
    recv("A", "recv", client, 10)
    recv("A", "recv", client, 10)
elseif params.kind == "data_after_close" then
    close("B", server)
    sleep("50ms")
    recv("A", "recv", client, 10)
    send("A", "send 10", client, 10)
    sleep("50ms")
    send("A", "send 10", client, 10)
    recv("A", "recv", client, 10)
elseif params.kind == "linger2_ok" then
    client:option("SO_LINGER", 2)
    send("A", "send 5000", client, 5000)
    close("A", client)
    sleep("200ms")
    close("B", server)
    sleep("100ms")
elseif params.kind == "linger2_blackout" then
    client:option("SO_LINGER", 2)
    R.wire:drop {}
    send("A", "send 5000", client, 5000)
    close("A", client)
    sleep("4s")
else -- the reply, then a reset
    send("A", "send 100", client, 100)
    sleep("50ms")
    send("B", "send 3000", server, 3000)
    close("B", server)
    sleep("200ms")
    recv("A", "recv", client, 10000)
    recv("A", "recv", client, 10000)
end
R.finish()
