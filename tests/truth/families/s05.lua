-- Old duplicate SYNs before, beside and after the new connection's own.
local R = require "raw"

R.scenario {
    title = "Recordings s05: old duplicate SYNs",
    params = { kind = { "listen", choices = { "listen", "beside" } }, behind = 100000, arrives = "5ms", delays_new = "0ms",
        settle = "1.3s" },
}
R.world {}

if params.kind == "listen" then
    local syn = R.wire:copy { from = R.a, match = "syn", count = 1 }
    local client, server = R.pair { sport = 40000 }
    client:option("SO_LINGER", 0)
    R.call("A", "close (linger 0)", function() return client:close() end)
    sleep("100ms")
    R.call("B", "recv", function() return server:recv(10) end)
    server:close()
    sleep("100ms")
    local p = syn:packet()
    R.inject { to = R.b, src = p.src, dst = p.dst, sport = p.sport, dport = p.dport, flags = "syn", raw_seq = p.raw_seq,
        win = p.win, mss = p.mss, sack_ok = true, tsval = p.tsval, tsecr = 0, wscale = p.wscale }
    sleep("500ms")
else
    local done = false
    R.wire:script({ from = R.a, match = "syn" }, function(p)
        if done then return end
        done = true
        R.inject { to = R.b, src = R.a, dst = R.b, sport = p.sport, dport = p.dport, flags = "syn",
            raw_seq = R.u32(p.raw_seq - params.behind), win = 64240, mss = 1460, sack_ok = true, tsval = R.u32(p.tsval - 5000),
            tsecr = 0, wscale = 10, arrives = params.arrives }
        if params.delays_new > 0 then return { "delay", by = params.delays_new } end
    end)
    R.pair { sport = 40000 }
    sleep(params.settle)
end
R.finish()
