-- A server that speaks only when spoken to need not be woken by a handshake.
-- TCP_DEFER_ACCEPT lets the final ACK go unheeded until data comes.

scenario {
    title = "TCP_DEFER_ACCEPT",
    about = "tcp(7): accept() returns with the request, and a silent client occupies no socket.",
    params = {
        delay = { "10ms", about = "one way" },
        thinks = { "500ms", about = "until the client sends its request" },
        defer = { "5s", about = "the option; rounded to a number of SYN-ACKs" },
    },
}

local function two(options)
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = params.delay })
    local t = { client = client, server = server, wire = wire }
    server:spawn(function()
        local theirs = server:listen(80, { options = options }):accept()
        t.accepted, t.unread = now(), theirs:unread()
        theirs:recv()
    end)
    t.conn = client:connect(server, 80)
    t.connected = now()
    return t
end

world("without", function()
    local t = two {}
    run("1s")
    expect(t.accepted):near(t.connected + params.delay, "1ms")
    expect(t.unread):equals(0)
    say("Without: accept() returns after %.0f ms, with nothing to read yet.", t.accepted * 1000)
end)

world("with", function()
    local t = two { TCP_DEFER_ACCEPT = math.floor(params.defer) }
    sleep(params.thinks)
    expect(t.server:count("SYN_RECV")):equals(1) -- the ACK was seen, no socket made
    expect(t.conn:state()):equals("ESTABLISHED")
    t.conn:send("request")
    run("1s")
    expect(t.accepted):near(t.connected + params.thinks + params.delay, "1ms")
    expect(t.unread):equals(7)
    expect(t.wire:packets { from = t.server, match = "syn+ack" }):count(1)
    say("With: after %.0f ms, with the request.", t.accepted * 1000)
end)

world("a client that says nothing", function()
    local t = two { TCP_DEFER_ACCEPT = math.floor(params.defer) }
    run("1min")
    local again = t.wire:packets { from = t.server, match = "syn+ack" }
    -- When the time has passed the SYN-ACK goes again, and the ACK that it draws is taken.
    expect(t.accepted):between(params.defer, 4 * params.defer)
    expect(again):count(2)
    say("A client that says nothing: SYN-ACK again, and accepted all the same, after %.1f s.", t.accepted)
end)
