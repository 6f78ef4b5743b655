-- An old SYN comes back. The network copied the SYN of a connection that has
-- long been closed, and delivers the copy now. What does the server make of it?
--
-- Three worlds, side by side:
--   three-way   as TCP is: the server's SYN-ACK meets a client that knows of
--               nothing; its RST removes the half-open connection
--   two-way     if the SYN alone were enough: the server has a connection that
--               the client never opened, and keeps it
--   in its way  as TCP is, but the client is opening the same connection anew
--               when the old SYN arrives first (RFC 9293, figure 9)

scenario {
    title = "A delayed duplicate SYN",
    about = "Why two segments are not enough to open a connection.",
    params = { delay = "20ms", late = { "5min", about = "by how much the copy is late" } },
}

local function build(sysctl)
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = sysctl })
    return client, server, link(client, server, { delay = params.delay })
end

-- Serves until the peer closes, one connection after the other.
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

local function talk(client)
    local conn = client:connect("10.0.0.2", 80, { port = 40000, reuseaddr = true })
    conn:send("hello")
    conn:close()
end

-- A connection lives and ends; then the copy of its SYN arrives.
local function stale_syn(sysctl)
    local client, server, wire = build(sysctl)
    local old_syn = wire:copy { from = client, match = "syn", nth = 1 }

    serve(server)
    client:spawn(talk, client)
    at(params.late, function() old_syn:inject() end)
    run(params.late + 30)
    return client, server, wire
end

world("three-way", function()
    local client, server, wire = stale_syn()

    expect(wire:packets { from = client, match = "rst", after = params.late }):count(1)
    expect(server:counter("EmbryonicRsts")):equals(1)
    expect(server:count("SYN_RECV")):equals(0)
    expect(server:count("ESTABLISHED")):equals(0)
    say("Three-way: the stale SYN was answered with SYN-ACK, the client's RST ended it %s later.",
        time_text(2 * params.delay))
end)

world("two-way", function()
    local _, server = stale_syn { ["counterfactual.two_way_handshake"] = true }
    local stale = server:connections()[2]

    expect(stale):passed("ESTABLISHED")
    expect(stale:entered("ESTABLISHED")):near(params.late + params.delay, "1ms")
    say("Two-way: the server had accepted a connection that nobody opened.")
end)

world("in its way", function()
    local client, server, wire = build()
    local conn, took

    serve(server)
    -- The old SYN is as the client's own, but of numbers long past; the new
    -- one is held up so that it comes second.
    wire:delay { from = client, match = "syn", nth = 1, by = 3 * params.delay }
    wire:inject { to = server, flags = "syn", sport = 40000, dport = 80, raw_seq = 1000, mss = 1460, after = 0 }
    client:spawn(function()
        local began = now()
        conn = client:connect(server, 80, { port = 40000 })
        took = now() - began
    end)
    run("10s")

    local rst = wire:packets { from = client, match = "rst" }:first()
    expect(rst and rst.raw_seq):equals(1001) -- the number that the SYN-ACK acknowledged
    expect(conn):is_in("ESTABLISHED")
    expect(took):below("1s") -- Linux does not wait for its retransmission timer
    say("In its way: the client refused the answer to the old SYN with RST and was connected after %s.",
        time_text(took))
end)
