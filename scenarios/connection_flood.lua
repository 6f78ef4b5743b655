-- A flood of whole connections: each client asks for a large response and never
-- reads it. Its window closes, it answers every zero-window probe, and so TCP
-- never gives up (RFC 9293 §3.8.6.1 forbids it): the server keeps the bytes for
-- as long as the attacker likes. Closing them does not free them at once either.

scenario {
    title = "A flood of connections that never read",
    about = "CLAIM 29: what a client can make a server hold, and what frees it.",
    params = {
        clients = { 200, about = "that ask and never read" },
        response = { "1MB", about = "what each asks for" },
        timeout = { "30s", about = "of the application, in the worlds that have one" },
        bound = { "0s", about = "set by each world" },
        watched = { "1h", about = "how long we look" },
        max_orphans = { 131072, about = "set by each world: tcp_max_orphans" },
    },
}

-- Bytes that a host keeps for its connections, and how many of them there are.
local function held(server)
    local bytes, n = 0, 0
    for _, row in ipairs(server:sockets()) do
        if row.state ~= "LISTEN" then
            bytes, n = bytes + row.send_q, n + 1
        end
    end
    return bytes, n
end

local function attacked()
    local attacker = host("attacker", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = { tcp_max_orphans = params.max_orphans } })
    link(attacker, server, { rate = "1Gbit", delay = "10ms" })
    server:serve { port = 80, backlog = 1024, request = 100, response = params.response, timeout = params.bound }
    attacker:crowd { to = server, port = 80, rate = 1000, count = params.clients, request = 100,
        response = params.response, never_reads = true }
    run("20s")
    local at_first = held(server)
    return server, at_first
end

world("the application waits", function()
    local server, at_first = attacked()
    expect(server:count("ESTABLISHED")):equals(params.clients)
    expect(at_first):above(params.clients * 100000)
    run(params.watched)
    local bytes, n = held(server)
    expect(n):equals(params.clients)
    expect(bytes):equals(at_first)
    expect(server:counter("TCPWinProbe")):above(params.clients * 20)
    say("Waiting: after %s all %d connections are there and hold %.0f MB; %d zero-window probes were answered.",
        time_text(params.watched), n, bytes / 1e6, server:counter("TCPWinProbe"))
end)

-- close() queues a FIN behind what was not read: an orphan in FIN-WAIT-1. Linux
-- gives it up when its probes would come 120 s apart; the RFC has no such rule.
local function closed(frees)
    local server = attacked()
    run(params.timeout)
    local bytes, n = held(server)
    expect(n):equals(params.clients)
    expect(server:count("FIN_WAIT_1")):equals(params.clients)
    expect(bytes):above(params.clients * 100000)
    run(params.watched)
    expect(server:count("FIN_WAIT_1")):equals(frees and 0 or params.clients)
    expect(server:counter("TCPAbortOnTimeout")):equals(frees and params.clients or 0)
    local longest = 0
    for _, conn in ipairs(server:connections()) do
        if conn.is_passive then longest = math.max(longest, conn:spent("FIN_WAIT_1")) end
    end
    return bytes, longest
end

world("closed after a time, linux", { profile = "linux", bound = params.timeout }, function()
    local bytes, longest = closed(true)
    expect(longest):between("2min", "10min")
    say("Linux, closed after %s: the orphans hold the %.0f MB for %.0f s more, until their probes are 2 min apart.",
        time_text(params.timeout), bytes / 1e6, longest)
end)

world("closed after a time, rfc", { profile = "rfc", bound = params.timeout }, function()
    local bytes = closed(false)
    say("RFC, closed after %s: probes are answered, so the orphans hold %.0f MB for ever.", time_text(params.timeout),
        bytes / 1e6)
end)

world("few orphans allowed", { bound = params.timeout, max_orphans = 16 }, function()
    local server = attacked()
    run(params.timeout)
    local bytes, n = held(server)
    expect(n):at_most(17)
    expect(server:counter("TCPAbortOnMemory")):at_least(params.clients - 17)
    say("tcp_max_orphans = 16: %d were reset at close(), %d are left with %.1f MB.", server:counter("TCPAbortOnMemory"), n,
        bytes / 1e6)
end)
