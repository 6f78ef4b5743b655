-- SYN-ACKs that are lost or that nobody answers.
local R = require "replay"

R.scenario { title = "Recordings s03", params = { kind = "raw", retries = 5, wait = "66s" } }
R.world { sysctl = { ["net.ipv4.tcp_synack_retries"] = params.retries } }

if params.kind == "raw" then
    R.b:listen(R.port, { backlog = 16 })
    R.wire:inject { to = R.b, src = "10.0.0.77", sport = 40000, dport = R.port, flags = "syn", raw_seq = 1000, win = 60000,
        mss = 1460, sack_ok = true, tsval = 5000000, tsecr = 0 }
    sleep(params.wait)
elseif params.kind == "all_lost" then
    R.b:listen(R.port, { backlog = 16 })
    R.wire:drop { from = R.b, match = "syn+ack" }
    R.connect("A")
    sleep("1s")
else
    R.wire:drop { from = R.b, match = "syn+ack", nth = 1 }
    local client = R.pair()
    R.call("A", "send 100", function() return client:send(100) end)
    sleep("300ms")
end
R.finish()
