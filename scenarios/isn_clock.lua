-- Where a connection's first sequence number comes from. RFC 793 reads a clock
-- that ticks every 4 us (not ms, as is often copied) and wraps in 4.77 hours;
-- RFC 6528 adds a keyed hash of the four-tuple; Linux's clock ticks every 64 ns.

scenario {
    title = "The clock behind the ISN",
    about = "CLAIMS 18, 19, 20: how fast it runs, and what the hash adds.",
    params = { apart = { "10s", about = "between two connections" } },
}

-- The raw ISN of connections made `apart` one after the other, by port.
local function numbers(mode, ports)
    local client = host("client", "10.0.0.1", { sysctl = { isn = mode } })
    local server = host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "1ms" })
    for i, port in ipairs(ports) do
        at((i - 1) * params.apart, function()
            client:connect(server, 80, { port = port }) -- refused: the SYN is all we want
        end)
    end
    run(#ports * params.apart)
    local list = {}
    for i, p in ipairs(wire:packets { from = client, match = "syn" }) do list[i] = p.raw_seq end
    return list
end

local function ticks(from, to) return (to - from) % 2 ^ 32 end

-- Same four-tuple: what is left of the difference is the clock.
local clocks = {
    { "Linux", 0, 64e-9, "275s" }, { "RFC 6528", 1, 4e-6, "17180s" }, { "RFC 793", 2, 4e-6, "17180s" }, -- 4.77 h
}
for _, c in ipairs(clocks) do
    world(c[1], function()
        local isn = numbers(c[2], { 40000, 40000, 40000 })
        local tick = params.apart / ticks(isn[1], isn[2])
        expect(tick):near(c[3], "1%")
        expect(params.apart / ticks(isn[2], isn[3])):near(c[3], "1%")
        expect(tick * 2 ^ 32):as("all 2^32"):near(c[4], "1%")
        say("%s: one tick is %.0f ns, all 2^32 take %s.", c[1], tick * 1e9, time_text(math.floor(tick * 2 ^ 32 + 0.5)))
    end)
end

-- Another port: the clock alone gives it away, the hash does not.
world("another port, RFC 793", function()
    local isn = numbers(2, { 40000, 40002 })
    expect(ticks(isn[1], isn[2]) * 4e-6):near(params.apart, "1%") -- who sees one knows the next
end)
for _, mode in ipairs { 0, 1 } do
    world("another port, hashed " .. mode, function()
        local isn = numbers(mode, { 40000, 40002 })
        local tick = mode == 0 and 64e-9 or 4e-6
        local off = (ticks(isn[1], isn[2]) - params.apart / tick) % 2 ^ 32
        expect(off):between(2 ^ 16, 2 ^ 32 - 2 ^ 16) -- the clock does not explain it
    end)
end
