-- A stateful firewall lets in what belongs to a conversation that the inside began,
-- as long as it remembers it. After some minutes of silence it forgets, and both ends
-- still believe in a connection that nothing can cross any more. That is why programs
-- send keepalives more often than the two hours of tcp_keepalive_time.

scenario {
    title = "The firewall forgets",
    about = "Why keepalive exists: an idle connection dies between two healthy hosts.",
    params = {
        forgets = { "5min", about = "after so much silence" },
        silence = { "20min", about = "between two requests" },
        keepalive = { "0s", about = "set by each world: TCP_KEEPIDLE" },
        rejects = { false, about = "the firewall answers RST instead of silence" },
    },
}

local function try()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.9.1")
    local wall = router("firewall")
    local inside = link(client, wall, { delay = "1ms" })
    link(wall, server, { delay = "19ms" })
    wall:firewall { inside = inside, idle = params.forgets, rejects = params.rejects }
    server:spawn(function()
        local conn = server:listen(80):accept()
        while true do
            local request = conn:recv()
            if request == nil or request == "" then return end
            conn:send("answer")
        end
    end)
    local options = params.keepalive > 0 and { SO_KEEPALIVE = true, TCP_KEEPIDLE = params.keepalive } or {}
    local conn = client:connect(server, 80, { options = options })
    conn:send("first")
    expect(conn:recv()):equals("answer")
    sleep(params.silence)
    local asked = now()
    conn:send("second")
    local answer, problem = conn:recv()
    return { answer = answer, problem = problem, took = now() - asked, probes = client:counter("TCPKeepAlive"),
        tries = #client:packets { from = client, match = "data", after = asked }, server = server:count("ESTABLISHED") }
end

world("silent", function()
    local w = try()
    expect(w.answer):is_nil()
    expect(w.problem):equals("ETIMEDOUT")
    expect(w.took):above("10min")
    expect(w.server):equals(1) -- the other end has no idea
    say("Silence of %s: the second request went into the void %d times; ETIMEDOUT after %s.", time_text(params.silence),
        w.tries, time_text(math.floor(w.took)))
end)

world("kept alive", { keepalive = "4min" }, function()
    local w = try()
    expect(w.answer):equals("answer")
    expect(w.took):below("50ms")
    expect(w.probes):equals(math.floor(params.silence / 240.04))
    say("With TCP_KEEPIDLE of 4 min %d probes kept the firewall's memory fresh: answered in %s.", w.probes,
        time_text(w.took))
end)

world("rejected", { rejects = true }, function()
    local w = try()
    expect(w.problem):equals("ECONNRESET")
    expect(w.took):below("50ms")
    say("A firewall that says RST instead of nothing: ECONNRESET after %s.", time_text(w.took))
end)
