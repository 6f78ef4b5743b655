-- The first thing to run:
--
--   halfopen run scenarios/handshake.lua
--   halfopen run scenarios/handshake.lua --why               the rule behind each step
--   halfopen run scenarios/handshake.lua --set delay=100ms   a longer way
--
-- Two hosts, one link. The server waits for a connection, greets, and closes
-- when the client has closed. Read the ladder from top to bottom: the states
-- of both ends stand beside the arrows.

scenario {
    title = "Three segments open a connection",
    about = "connect() returns after the second segment, accept() after the third.",
    params = { delay = "20ms" }, -- one way
}

local client = host("client", "10.0.0.1")
local server = host("server", "10.0.0.2")
local wire = link(client, server, { delay = params.delay })

local connected, accepted -- when the two calls returned

server:spawn(function()
    local listener = server:listen(80)
    local conn = listener:accept()
    accepted = now()
    conn:send("hello")
    conn:recv_eof() -- the client has nothing more to say
    conn:close()
end)

client:spawn(function()
    local conn = client:connect(server, 80)
    connected = now()
    expect(conn:recv()):equals("hello")
    conn:close()
end)

run("2min")

-- Nothing but SYN, SYN-ACK and ACK opened it, in this order.
expect(wire:packets { from = client, match = "syn" }):count(1)
expect(wire:packets { from = server, match = "syn+ack" }):count(1)
expect(connected):near(2 * params.delay, "1ms") -- segment 2 is there
expect(accepted):near(3 * params.delay, "1ms") -- segment 3 is there

-- The client closes first: it is the one that waits in TIME-WAIT.
expect(client:connections()[1]):passed("SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT")
expect(server:connections()[1]):passed("SYN_RECEIVED", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSED")
expect(server:connections()[1]):never_passed("TIME_WAIT")

say("connect() returned after %s, accept() after %s: two and three times the way of %s.",
    time_text(connected), time_text(accepted), time_text(params.delay))
