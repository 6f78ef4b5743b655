-- Bulk transfers and paths with a small link in the middle.
local R = require "replay"

-- Reads all that comes, as fast as it comes: got.bytes tells how much. The
-- recordings' sockets close when nothing in their program holds them any more.
function R.reader(server, closes)
    local got = { bytes = 0 }
    R.b:spawn(function()
        R.inputs.reader(server, function(n) got.bytes = got.bytes + n end, function()
            if closes then server:close() end
        end)
    end)
    return got
end

-- A -- r1 == r2 -- B: the middle link is small. What must not be cut is
-- dropped at A's end of the path, and the error reaches A 1 ms later, as the
-- recordings' relay did it; what may be cut the routers cut.
function R.routed(w, delay)
    R.r1, R.r2 = router("r1", "10.0.0.254"), router("r2", "10.0.0.253")
    R.wire = link(R.a, R.r1, { name = "wire", delay = "0ms" })
    R.middle = link(R.r1, R.r2, { name = "middle", delay = R.inputs.relay and 0 or delay, mtu = w.mid })
    local wire_b = link(R.r2, R.b, { name = "wire-B", delay = "0ms" })
    R.wire = R.inputs.play(R.wire, wire_b, R.a, R.b)
    R.wire:script({ from = R.a }, function(p)
        if p.df and p.ip_len > w.mid then
            if w.icmp ~= false then R.icmp_about(p, 3, 4, "1ms", w.mid) end
            return "drop"
        end
    end)
end

return R
