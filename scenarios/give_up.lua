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

world("the default", function()
    local problem, took, tries = silence()
    expect(problem):equals("ETIMEDOUT")
    expect(took):between("900s", "1000s")
    expect(tries):count(1 + 1 + params.retries2) -- first, tail loss probe, retransmissions
    say("Data: %d transmissions, ETIMEDOUT after %s.", #tries, time_text(took))
end)

world("tcp_retries2 = 5", { retries2 = 5 }, function()
    local problem, took, tries = silence()
    expect(problem):equals("ETIMEDOUT")
    expect(took):between("13s", "15s")
    expect(tries):count(7)
end)

world("TCP_USER_TIMEOUT", function()
    local problem, took = silence { TCP_USER_TIMEOUT = 3000 }
    expect(problem):equals("ETIMEDOUT")
    expect(took):between("3s", "3.6s")
end)

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

world("SYNs", function()
    local syns, took = knocking {}
    expect(syns):sent_at({ 0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 }, "10ms")
    expect(took):near("131s", "10ms")
    say("SYN: %d tries, ETIMEDOUT after %s.", #syns, time_text(took))
end)

world("SYNs, as before Linux 6.5", function()
    local syns, took = knocking { tcp_syn_linear_timeouts = 0 }
    expect(syns):sent_at({ 0, 1, 3, 7, 15, 31, 63 }, "10ms")
    expect(took):near("127s", "10ms")
end)
