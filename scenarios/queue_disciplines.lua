-- Bufferbloat, and four queues against it. The same traffic through the same
-- bottleneck four times side by side: two bulk TCPs that fill whatever queue
-- there is, and a voice call of one small packet each 20 ms that has to wait
-- behind them. The picture `sojourn` shows how long packets waited in each queue.

scenario {
    title = "Four queues: drop-tail, RED, CoDel, FQ-CoDel",
    about = "Bufferbloat: the delay of a full buffer, and what active queue management makes of it (RFC 8289, 8290).",
    params = {
        rate = { "5Mbit", about = "of the bottleneck" },
        buffer = { 250, about = "packets: 600 ms at 5 Mbit/s" },
        seconds = 12,
        ecn = { false, about = "mark instead of drop" },
    },
}

local kinds = {
    { name = "droptail", queue = { kind = "fifo", packets = params.buffer } },
    { name = "red", queue = { kind = "red", packets = params.buffer, min = "15kB", max = "45kB", probability = "10%",
        ecn = params.ecn } },
    { name = "codel", queue = { kind = "codel", packets = params.buffer, ecn = params.ecn } },
    { name = "fq_codel", queue = { kind = "fq_codel", packets = params.buffer, ecn = params.ecn } },
}

for i, k in ipairs(kinds) do
    local sysctl = { tcp_ecn = params.ecn and 1 or 2 }
    local senders, receivers = host("from_" .. k.name, { sysctl = sysctl }), host("to_" .. k.name, { sysctl = sysctl })
    local near, far = router("near" .. i), router("far" .. i)
    link(senders, near, { delay = "1ms" })
    k.wire = link(near, far, { name = k.name, rate = params.rate, delay = "18ms", queue = k.queue })
    link(far, receivers, { delay = "1ms" })
    receivers:serve { port = 80 }
    for n = 1, 2 do senders:bulk { to = receivers, port = 80, start = n * 0.1 } end
    k.sink = receivers:udp_sink(5000)
    senders:udp_flow { to = receivers, port = 5000, rate = "75kbit", bytes = 160, start = "1s" } -- 188 bytes each 20 ms
    k.near = near
end
run(params.seconds)

-- How long a list of packets waited: what they took beyond the way itself.
local function waits(packets)
    local list = {}
    for _, p in ipairs(packets) do
        if p.arrived_at then list[#list + 1] = p.arrived_at - p.at - 0.018 - p.ip_len * 8 / params.rate end
    end
    table.sort(list)
    return list
end

local steady = params.seconds / 3 -- after slow start
for _, k in ipairs(kinds) do
    local tcp = k.wire:packets { from = k.near, match = "data+tcp", after = steady }
    local voice = waits(k.wire:packets { from = k.near, match = "udp", after = steady })
    local bulk = waits(tcp)
    k.median, k.voice = bulk[#bulk // 2 + 1], voice[math.ceil(0.99 * #voice)]
    k.mbit = k.wire:packets { from = k.near, match = "tcp", after = steady, fate = "arrived" }:sum("ip_len") * 8
        / (params.seconds - steady) / 1e6
    result(k.name, { median_wait = k.median, voice_p99 = k.voice, mbit = k.mbit })
    expect(k.mbit):as(k.name .. " keeps the link busy"):above(0.85 * params.rate / 1e6)
    say("%-9s bulk waits %6s (median), voice %6s (99 %%), TCP %.2f Mbit/s", k.name, time_text(k.median),
        time_text(k.voice), k.mbit)
end
local droptail, red, codel, fq = table.unpack(kinds)
expect(droptail.median):as("a full buffer"):above(0.25)
expect(red.median):as("RED keeps its average low"):below(droptail.median / 3)
expect(codel.median):as("CoDel finds its target again and again"):below(0.04)
expect(fq.voice):as("with a queue of its own, voice hardly waits"):below(0.01)
