-- A parking lot: one flow crosses three bottlenecks, at each of which another flow
-- joins for one hop. The long one meets three times the losses and has thrice the
-- round trip: it gets less than half of a link that two share. Queues that know flows
-- (FQ-CoDel) give each its half.

scenario {
    title = "The parking lot",
    about = "A long flow against short ones at three bottlenecks: drop-tail and FQ-CoDel.",
    params = { rate = "5Mbit", hops = 3, seconds = 20, fair = { false, about = "set by each world: FQ-CoDel" } },
}

-- Jain's index: 1 when all have the same, 1/n when one has it all.
local function jain(shares)
    local sum, squares = 0, 0
    for _, x in ipairs(shares) do sum, squares = sum + x, squares + x * x end
    return sum * sum / (#shares * squares)
end

local function play()
    local queue = params.fair and { kind = "fq_codel" } or { packets = 40 }
    local routers, ends, bottlenecks = { router("r1") }, {}, {}
    for i = 1, params.hops do
        routers[i + 1] = router("r" .. i + 1)
        bottlenecks[i] = link(routers[i], routers[i + 1], { name = "hop" .. i, rate = params.rate, delay = "10ms",
            queue = queue })
    end
    local function flow(name, from, to, start)
        local a, b = host(name .. "-from"), host(name .. "-to")
        link(a, routers[from], { delay = "1ms" })
        link(routers[to], b, { delay = "1ms" })
        b:serve { port = 80 }
        a:bulk { to = b, port = 80, start = start }
        ends[#ends + 1] = { host = a, name = name }
    end
    flow("long", 1, params.hops + 1, 0)
    for i = 1, params.hops do flow("short" .. i, i, i + 1, i * 0.2) end
    run(params.seconds)
    local shares = {}
    for i, e in ipairs(ends) do
        local at = i == 1 and bottlenecks[params.hops] or bottlenecks[i - 1]
        shares[i] = at:packets { match = { src = e.host, len = { 1, 1460 } }, after = 5, fate = "arrived" }:sum("ip_len") * 8
            / (params.seconds - 5) / 1e6
    end
    return shares
end

local function tell(what, shares)
    local texts = {}
    for i, x in ipairs(shares) do texts[i] = string.format("%.2f", x) end
    result(what, { mbit = shares, jain = jain(shares) })
    say("%-10s long %s Mbit/s, short %s; Jain's index %.2f", what, texts[1], table.concat(texts, ", ", 2), jain(shares))
end

local tail = world("drop-tail", play)
tell("drop-tail", tail)
local fair = world("FQ-CoDel", { fair = true }, play)
tell("FQ-CoDel", fair)
for i = 2, #tail do
    expect(tail[1]):below(0.8 * tail[i]) -- the long one gets less than any of the short
    expect(tail[1] + tail[i]):above(0.85 * params.rate / 1e6) -- and every link is full
    expect(fair[1]):near(fair[i], "20%")
end
expect(jain(fair)):above(0.98)
expect(jain(tail)):below(0.95)
