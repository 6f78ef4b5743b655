-- An attacker who sees nothing wants to break connections. He knows the
-- server, its port, and his victims' address; their ports and sequence numbers
-- he does not know. Each RST is a guess at both. How much of the crowd he hits
-- hangs on how much of the guess is looked at.
--
--   halfopen run scenarios/rst_injection.lua --set rsts=1000000

scenario {
    title = "Blind resets against a crowd",
    about = "What keeps connections from an off-path attacker: ports, the window, and RFC 5961.",
    params = {
        victims = { 200, about = "connections, open and idle" },
        rsts = { 100000, about = "RSTs in the victims' name" },
        rfc5961 = { 1, about = "set by each world: 0 takes any RST in the window, as RFC 793 did" },
        checks = { true, about = "set by each world: whether an RST's number is looked at" },
    },
}

local function attacked()
    local attacker, crowd, middle = host("attacker", "10.0.1.1"), host("crowd", "10.0.2.1"), router("middle")
    local server = host("server", "10.0.3.1",
        { sysctl = { rfc5961 = params.rfc5961, ["counterfactual.no_rst_check"] = not params.checks } })
    link(attacker, middle, { delay = "5ms" })
    link(crowd, middle, { delay = "5ms" })
    link(middle, server, { delay = "5ms" })
    server:serve { port = 80, backlog = 1024, request = 100 }
    crowd:crowd { to = server, port = 80, rate = 1000, count = params.victims, poisson = false, stays_idle = true }
    run("1s")
    expect(server:count("ESTABLISHED")):equals(params.victims)

    -- Random source ports; sequence numbers that walk through all of them in steps of their own.
    attacker:flood { kind = "rst", to = server, port = 80, rate = 50000, count = params.rsts, spoof = "10.0.2.1/32",
        first_seq = 12345, step = 0x9e3779b9 }
    run(params.rsts / 50000 + 1)
    return params.victims - server:count("ESTABLISHED"), server
end

-- The same port is hit again and again: of n guesses at one of 64512 ports, this share of the victims is named.
local named = 1 - (1 - 1 / 64512) ^ params.rsts

for _, profile in ipairs { "linux", "rfc" } do
    world(profile, { profile = profile }, function()
        local hit, server = attacked()
        expect(hit):equals(0)
        expect(server:counter("TCPChallengeACK")):at_most(2) -- hardly one was even in a window
        say("%s: %d RSTs, %d of %d connections broken.", profile, params.rsts, hit, params.victims)
    end)
end

world("without RFC 5961", { rfc5961 = 0 }, function()
    local hit = attacked()
    expect(hit):at_most(2) -- port and window together are still a guess of one in 10^9
    say("Without RFC 5961: any RST in the window counts, %d of %d broken: both port and number have to be guessed.", hit,
        params.victims)
end)

world("no number is looked at", { checks = false }, function()
    local hit, server = attacked()
    expect(hit):near(named * params.victims, 0.1 * params.victims)
    expect(server:counter("EstabResets")):equals(hit)
    say("If no number is looked at: %d of %d broken, all whose port was named.", hit, params.victims)
end)
