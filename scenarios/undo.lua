-- One segment comes late, five others before it: a fast retransmit for nothing.
-- How the sender learns that, and what it takes back.

local transfer = require "transfer"

scenario {
    title = "Taking a reduction back",
    about = "RFC 3522, 4015, 2883: a fast retransmit that was not needed, undone by timestamps or by D-SACK.",
    params = {
        delay = { "20ms", about = "one way" },
        late = { "12ms", about = "by how much the segment is late" },
    },
}

local function overtaken(sysctl)
    return transfer { bytes = "150kB", client = sysctl, options = { TCP_CONGESTION = "reno" },
        link = { rate = "20Mbit", delay = params.delay },
        fates = function(t) t.wire:delay { from = t.client, match = "data", nth = 25, by = params.late } end }
end

-- The window before and after.
local function report(name, t)
    local info = t.conn:info()
    say("%s: cwnd %d, ssthresh %s.", name, info.snd_cwnd,
        info.snd_ssthresh > 1e6 and "as before" or tostring(info.snd_ssthresh))
end

world("timestamps", function()
    local t = overtaken {}
    expect(t.repeats):count(1)
    -- The ACK of the late original echoes a time before the repair: at once.
    expect(t.client:counter("TCPFullUndo") + t.client:counter("TCPPartialUndo")):equals(1)
    expect(t.conn:info().snd_ssthresh):above(1000000)
    report("Eifel, by timestamps", t)
end)

world("D-SACK", { profile = "linux" }, function()
    local t = overtaken { tcp_timestamps = 0 }
    expect(t.repeats):count(1)
    -- A round trip later the repair is reported as a duplicate.
    expect(t.client:counter("TCPDSACKUndo")):equals(1)
    expect(t.server:counter("TCPDSACKOldSent")):equals(1)
    expect(t.conn:info().snd_ssthresh):above(1000000)
    report("D-SACK", t)
end)

world("no undo", function()
    local t = overtaken { undo = 0 }
    expect(t.repeats):count(1)
    expect(t.conn:info().snd_ssthresh):below(40)
    report("Never undone", t)
end)
