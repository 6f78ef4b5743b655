-- "TCP is reliable: data always arrives." It arrives, or the sender is told
-- that it did not, after a quarter of an hour of trying.

scenario {
    title = "When TCP gives up",
    about = "CLAIMS 3: tcp_retries2, TCP_USER_TIMEOUT, and a SYN that nobody answers.",
    params = { retries2 = 15, user_timeout = 0 },
}

local function silence(options)
    local client = host("client", "10.0.0.1", { sysctl = { tcp_retries2 = params.retries2 } })
    local server = host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    server:serve { port = 80 }
    local conn = client:connect(server, 80, { options = options })
    sleep("100ms")
    wire:drop {} -- from now on, everything
    local began = now()
    conn:send(1000)
    local _, problem = conn:recv()
    return problem, now() - began, wire:packets { from = client, match = "data" }
end

-- Linux: from 0.2 s on, doubled up to 120 s. The RFC profile: from 1 s, up to 60 s
-- (RFC 6298 §2.5); both count tcp_retries2, in time or in tries.
local expected = {
    linux = { default = { "900s", "1000s" }, five = { "13s", "15s" }, user = { "3s", "3.6s" } },
    rfc = { default = { "700s", "750s" }, five = { "120s", "130s" }, user = { "3s", "5.1s" } },
}
for _, profile in ipairs { "linux", "rfc" } do
    local want = expected[profile]

    world("the default, " .. profile, { profile = profile }, function()
        local problem, took, tries = silence()
        expect(problem):equals("ETIMEDOUT")
        expect(took):between(want.default[1], want.default[2])
        expect(took):above("100s") -- RFC 1122 §4.2.3.5: at least
        expect(tries):count(1 + 1 + params.retries2, 3 + params.retries2) -- first, tail loss probe, retransmissions
        say("Data, %s: %d transmissions, ETIMEDOUT after %s.", profile, #tries, time_text(took))
    end)

    world("tcp_retries2 = 5, " .. profile, { profile = profile, retries2 = 5 }, function()
        local problem, took, tries = silence()
        expect(problem):equals("ETIMEDOUT")
        expect(took):between(want.five[1], want.five[2])
        expect(tries):count(7, 8)
    end)

    world("TCP_USER_TIMEOUT, " .. profile, { profile = profile }, function()
        local problem, took = silence { TCP_USER_TIMEOUT = 3000 }
        expect(problem):equals("ETIMEDOUT")
        expect(took):between(want.user[1], want.user[2])
    end)
end

-- A SYN that nobody answers: RFC 1122 asks for three minutes, Linux gives 131 s.
local function knocking(sysctl)
    local client, server = host("client", "10.0.0.1", { sysctl = sysctl }), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    wire:drop {}
    local began = now()
    local conn, problem = client:connect(server, 80)
    expect(conn, problem):fails("ETIMEDOUT")
    return wire:packets { match = "syn" }, now() - began
end

world("SYNs, linux", { profile = "linux" }, function()
    local syns, took = knocking {}
    expect(syns):sent_at({ 0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 }, "10ms")
    expect(took):near("131s", "10ms")
    say("SYN, linux: %d tries, ETIMEDOUT after %s.", #syns, time_text(took))
end)

world("SYNs, as before Linux 6.5", { profile = "linux" }, function()
    local syns, took = knocking { tcp_syn_linear_timeouts = 0 }
    expect(syns):sent_at({ 0, 1, 3, 7, 15, 31, 63 }, "10ms")
    expect(took):near("127s", "10ms")
end)

world("SYNs, rfc", { profile = "rfc" }, function()
    local syns, took = knocking {}
    expect(syns):sent_at({ 0, 1, 3, 7, 15, 31, 63, 123 }, "10ms")
    expect(took):near("183s", "10ms") -- the last two waits are bounded by 60 s
    say("SYN, rfc: %d tries, ETIMEDOUT after %s.", #syns, time_text(took))
end)
