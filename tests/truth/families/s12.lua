-- Keepalive: 2 s idle, a probe a second, three of them, unless the variant says otherwise.
local R = require "replay"

R.scenario {
    title = "Recordings s12",
    params = { kind = { "alive", choices = { "alive", "unreachable", "rebooted", "unacked_data", "user_timeout", "icmp" } },
        idle = 2, interval = 1, count = 3, user_timeout = 0 },
}
R.world { sysctl_a = params.kind == "unacked_data" and { ["net.ipv4.tcp_retries2"] = 5 } or nil }
local client, server = R.pair()
client:option("SO_KEEPALIVE", 1)
client:option("TCP_KEEPIDLE", params.idle)
client:option("TCP_KEEPINTVL", params.interval)
client:option("TCP_KEEPCNT", params.count)
if params.user_timeout > 0 then client:option("TCP_USER_TIMEOUT", params.user_timeout) end

local function recv() return R.call("A", "recv", function() return client:recv(10) end) end
local function send(op, n) return R.call("A", op, function() return client:send(n) end) end

if params.kind == "alive" then
    send("send 10", 10)
    sleep("7s")
    R.finish()
    return
end
sleep("100ms")
if params.kind == "unreachable" then
    R.wire:drop {}
    recv()
    send("send", 1)
elseif params.kind == "rebooted" then
    R.wire:drop { from = R.b, match = "rst", count = 1 }
    server:option("SO_LINGER", 0)
    server:close()
    recv()
elseif params.kind == "unacked_data" then
    R.wire:drop {}
    send("send", 1)
    recv()
elseif params.kind == "user_timeout" then
    R.wire:drop {}
    recv()
else
    R.wire:script({ from = R.a }, function(p)
        R.icmp_about(p, 3, 1)
        return "drop"
    end)
    recv()
end
R.finish()
