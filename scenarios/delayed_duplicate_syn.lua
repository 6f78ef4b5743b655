-- An old SYN comes back. The network copied the SYN of a connection that has
-- long been closed, and delivers the copy now. What does the server make of it?
--
-- Three worlds, side by side:
--   three-way   as TCP is: the server's SYN-ACK meets a client that knows of
--               nothing and answers RST. That RST is lost; the server, still
--               half-open, asks again, and the second RST ends it
--   two-way     if the SYN alone were enough: the server has a connection that
--               nobody opened, has nothing to ask, and keeps it
--   in its way  as TCP is, but the client is opening the same connection anew
--               when the old SYN arrives first (RFC 9293, figure 9)

scenario {
    title = "A delayed duplicate SYN",
    about = "Why two segments are not enough to open a connection.",
    params = {
        delay = { "20ms", about = "of the link, one way" },
        late = { "5min", about = "by how much the copy is late; longer than any TIME-WAIT" },
    },
}

local function build(sysctl)
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = sysctl })
    return client, server, link(client, server, { delay = params.delay })
end

-- Serves until the peer closes, each connection in a process of its own.
local function serve(server)
    server:spawn(function()
        local listener = server:listen(80)
        while true do
            local conn = listener:accept()
            server:spawn(function()
                conn:recv_eof()
                conn:close()
            end)
        end
    end)
end

-- A connection lives and ends; then the copy of its SYN arrives.
local function stale_syn(sysctl)
    local client, server, wire = build(sysctl)
    local old_syn = wire:copy { from = client, match = "syn", nth = 1 }

    serve(server)
    client:spawn(function()
        local conn = client:connect(server, 80, { port = 40000 })
        conn:send("hello")
        conn:close()
    end)
    at(params.late, function() old_syn:inject() end)
    wire:drop { from = client, match = "rst", nth = 1 }
    run(params.late + 60)
    return client, server, wire
end

world("three-way", function()
    local client, server, wire = stale_syn()
    local stale = server:connections()[2]

    expect(wire:packets { from = client, match = "rst" }):count(2) -- one lost, one for the SYN-ACK asked again
    expect(stale):passed_only("LISTEN", "SYN_RECEIVED", "CLOSED")
    expect(stale:spent("SYN_RECEIVED")):near(1 + 2 * params.delay, "10ms")
    expect(server:count("ESTABLISHED")):equals(0)
    say("Three-way: the stale SYN cost the server a half-open connection for %s; no program ever saw it.",
        time_text(stale:spent("SYN_RECEIVED")))
end)

world("two-way", function()
    local _, server, wire = stale_syn { ["counterfactual.two_way_handshake"] = true }
    local stale = server:connections()[2]

    expect(stale):is_in("ESTABLISHED")
    expect(stale:entered("ESTABLISHED")):near(params.late + params.delay, "1ms")
    expect(wire:packets { from = server, after = params.late + 1 }):none() -- it does not even ask
    expect(server:count("ESTABLISHED")):equals(1)
    say("Two-way: the server accepted a connection that nobody opened, and after %s still serves it.",
        time_text(now() - stale:entered("ESTABLISHED")))
end)

world("in its way", function()
    local client, server, wire = build()
    local conn, took

    serve(server)
    -- The old SYN is as the client's own, but of numbers long past; the new
    -- one is held up so that it comes second.
    wire:delay { from = client, match = "syn", nth = 1, by = 3 * params.delay }
    wire:inject { to = server, flags = "syn", sport = 40000, dport = 80, raw_seq = 1000, mss = 1460 }
    client:spawn(function()
        conn = client:connect(server, 80, { port = 40000 })
        took = now()
    end)
    run("10s")

    local rst = wire:packets { from = client, match = "rst" }:first()
    expect(rst and rst.raw_seq):equals(1001) -- the number that the SYN-ACK acknowledged
    expect(conn):is_in("ESTABLISHED")
    expect(took):below("1s") -- neither profile waits for the retransmission timer
    say("In its way: the client refused the answer to the old SYN with RST and was connected after %s.",
        time_text(took))
end)
