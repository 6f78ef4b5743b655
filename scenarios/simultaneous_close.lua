-- Both ends close within one trip: the FINs cross, both go through CLOSING, and
-- both wait in TIME-WAIT. "Only the side that closes first has TIME-WAIT" is a
-- half-truth.

scenario {
    title = "Simultaneous close",
    about = "CLAIMS 35: TIME-WAIT at both ends.",
    params = { delay = "10ms", lose_ack = { false, about = "lose one of the two last ACKs" } },
}

local function closing()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = params.delay })
    server:spawn(function()
        local conn = server:listen(80):accept()
        sleep("100ms")
        conn:close()
    end)
    client:spawn(function()
        local conn = client:connect(server, 80)
        sleep("110ms") -- accept() is one delay later than connect()
        conn:close()
    end)
    if params.lose_ack then wire:drop { from = client, match = "ack", after = "server.FIN", nth = 1 } end
    run("10min")

    local wait = client:sysctl("timewait") / 1000
    for _, side in ipairs { client, server } do
        local conn = side:connections()[1]
        expect(conn):passed("FIN_WAIT_1", "CLOSING", "TIME_WAIT", "CLOSED")
        expect(conn:spent("TIME_WAIT")):near(wait, "2s")
    end
    expect(wire:packets { match = "rst" }):none()
    expect(wire:packets { match = "fin" }):count(params.lose_ack and 3 or 2)
    return wait
end

for _, case in ipairs { { "linux", 60 }, { "rfc", 240 } } do
    local profile, length = table.unpack(case)
    world(profile, { profile = profile }, function()
        expect(closing()):equals(length)
        say("%s: both FINs crossed: two CLOSINGs, two TIME-WAITs of %s.", profile, time_text(length))
    end)
end
