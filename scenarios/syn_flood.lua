-- A SYN flood: half-open connections from addresses that never answer. The
-- same attack twice, on a server without SYN cookies and on one with.
--
--   halfopen run scenarios/syn_flood.lua
--   halfopen run scenarios/syn_flood.lua --set rate=1000 --set backlog=128

scenario {
    title = "A SYN flood, without and with SYN cookies",
    about = "What fills up, who is refused, and how a cookie makes the queue unnecessary.",
    params = {
        backlog = { 16, about = "of the listener" },
        rate = { 50, about = "spoofed SYNs a second" },
        seconds = { 20, about = "how long the flood lasts" },
        cookies = { 0, about = "tcp_syncookies in each world: set by the scenario" },
    },
}

local function attack()
    local attacker = host("attacker", "10.0.1.1")
    local user = host("user", "10.0.2.1")
    local server = host("server", "10.0.3.1", { sysctl = { tcp_syncookies = params.cookies } })
    local middle = router("router")

    link(attacker, middle, { delay = "5ms" })
    link(user, middle, { delay = "5ms" })
    link(middle, server, { delay = "5ms" })

    server:serve { port = 80, backlog = params.backlog }
    attacker:flood { kind = "syn", to = server, port = 80, rate = params.rate, spoof = "10.77.0.0/16",
        stop = params.seconds }

    -- An honest user arrives when the queue has long been full, and gives up after 3 s.
    local conn, problem, took
    at(params.seconds / 2, function()
        local began = now()
        conn, problem = user:connect(server, 80, { timeout = "3s" })
        took = now() - began
    end)

    run(params.seconds + 5)
    return server, conn, problem, took
end

local function fate_of_user(conn, problem, took)
    if conn then return "; the user was in after " .. time_text(took) end
    return ("; the user gave up after %s: %s"):format(time_text(took), problem)
end

world("without cookies", { cookies = 0 }, function()
    local server, conn, problem, took = attack()

    expect(server:peak("syn_queue", 80)):equals(params.backlog + 1) -- Linux: backlog + 1
    expect(server:counter("TCPReqQFullDrop")):above(params.rate * params.seconds / 2)
    expect(server:counter("SyncookiesSent")):equals(0)
    expect(conn, problem):fails("TIMEOUT")
    say("Without cookies: at most %d half-open connections at once, %d SYNs were dropped%s.", server:peak("syn_queue", 80),
        server:counter("TCPReqQFullDrop"), fate_of_user(conn, problem, took))
end)

world("with cookies", { cookies = 1 }, function()
    local server, conn, problem, took = attack()

    expect(server:peak("syn_queue", 80)):equals(params.backlog + 1)
    expect(server:counter("SyncookiesSent")):equals(server:counter("TCPReqQFullDoCookies"))
    expect(server:counter("SyncookiesRecv")):equals(1) -- the user's
    expect(conn, problem):succeeds()
    expect(took):near("20ms", "1ms") -- one round trip, as if there were no flood
    say("With cookies: at most %d half-open connections at once, %d SYNs were answered from no memory at all%s.",
        server:peak("syn_queue", 80), server:counter("SyncookiesSent"), fate_of_user(conn, problem, took))
end)
