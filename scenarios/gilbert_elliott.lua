-- Losses come in bursts: a radio link fades, a queue overflows. Gilbert (1960) and
-- Elliott (1963) give the link two states, good and bad, and the share of losses is
-- that of the bad one: p / (p + r). The same share of packets lost, one by one and in
-- bursts, is not the same to TCP: it pays for each round trip with a loss, however
-- many packets were lost in it.

scenario {
    title = "One by one, or in bursts",
    about = "Bernoulli against Gilbert-Elliott, at the same mean loss.",
    params = {
        mean = { "2%", about = "share of packets lost, of all four" },
        length = { 8, about = "packets in a burst, on average" },
        seconds = 20,
        rate = "10Mbit",
        delay = "15ms",
    },
}

local r = 1 / params.length
local p = params.mean * r / (1 - params.mean)
local begin = params.mean / (params.length * (1 - params.mean) + params.mean) -- of a burst of fixed length
local cases = {
    { name = "none", loss = 0 },
    { name = "bernoulli", loss = { kind = "random", p = params.mean } },
    { name = "bursts", loss = { kind = "burst", p = begin, burst = params.length } },
    { name = "gilbert", loss = { kind = "gilbert-elliott", p = p, r = r } },
    { name = "gilbert-elliott", loss = { kind = "gilbert-elliott", p = 1.25 * p, r = r, one_minus_h = 0.8 } },
}
for i, c in ipairs(cases) do
    c.from, c.to = host("from" .. i), host("to" .. i)
    c.wire = link(c.from, c.to, { name = c.name, rate = params.rate, delay = params.delay, queue = 60, up = { loss = c.loss } })
    c.to:serve { port = 80 }
    c.bulk = c.from:bulk { to = c.to, port = 80 }
end
run(params.seconds)

for _, c in ipairs(cases) do
    local data = c.wire:packets { from = c.from, match = "data" }
    local lost, bursts, last = 0, 0, nil
    for i, packet in ipairs(data) do
        if packet.fate == "lost" and packet.reason ~= "queue full" then
            lost = lost + 1
            if last ~= i - 1 then bursts = bursts + 1 end
            last = i
        end
    end
    c.share, c.bursts, c.mean = lost / #data, bursts, bursts > 0 and lost / bursts or 0
    c.mbit = c.wire:packets { from = c.from, match = "data", fate = "arrived" }:sum("len") * 8 / params.seconds / 1e6
    c.timeouts = c.from:counter("TCPTimeouts")
    result(c.name, { share = c.share, bursts = bursts, mean_burst = c.mean, mbit = c.mbit, timeouts = c.timeouts })
    say("%-15s %.2f %% lost in %4d bursts of %.1f: %5.2f Mbit/s, %2d timeouts", c.name, 100 * c.share, bursts, c.mean, c.mbit,
        c.timeouts)
end
local none, single, bursts, gilbert, elliott = table.unpack(cases)
expect(single.share):near(params.mean, "25%")
expect(single.mean):below(1.2)
for _, c in ipairs { bursts, gilbert, elliott } do
    expect(c.mean):above(3)
    expect(c.mbit):as(c.name .. ": bursts are cheaper"):above(1.3 * single.mbit)
end
expect(none.mbit):above(0.9 * params.rate / 1e6)
