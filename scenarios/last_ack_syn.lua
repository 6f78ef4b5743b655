-- The server waits in LAST-ACK for an ACK that was lost, and its client, which
-- kept no TIME-WAIT, calls again from the same port. "The server answers RST and
-- the open fails", it is said. It answers with an ACK of the old connection; the
-- client's RST frees it; and the SYN, sent again at once, gets its SYN-ACK.

scenario {
    title = "A SYN meets LAST-ACK",
    about = "CLAIMS 42: the new connection comes about all the same.",
    params = { delay = "10ms" },
}

local function meets()
    local client = host("client", "10.0.0.1", { sysctl = { ["counterfactual.no_time_wait"] = true } })
    local server = host("server", "10.0.0.2")
    local wire = link(client, server, { delay = params.delay })
    server:spawn(function()
        local listener = server:listen(80)
        local conn = listener:accept()
        conn:recv_eof()
        sleep("100ms")
        conn:close()
        listener:accept()
    end)

    local first = client:connect(server, 80, { port = 40000 })
    wire:drop { from = client, after = "server.FIN", nth = 1 } -- what answers it
    wire:drop { from = server, match = "retransmission", before = "5s" }
    first:close()
    sleep("200ms")
    expect(server:count("LAST_ACK")):equals(1)

    local began = now()
    local second, problem = client:connect(server, 80, { port = 40000, reuseaddr = true })
    local took = now() - began
    run("1s")

    expect(second, problem):succeeds()
    local answer = wire:packets { from = server, match = "ack", after = began }:first()
    expect(answer.why):matches("RFC 5961") -- a challenge ACK, of the old connection's numbers
    expect(wire:packets { from = client, match = "rst", after = "200ms" }):count(1)
    expect(wire:packets { from = server, match = "rst" }):none()
    expect(server:connections()[1]):passed("LAST_ACK", "CLOSED")
    expect(server:connections()[2]):passed("SYN_RECEIVED", "ESTABLISHED")
    return took
end

-- How soon the SYN is sent again is where the two part.
world("linux", { profile = "linux" }, function()
    local took = meets()
    expect(took):below("100ms") -- recorded: 55 ms
    say("Linux: SYN, ACK of the old connection, RST, SYN again at once: connected after %s.", time_text(took))
end)

world("rfc", { profile = "rfc" }, function()
    local took = meets()
    expect(took):near(1 + 2 * params.delay, "1ms")
    say("RFC: the same, but the SYN waits for its timer: connected after %s.", time_text(took))
end)
