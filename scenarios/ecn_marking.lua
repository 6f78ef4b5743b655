-- A queue that wants a sender to slow down can only drop a packet, unless both
-- ends speak ECN (RFC 3168): then it marks one (CE), the receiver echoes the mark
-- (ECE) until the sender says that it has slowed down (CWR), and nothing is lost.
-- The same transfer through the same queue, dropped and marked, and with a box on
-- the way that clears the field, so that the queue cannot know.

scenario {
    title = "A mark instead of a loss",
    about = "ECN: what dropping, marking and a box that bleaches the field come to.",
    params = { rate = "4Mbit", delay = "20ms", bytes = "1MB" },
}

local cases = {
    { name = "dropped", ecn = 2 }, -- Linux's default: agrees to ECN, does not ask for it
    { name = "marked", ecn = 1 },
    { name = "bleached", ecn = 1, bleaches = true },
}

for i, c in ipairs(cases) do
    c.sender = host("sender" .. i, "10.0." .. i .. ".1", { sysctl = { tcp_ecn = c.ecn } })
    c.receiver = host("receiver" .. i, "10.1." .. i .. ".1")
    local box = router("box" .. i)
    c.router = router("router" .. i)
    link(c.sender, box, { delay = "1ms" })
    link(box, c.router, { delay = "1ms" })
    c.wire = link(c.router, c.receiver, { name = c.name, rate = params.rate, delay = params.delay,
        queue = { kind = "codel", ecn = true } })
    if c.bleaches then box:middlebox { clear_ecn = true } end
    c.receiver:spawn(function()
        c.receiver:listen(80):accept():recv_eof()
        c.took = now()
    end)
    c.sender:bulk { to = c.receiver, port = 80, bytes = params.bytes }
end
run("30s")

for _, c in ipairs(cases) do
    c.lost = #c.wire:packets { from = c.router, fate = "lost" }
    c.marks = c.receiver:counter("InCEPkts")
    c.again = c.sender:counter("TcpRetransSegs")
    c.said = #c.wire:packets { from = c.router, match = { flags = "cwr" } }
    result(c.name, { lost = c.lost, marks = c.marks, retransmitted = c.again, took = c.took })
    say("%-8s %2d lost, %2d marked, %2d sent again, \"I slowed down\" %d times; %s for %.1f MB.", c.name, c.lost, c.marks,
        c.again, c.said, time_text(c.took), params.bytes / 1e6)
end
local dropped, marked, bleached = table.unpack(cases)
expect(dropped.lost):above(3)
expect(dropped.again):at_least(dropped.lost)
expect(dropped.marks):equals(0)
expect(marked.lost):equals(0)
expect(marked.again):equals(0)
expect(marked.marks):above(3)
expect(marked.said):above(3)
expect(bleached.marks):equals(0) -- not ECN-capable, as far as the queue can see
expect(bleached.lost):above(3)
