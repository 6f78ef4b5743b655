-- A slow application: nobody calls accept(). The queue of complete connections
-- takes backlog + 1; then Linux drops SYNs (since 4.10) rather than take what it
-- can't keep. The client sees a lost SYN and tries again.

scenario {
    title = "The accept queue overflows",
    about = "CLAIMS 28, 29, 32: what a slow application does to its clients.",
    params = {
        backlog = { 2, about = "of listen()" },
        somaxconn = { 4096, about = "net.core.somaxconn" },
        clients = 6,
        accepts_at = { "4s", about = "when the application wakes up" },
    },
}

local function crowded()
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = { somaxconn = params.somaxconn } })
    local wire = link(client, server, { delay = "10ms" })
    local listener = server:listen(80, { backlog = params.backlog })

    local connected = {}
    for i = 1, params.clients do
        client:spawn(function()
            sleep((i - 1) * 0.06)
            if client:connect(server, 80) then connected[i] = now() end
        end)
    end

    run("900ms") -- before the first retransmission
    local at_once = 0
    for _ in pairs(connected) do at_once = at_once + 1 end
    expect(at_once):equals(math.min(params.backlog, params.somaxconn) + 1)
    expect(server:peak("accept_queue", 80)):equals(at_once)
    expect(server:counter("ListenOverflows")):equals(params.clients - at_once)
    expect(server:counter("ListenDrops")):equals(server:counter("ListenOverflows"))
    expect(wire:packets { from = server, match = "rst" }):none() -- dropped without a word

    server:spawn(function()
        sleep(params.accepts_at - now())
        while listener:accept() do end
    end)
    run("20s")

    local latest = 0
    for i = 1, params.clients do
        expect(connected[i]):as("client " .. i .. " gets in"):exists()
        latest = math.max(latest, connected[i] or 0)
    end
    expect(latest):above(params.accepts_at)
    return at_once, latest
end

-- Linux repeats a SYN after 1, 2, 3, 4 s (tcp_syn_linear_timeouts), by RFC 6298 after 1, 3, 7 s.
for _, profile in ipairs { "linux", "rfc" } do
    world(profile, { profile = profile }, function()
        local at_once, latest = crowded()
        say("%s: %d of %d got in at once; the others sent their SYNs again until accept() made room, the last was in after %s.",
            profile, at_once, params.clients, time_text(latest))
    end)
end

-- The program asks for much, the host allows little.
world("somaxconn 1", { backlog = 1000, somaxconn = 1 }, function()
    local at_once = crowded()
    say("listen(1000) with somaxconn 1: %d got in at once, as with listen(1).", at_once)
end)
