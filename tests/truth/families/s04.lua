-- The third ACK is lost, and who speaks next.
local R = require "replay"

R.scenario { title = "Recordings s04", params = { kind = "client_data", lost = 1 } }

if params.kind == "always_idle" then
    R.world { sysctl = { ["net.ipv4.tcp_synack_retries"] = 2 } }
    local cut = R.wire:drop { from = R.a, match = R.no_syn }
    R.b:listen(R.port, { backlog = 16 })
    local conn = R.connect("A")
    sleep("9.5s")
    cut:cancel()
    R.call("A", "send 100", function() return conn:send(100) end)
    R.call("A", "recv", function() return conn:recv(100) end)
    R.finish()
    return
end

R.world {}
R.wire:drop { from = R.a, match = R.no_syn, count = params.lost }
local listener = R.b:listen(R.port, { backlog = 16 })
R.b:spawn(function()
    local conn = R.call("B", "accept", function() return listener:accept() end)
    if params.kind == "server_first" then
        R.call("B", "send 100", function() return conn:send(100) end)
        return
    end
    R.call("B", "recv", function() return conn:recv(4096) end)
    if params.kind == "client_closes" then R.call("B", "close", function() return conn:close() end) end
end)
sleep("20ms")
local conn = R.connect("A")
if params.kind == "server_first" then
    R.call("A", "recv", function() return conn:recv(4096) end)
elseif params.kind == "and_data_lost" then
    R.call("A", "send 100", function() return conn:send(100) end)
else
    sleep("50ms")
    if params.kind == "client_closes" then
        R.call("A", "close", function() return conn:close() end)
    else
        R.call("A", "send 100", function() return conn:send(100) end)
    end
end
sleep("1.6s")
R.finish()
