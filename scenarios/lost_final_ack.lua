-- The client closes first. Its ACK of the server's FIN is the last segment of
-- the conversation, and nobody acknowledges an ACK: when it is lost, only the
-- server's repeated FIN can tell. TIME-WAIT is there to answer it.
--
--   halfopen run scenarios/lost_final_ack.lua
--   halfopen run scenarios/lost_final_ack.lua --set time_wait=0     without it: the FIN meets
--                                                  nobody and gets RST, not a second ACK

scenario {
    title = "The final ACK is lost",
    about = "Why the side that closes first waits 2 MSL.",
    params = {
        delay = { "20ms", about = "of the link, one way" },
        time_wait = { "60s", about = "how long the client waits; 0: not at all" },
    },
}

local waits = params.time_wait > 0

local client = host("client", "10.0.0.1", {
    sysctl = {
        timewait = time_text(params.time_wait),
        ["counterfactual.no_time_wait"] = not waits,
    },
})
local server = host("server", "10.0.0.2")
local wire = link(client, server, { rate = "10Mbit", delay = params.delay })

local last_word -- what the server's socket said at the end

server:spawn(function()
    local listener = server:listen(80)
    local conn = listener:accept()
    conn:recv()
    conn:send("hello")
    conn:recv_eof()
    conn:shutdown("write") -- the server's FIN; the socket stays, to see what becomes of it
    sleep("5s")
    last_word = conn:error()
    conn:close()
end)

client:spawn(function()
    local conn = client:connect(server, 80)
    conn:send("GET")
    conn:recv()
    conn:close()
end)

-- The first ACK that the client sends once the server has sent its FIN.
wire:drop { from = client, match = "ack", after = "server.FIN", nth = 1 }

run("3min")

local fins = wire:packets { from = server, match = "fin" }
local theirs, ours = server:connections()[1], client:connections()[1]

expect(fins):count(2) -- nobody answered the first
expect(theirs):passed("LAST_ACK", "CLOSED") -- in either world the server comes to its end

if waits then
    expect(ours):passed("TIME_WAIT", "CLOSED")
    -- the repeated FIN began the wait anew: it ends so long after that
    local answered = fins[2].at + params.delay
    expect(ours:entered("CLOSED")):near(answered + params.time_wait, "100ms")
    expect(wire:packets { from = client, match = "rst" }):none()
    expect(last_word):is_nil()
    say("The repeated FIN came %s after the first and was answered: both sides ended well.",
        time_text(fins[2].at - fins[1].at))
else
    expect(wire:packets { from = client, match = "rst" }):count(1)
    expect(last_word):equals("ECONNRESET")
    say("Nobody remembered the connection: the repeated FIN was answered with RST, "
        .. "and the server that did nothing wrong reads ECONNRESET.")
end
