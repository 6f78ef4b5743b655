-- What a route knows of the path behind it, as `ip route change ... initcwnd 30`
-- says it. One client, two servers behind the same router; the route to the far one
-- is told that its path is long and wide, the other keeps what everybody gets.

scenario {
    title = "A route that knows its path",
    about = "initcwnd, initrwnd, rto_min, mtu lock, advmss and quickack, set for one destination alone.",
    params = {
        initcwnd = { 30, about = "segments of the first burst" },
        bytes = { "35kB", about = "that each server sends" },
        rtt = "100ms",
    },
}

local client, router = host("client", "10.0.0.1"), router("router")
local told, plain = host("told", "10.0.1.1"), host("plain", "10.0.2.1")
link(client, router, { delay = "0ms" })
local ways = {
    told = link(router, told, { delay = params.rtt / 2 }),
    plain = link(router, plain, { delay = params.rtt / 2 }),
}

-- One server's route back, and the client's route there. Nothing else is set anywhere.
told:route("10.0.0.0/24", { via = "10.0.1.2", initcwnd = params.initcwnd, rto_min = "50ms" })
client:route("10.0.1.0/24", { via = "10.0.0.2", initrwnd = 40, advmss = 1200, ["mtu lock"] = 1300, quickack = true })

local took, rto = {}, {}
for _, server in ipairs { told, plain } do
    server:spawn(function()
        local conn = server:listen(80):accept()
        conn:recv(1)
        conn:send(params.bytes)
        for _ = 1, 10 do -- ten round trips without any variance
            sleep(2 * params.rtt)
            conn:send(".")
        end
        rto[server:name()] = conn:info().rto
        conn:close()
    end)
    client:spawn(function()
        local conn = client:connect(server, 80)
        local asked = now()
        conn:send("?")
        local left = params.bytes
        while left > 0 do left = left - #conn:recv(left) end
        took[server:name()] = now() - asked
        conn:recv_eof()
        conn:close()
    end)
end

run("10s")

local function first_burst(server)
    local data = ways[server:name()]:packets { from = server, match = "data" }
    local n, bytes = 0, 0
    for _, p in ipairs(data) do
        if p.at < data:first().at + params.rtt / 2 then
            n = n + 1
            bytes = bytes + p.len
        end
    end
    return n, data:first().len, bytes
end

local function syn_to(server)
    return ways[server:name()]:packets { from = router, match = "syn" }:first()
end

expect(first_burst(plain)):equals(10)
expect((first_burst(told))):equals(math.min(params.initcwnd, math.ceil(params.bytes / 1188)))
expect(syn_to(told).mss):equals(1200)
expect(syn_to(plain).mss):equals(1460)
expect(syn_to(told).win):equals(40 * 1200)
expect(syn_to(told).df):equals(false) -- "lock": path MTU discovery is off for this way
expect(syn_to(plain).df):equals(true)
expect(rto.told):below(rto.plain - 0.1) -- 50 ms over the round trip, not 200
expect(took.told):below(took.plain - params.rtt / 2)
say("%d bytes from the server whose route allows %d segments at once: %.0f ms; from the other: %.0f ms.", params.bytes,
    params.initcwnd, took.told * 1000, took.plain * 1000)
