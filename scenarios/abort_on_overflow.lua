-- The SYNs found room, the final ACKs do not: somebody else filled the accept
-- queue in between. By default the ACK is ignored and the client believes in a
-- connection that the server has not; tcp_abort_on_overflow says RST instead. It
-- never answers a SYN: the textbooks have that wrong.

scenario {
    title = "tcp_abort_on_overflow",
    about = "CLAIMS 27: what it answers, and what it does not.",
    params = { abort = { 0, about = "tcp_abort_on_overflow in each world" } },
}

local function crowded()
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = { tcp_abort_on_overflow = params.abort } })
    local wire = link(client, server, { delay = "10ms" })
    server:listen(80, { backlog = 2 }) -- nobody accepts
    local conns = {}
    for i = 1, 5 do
        client:spawn(function()
            sleep(i <= 2 and i * 0.1 or 0.5) -- two wait already, then three come at once
            conns[i] = client:connect(server, 80)
        end)
    end
    run("900ms")
    return client, server, wire, conns
end

world("ignored", { abort = 0 }, function()
    local client, server, wire, conns = crowded()
    expect(#conns):equals(5) -- each has its SYN-ACK and believes
    expect(client:count("ESTABLISHED")):equals(5)
    expect(server:count("ESTABLISHED")):equals(3)
    expect(server:count("SYN_RECEIVED")):equals(2)
    expect(wire:packets { from = server, match = "rst" }):none()
    -- A new SYN is dropped as well.
    local conn, problem = client:connect(server, 80, { timeout = "500ms" })
    expect(conn, problem):fails("TIMEOUT")
    run("2min") -- SYN-ACKs at 1, 3, 7, 15, 31 s, then the server forgets
    expect(wire:packets { from = server, match = "rst" }):none()
    expect(server:count("SYN_RECEIVED")):equals(0)
    expect(client:count("ESTABLISHED")):equals(5) -- two of them with nobody
    say("0: two final ACKs were ignored; after 63 s the server forgot them, and two clients hold connections with nobody.")
end)

world("reset", { abort = 1 }, function()
    local client, server, wire = crowded()
    expect(wire:packets { from = server, match = "rst" }):count(2)
    expect(client:count("ESTABLISHED")):equals(3)
    -- a new SYN is dropped silently all the same
    local conn, problem = client:connect(server, 80, { timeout = "500ms" })
    expect(conn, problem):fails("TIMEOUT")
    expect(wire:packets { from = server, match = "rst" }):count(2)
    say("1: the two final ACKs got RST; a new SYN was dropped without a word, as ever.")
end)
