-- TIME-WAIT can be murdered (RFC 1337). An old duplicate makes it answer with an
-- ACK; the other end, which has forgotten, answers that with RST; and the RST
-- ends the wait long before its time. tcp_rfc1337 = 1 ignores the RST.

scenario {
    title = "TIME-WAIT assassination",
    about = "Beyond the textbooks, RFC 1337: how TIME-WAIT dies early, and what prevents it.",
    params = {
        late = { "20s", about = "when the old segment arrives" },
        rfc1337 = { "default", about = "tcp_rfc1337, set by each world", choices = { "default", "1" } },
    },
}

local function murder()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    if params.rfc1337 ~= "default" then client:sysctl("tcp_rfc1337", tonumber(params.rfc1337)) end
    server:serve { port = 80 }
    -- A copy of the server's FIN that some router kept.
    local fin = wire:copy { from = server, match = "fin", nth = 1 }
    client:connect(server, 80):close()
    after(params.late, function() fin:inject() end)
    run("5min")
    expect(wire:packets { from = server, match = "rst" }):count(1) -- it has forgotten, and says so
    return client:connections()[1]:spent("TIME_WAIT"), client, wire
end

world("linux", { profile = "linux" }, function()
    local waited, client = murder()
    expect(client:sysctl("tcp_rfc1337")):equals(0)
    expect(waited):near(params.late, "100ms")
    say("Linux: an old FIN after %s: TIME-WAIT ACKs it, the server's RST ends the wait after %s instead of 60 s.",
        time_text(params.late), time_text(waited))
end)

-- The wait begins anew with the old FIN, and the RST changes nothing.
local function survives(name)
    local waited, client, wire = murder()
    local whole = client:sysctl("timewait") / 1000
    expect(client:sysctl("tcp_rfc1337")):equals(1)
    expect(waited):near(params.late + whole, "200ms")
    expect(wire:packets { match = "rst", fate = "refused" }):count(1)
    say("%s: the RST is ignored; the wait ends %s after the old FIN.", name, time_text(waited - params.late))
end

world("linux, tcp_rfc1337 = 1", { profile = "linux", rfc1337 = "1" }, function() survives("Linux, tcp_rfc1337 = 1") end)
world("rfc", { profile = "rfc" }, function() survives("By RFC 1337") end)
