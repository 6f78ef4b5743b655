-- If the SYN queue had no bound, nobody would be refused, and the flood would
-- take memory instead. Linux sweeps: an entry in a crowded queue is given up at its
-- third timeout, after 7 s, not after 63.

scenario {
    title = "A SYN queue without bound",
    about = "What the bound is for: the flood's cost in entries.",
    params = { rate = { 200, about = "spoofed SYNs a second" }, seconds = 40, unlimited = false },
}

local function flooded()
    local attacker, user = host("attacker", "10.0.1.1"), host("user", "10.0.2.1")
    local server = host("server", "10.0.3.1",
        { sysctl = { tcp_syncookies = 0, ["counterfactual.unlimited_queue"] = params.unlimited } })
    link(attacker, server, { delay = "5ms" })
    link(user, server, { delay = "5ms" })
    server:route("10.77.0.0/16", { unreachable = true }) -- the SYN-ACKs go nowhere
    server:serve { port = 80, backlog = 128 }
    attacker:flood { to = server, port = 80, rate = params.rate, spoof = "10.77.0.0/16", stop = params.seconds }
    run(params.seconds - 5)
    local conn, problem = user:connect(server, 80, { timeout = "3s" })
    return server:peak("syn_queue", 80), conn, problem
end

world("bounded", function()
    local peak, conn, problem = flooded()
    expect(peak):equals(129)
    expect(conn, problem):fails("TIMEOUT")
    say("Bounded: %d entries, and the user refused.", peak)
end)

world("unlimited", { unlimited = true }, function()
    local peak, conn, problem = flooded()
    expect(conn, problem):succeeds()
    expect(peak):between(7 * params.rate, 9 * params.rate)
    say("Unlimited: the user is in, and %d half-open connections stand beside him: %.0f s of the flood.", peak, peak / params.rate)
end)
