-- A mobile network's rate changes many times a second, and its base station has a
-- deep queue for every phone. The link here follows a trace in Mahimahi's format: a
-- line for each millisecond at which one packet of 1504 bytes may leave, repeated
-- after the last. CUBIC fills the queue; BBR follows the rate; CoDel in front of
-- the air interface helps CUBIC.

scenario {
    title = "A link that breathes",
    about = "A rate from a trace: delay and goodput of CUBIC, of BBR, and of CUBIC through CoDel.",
    params = { trace = { "traces/mobile.trace", about = "a file in Mahimahi's format beside the scenario" },
        seconds = 20, depth = { 400, about = "packets that the base station keeps" } },
}

local cases = {
    { name = "cubic", congestion = "cubic", queue = { packets = params.depth } },
    { name = "bbr", congestion = "bbr", queue = { packets = params.depth } },
    { name = "cubic-codel", congestion = "cubic", queue = { kind = "codel", packets = params.depth } },
}
for i, c in ipairs(cases) do
    c.server, c.phone, c.station = host("server" .. i), host("phone" .. i), router("station" .. i)
    link(c.server, c.station, { delay = "15ms" })
    c.air = link(c.station, c.phone, { name = c.name, delay = "10ms", up = { trace = params.trace, queue = c.queue } })
    c.phone:serve { port = 80 }
    c.server:bulk { to = c.phone, port = 80, congestion = c.congestion }
end
run(params.seconds)

for _, c in ipairs(cases) do
    local waits, bytes = {}, 0
    for _, p in ipairs(c.air:packets { from = c.station, match = "data", after = 2, fate = "arrived" }) do
        waits[#waits + 1], bytes = p.arrived_at - p.at - 0.010, bytes + p.ip_len
    end
    table.sort(waits)
    c.mbit, c.median, c.p95 = bytes * 8 / (params.seconds - 2) / 1e6, waits[#waits // 2], waits[#waits * 95 // 100]
    result(c.name, { mbit = c.mbit, median_wait = c.median, p95_wait = c.p95 })
    say("%-12s %.2f Mbit/s; packets wait %6.0f ms (median), %6.0f ms (95 %%)", c.name, c.mbit, 1000 * c.median, 1000 * c.p95)
end
local cubic, bbr, codel = table.unpack(cases)
expect(cubic.p95):above("300ms")
expect(bbr.median):below(cubic.median)
expect(codel.median):below(cubic.median / 3)
expect(codel.mbit):above(0.6 * cubic.mbit)
