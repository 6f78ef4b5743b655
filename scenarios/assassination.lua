-- TIME-WAIT can be murdered (RFC 1337). An old duplicate makes it answer with an
-- ACK; the other end, which has forgotten, answers that with RST; and the RST
-- ends the wait long before its time. tcp_rfc1337 = 1 ignores the RST.

scenario {
    title = "TIME-WAIT assassination",
    about = "RFC 1337: how TIME-WAIT dies early, and what prevents it.",
    params = { late = { "20s", about = "when the old segment arrives" }, rfc1337 = 0 },
}

local function murder()
    local client = host("client", "10.0.0.1", { sysctl = { tcp_rfc1337 = params.rfc1337 } })
    local server = host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    server:serve { port = 80 }
    -- A copy of the server's FIN that some router kept.
    local fin = wire:copy { from = server, match = "fin", nth = 1 }
    client:connect(server, 80):close()
    after(params.late, function() fin:inject() end)
    run("5min")
    return client, server, wire
end

world("as it is", function()
    local client, server, wire = murder()
    expect(wire:packets { from = server, match = "rst" }):count(1)
    local waited = client:connections()[1]:spent("TIME_WAIT")
    expect(waited):near(params.late, "100ms")
    say("An old FIN after %s: TIME-WAIT ACKs it, the server's RST ends the wait after %s instead of 60 s.",
        time_text(params.late), time_text(waited))
end)

world("tcp_rfc1337 = 1", { rfc1337 = 1 }, function()
    local client = murder()
    local waited = client:connections()[1]:spent("TIME_WAIT")
    expect(waited):near(params.late + 60, "200ms") -- the old FIN began it anew
    say("tcp_rfc1337 = 1: the RST is ignored; the wait ends %s after the old FIN.", time_text(waited - params.late))
end)
