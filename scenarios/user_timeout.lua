-- How long may a connection be silent before it is given up? TCP_USER_TIMEOUT says it
-- in milliseconds, for data, for probes of a closed window and for keepalive alike.

scenario {
    title = "TCP_USER_TIMEOUT",
    about = "RFC 5482: one limit in place of tcp_retries2, of window probes for ever, and of TCP_KEEPCNT.",
    params = {
        delay = { "10ms", about = "one way" },
        timeout = { "5s", about = "the option" },
    },
}

local function connected(options, sysctl)
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = sysctl })
    local wire = link(client, server, { rate = "10Mbit", delay = params.delay })
    server:spawn(function() server:listen(80):accept() end) -- and never reads
    options.TCP_USER_TIMEOUT = math.floor(params.timeout * 1000)
    local conn = client:connect(server, 80, { options = options })
    sleep("100ms")
    return conn, wire, client
end

-- How long until the connection fails, and how.
local function until_failure(conn)
    local began = now()
    local _, problem = conn:recv { timeout = "20min" }
    return problem, now() - began
end

world("data", { profile = "linux" }, function()
    local conn, wire, client = connected {}
    wire:drop {}
    conn:send(1000)
    local problem, took = until_failure(conn)
    expect(problem):equals("ETIMEDOUT")
    expect(took):between(params.timeout, params.timeout + 0.5) -- a last retransmission is fitted in
    say("Data that nobody acknowledges: ETIMEDOUT after %.1f s and %d transmissions.", took,
        #wire:packets { from = client, match = "data" })
end)

world("a closed window", { profile = "linux" }, function()
    local conn, wire, client = connected({}, { tcp_rmem = "4096 8192 8192" })
    conn:send(20000)
    local problem, took = until_failure(conn)
    local probes = wire:packets { from = client, match = "ack" }
    expect(problem):equals("ETIMEDOUT") -- although each probe was answered
    expect(took):between(params.timeout, params.timeout + 2)
    expect(wire:packets { from = "server", match = "ack" }:last().at):above(params.timeout / 2)
    say("A window that stays closed, its probes answered: ETIMEDOUT after %.1f s and %d probes.", took, #probes - 2)
end)

world("keepalive", function()
    local conn, wire, client = connected { SO_KEEPALIVE = true, TCP_KEEPIDLE = 2, TCP_KEEPINTVL = 2, TCP_KEEPCNT = 9 }
    wire:drop {}
    local problem, took = until_failure(conn)
    expect(problem):equals("ETIMEDOUT")
    expect(client:counter("TCPKeepAlive")):below(9) -- the time counts, not the probes
    expect(took):between(params.timeout, params.timeout + 2)
    say("A dead peer and keepalive: after %.1f s and %d probes, of nine.", took, client:counter("TCPKeepAlive"))
end)

world("without the option", function()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2", { sysctl = { tcp_rmem = "4096 8192 8192" } })
    link(client, server, { rate = "10Mbit", delay = params.delay })
    server:spawn(function() server:listen(80):accept() end)
    local conn = client:connect(server, 80)
    conn:send(20000)
    expect(conn:recv { timeout = "20min" }):fails("TIMEOUT") -- of the call; the connection lives on
    expect(conn:state()):equals("ESTABLISHED")
    say("Without it a closed window is probed for ever, as long as the peer answers.")
end)
