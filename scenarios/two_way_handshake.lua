-- What if two segments were enough? Every duplicate of an old SYN then makes a
-- connection that nobody asked for, and the server waits on it for ever.

scenario {
    title = "A two-way handshake",
    about = "CLAIM 16: each duplicate SYN costs a connection.",
    params = { duplicates = { 20, about = "copies of an old SYN" } },
}

local function duplicates(sysctl)
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = sysctl })
    local wire = link(client, server, { delay = "10ms" })
    server:serve { port = 80 }
    for i = 1, params.duplicates do -- of connections from as many ports, long gone
        wire:inject { to = server, after = i * 0.01, flags = "syn", sport = 50000 + i, dport = 80, raw_seq = 1000 * i,
            mss = 1460 }
    end
    -- The client's kernel knows of nothing and answers RST; three-way needs no more.
    wire:drop { from = client, match = "rst", before = "500ms" } -- those of the first time are lost
    run("1h")
    return server, wire
end

world("three-way", function()
    local server = duplicates()
    expect(server:count("ESTABLISHED")):equals(0)
    expect(server:count("SYN_RECEIVED")):equals(0)
    expect(server:counter("EmbryonicRsts")):equals(params.duplicates)
    say("Three-way: %d old SYNs, none left; the SYN-ACK asked again, the second RST ended it.", params.duplicates)
end)

world("two-way", function()
    local server = duplicates { ["counterfactual.two_way_handshake"] = true }
    expect(server:count("ESTABLISHED")):equals(params.duplicates)
    say("Two-way: after an hour the server still holds %d connections with nobody.", server:count("ESTABLISHED"))
end)
