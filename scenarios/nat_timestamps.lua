-- Two clients behind one NAT look like one address to the server, but have a
-- clock each. "Unsynchronised clocks make the peer refuse", it is said. They do
-- not: a timestamp is compared with earlier ones of the same connection. The
-- saying comes from tcp_tw_recycle, which compared by address, and was
-- removed from Linux in 4.12 for just this.

scenario {
    title = "Timestamps behind a NAT",
    about = "CLAIM 49: whose clock a timestamp is compared with.",
    params = {
        visits = { 10, about = "of each client, in turn" },
        by_address = { false, about = "set by each world: TS.Recent by address" },
    },
}

local function visited()
    -- tcp_timestamps = 2: the plain clock. That of the one ticks four times as fast.
    local fast = host("fast", "192.168.0.2", { sysctl = { tcp_timestamps = 2, ts_clock_hz = 1000 } })
    local slow = host("slow", "192.168.0.3", { sysctl = { tcp_timestamps = 2, ts_clock_hz = 250 } })
    local gate = router("gate", { "192.168.0.1", "192.168.0.1", "198.51.100.1" })
    local server = host("server", "203.0.113.1", { sysctl = { ["counterfactual.paws_by_address"] = params.by_address } })
    link(fast, gate, { delay = "1ms" })
    link(slow, gate, { delay = "1ms" })
    local outside = link(gate, server, { delay = "10ms" })
    gate:nat { outside = outside }
    server:serve { port = 80, request = 100, response = 100, closes_first = true } -- its side waits in TIME-WAIT
    run("10s") -- so that the clocks are apart

    local served = { fast = 0, slow = 0 }
    for _ = 1, params.visits do
        for _, client in ipairs { fast, slow } do
            local conn = client:connect(server, 80, { timeout = "500ms" })
            if conn then
                conn:send(100)
                conn:recv_eof()
                conn:close()
                served[client:name()] = served[client:name()] + 1
            end
        end
    end
    return served, server, outside
end

local function clocks(outside)
    local least, most = math.huge, 0
    for _, p in ipairs(outside:packets { match = "syn" }) do
        least, most = math.min(least, p.tsval), math.max(most, p.tsval)
    end
    return least, most
end

world("by connection", function()
    local served, server, outside = visited()
    local least, most = clocks(outside)
    expect(most - least):above(1000) -- clocks that do not agree, from one address
    expect(served):equals { fast = params.visits, slow = params.visits }
    expect(server:counter("PAWSPassive")):equals(0)
    expect(server:counter("PAWSEstab")):equals(0)
    say("By connection: SYNs of one address with timestamps from %d to %d, all %d connections served.", least, most,
        2 * params.visits)
end)

world("by address", { by_address = true }, function()
    local served, server = visited()
    expect(served.fast):equals(params.visits)
    expect(served.slow):equals(0)
    expect(server:counter("PAWSPassive")):at_least(params.visits)
    say("By address, as tcp_tw_recycle did: %d of %d of the slow clock's connections served, %d SYNs dropped without a word.",
        served.slow, params.visits, server:counter("PAWSPassive"))
end)
