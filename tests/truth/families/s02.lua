-- SYNs that are lost: all of them, or the first few before a transfer.
local R = require "replay"

R.scenario {
    title = "Recordings s02",
    params = { lost = 1000000, linear = 4, retries = 6, timestamps = 1, syncnt = 0, user_timeout = 0, transfer = false },
}
R.world { sysctl = { ["net.ipv4.tcp_syn_linear_timeouts"] = params.linear, ["net.ipv4.tcp_syn_retries"] = params.retries,
    ["net.ipv4.tcp_timestamps"] = params.timestamps } }

local listener = R.b:listen(R.port, { backlog = 16 })
R.wire:drop { from = R.a, match = "syn", count = params.lost }
local options = {}
if params.syncnt > 0 then options.TCP_SYNCNT = params.syncnt end
if params.user_timeout > 0 then options.TCP_USER_TIMEOUT = params.user_timeout end
if params.transfer then
    R.b:spawn(function() R.call("B", "accept", function() return listener:accept() end) end)
end
local conn = R.connect("A", { options = options })
if params.transfer then
    R.call("A", "send 30000", function() return conn:send(30000) end)
    sleep("500ms")
end
R.finish()
