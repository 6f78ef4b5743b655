-- Fragments wait for each other in the receiver's memory. An attacker sends first
-- fragments whose fellows never come: ipfrag_high_thresh bounds what they may hold
-- (4 MiB), and while it is full every fragment is refused, the honest ones too. What
-- is not cut into fragments does not notice.

scenario {
    title = "A flood of fragments",
    about = "ipfrag_high_thresh: what a reassembly that waits can be made to hold, and who pays.",
    params = {
        rate = { 250, about = "forged fragments a second" },
        from = "5s", to = "15s",
        thresh = { "256KiB", about = "net.ipv4.ipfrag_high_thresh" },
        patience = { 10, about = "net.ipv4.ipfrag_time, seconds" },
    },
}

local attacker, client = host("attacker", "10.0.1.1"), host("client", "10.0.2.1")
local server = host("server", "10.0.9.1", { sysctl = { ipfrag_high_thresh = params.thresh, ipfrag_time = params.patience } })
local middle = router("middle")
link(attacker, middle, { delay = "5ms" })
link(client, middle, { delay = "5ms" })
link(middle, server, { delay = "5ms" })

-- Large datagrams, ten a second, and a TCP connection with a request a second.
local sink = server:udp_sink(53)
client:udp_flow { to = server, port = 53, rate = "320kbit", bytes = 4000, stop = "40s" }
server:spawn(function()
    local conn = server:listen(80):accept()
    while conn:recv() ~= "" do conn:send("answer") end
end)
local slowest = 0
client:spawn(function()
    local conn = client:connect(server, 80)
    for _ = 1, 38 do
        local asked = now()
        conn:send("request")
        conn:recv()
        slowest = math.max(slowest, now() - asked)
        sleep("1s")
    end
    conn:close()
end)

-- The flood: each names another datagram, from another address.
local n = 0
at(params.from, function()
    every(1 / params.rate, function()
        n = n + 1
        attacker:send_raw { src = "10.7." .. n // 250 % 250 .. "." .. n % 250 + 1, dst = server, proto = "udp", ip_id = n,
            mf = true, len = 1400 }
    end, (params.to - params.from) * params.rate)
end)

local arrived, before = {}, 0
every("1s", function(i)
    arrived[i] = sink:counts().datagrams - before
    before = sink:counts().datagrams
end, 40)
run("41s")

local function mean(from, to)
    local sum = 0
    for i = from, to do sum = sum + arrived[i] end
    return sum / (to - from + 1)
end
local peak = server:peak("fragments")
expect(mean(1, 5)):above(9)
expect(mean(8, 15)):as("under the flood hardly a large datagram gets through"):below(2)
expect(mean(30, 38)):as("ipfrag_time after the flood all is well"):above(9)
expect(slowest):as("TCP never noticed"):below("50ms")
expect(peak):between(50, 400)
expect(server:counter("ReasmFails")):above(500)
say("%d forged fragments filled %d KiB with %d datagrams that never end (%.0f bytes each).", n, params.thresh // 1024, peak,
    params.thresh / peak)
say("Datagrams of 4000 bytes a second: %.1f before, %.1f during, %.1f afterwards; TCP answered within %s all along.",
    mean(1, 5), mean(8, 15), mean(30, 38), time_text(slowest))
