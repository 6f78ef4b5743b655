-- A token bucket lets through what finds tokens: one a byte, which come at a rate
-- and pile up to a burst. A shaper lets the rest wait for theirs; a policer throws
-- it away. Both promise the same rate. TCP pays for it in delay or in losses, and how
-- much of the rate it gets from a policer depends on the burst that it forgives.

scenario {
    title = "Shaper and policer",
    about = "The same rate three times: what has no token waits, or dies.",
    params = {
        rate = "4Mbit",
        burst = { "30kB", about = "tokens that pile up" },
        small = { "4500", about = "the third bucket's: three packets" },
        line = { "100Mbit", about = "how fast the line itself is" },
        seconds = 10,
    },
}

local cases = {
    { name = "shaped", burst = params.burst, polices = false },
    { name = "policed", burst = params.burst, polices = true },
    { name = "policed-hard", burst = params.small, polices = true },
}
for i, c in ipairs(cases) do
    c.sender = host("sender" .. i, "10.0." .. i .. ".1")
    c.receiver = host("receiver" .. i, "10.1." .. i .. ".1")
    c.router = router("router" .. i)
    link(c.sender, c.router, { delay = "1ms" })
    c.wire = link(c.router, c.receiver, { name = c.name, rate = params.line, delay = "19ms", up = {
        queue = { kind = "tbf", rate = params.rate, burst = c.burst, polices = c.polices, packets = 100 } } })
    c.receiver:serve { port = 80 }
    c.sender:bulk { to = c.receiver, port = 80 }
end
run(params.seconds)

for _, c in ipairs(cases) do
    local function sent(fate) return c.wire:packets { from = c.router, match = "data", fate = fate } end
    local through = sent("arrived")
    local slowest = 0
    for _, p in ipairs(through) do slowest = math.max(slowest, p.arrived_at - p.at - 0.019) end
    c.mbit = through:sum("ip_len") * 8 / params.seconds / 1e6
    c.lost, c.wait = #sent("lost"), slowest
    c.share = 100 * c.lost / (c.lost + #through)
    c.first_loss = (sent("lost"):first() or {}).at
    result(c.name, { mbit = c.mbit, lost = c.lost, longest_wait = c.wait })
    say("%-12s %.2f Mbit/s, %3d packets lost (%.1f %%), the longest wait %s.", c.name, c.mbit, c.lost, c.share,
        time_text(c.wait))
end
local shaped, policed, hard = table.unpack(cases)
expect(shaped.mbit):above(0.95 * params.rate / 1e6)
expect(shaped.wait):above("100ms") -- a queue of 100 packets
expect(policed.wait):below("5ms") -- no queue at all
expect(policed.lost):above(5 * shaped.lost)
expect(hard.mbit):below(0.8 * policed.mbit) -- TCP sends in bursts, and this bucket takes none
for _, c in ipairs(cases) do -- nobody gets more than the rate, and the burst once
    expect(c.mbit * 1e6 * params.seconds):at_most(params.rate * params.seconds + 8 * c.burst)
end
