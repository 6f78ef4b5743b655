-- A full queue one hop on loses a packet, and the sender finds out by what does
-- not come back. A full queue on the sender's own host refuses the packet, and
-- says so in the same call: nothing was sent, so nothing has to be repaired.

scenario {
    title = "The host's own queue is full",
    about = "The same short queue on the sender and one hop on: what the sender learns, and when.",
    params = {
        packets = { 20, about = "room of the queue" },
        rate = { "10Mbit", about = "of the narrow place" },
        bytes = "2MB",
    },
}

-- The narrow link is the client's own, or that of the router behind it.
local function upload(is_own)
    -- Small queues (tcp_limit_output_bytes) would never fill it: for one connection they are off here.
    local client = host("client", "10.0.0.1", { sysctl = { tcp_limit_output_bytes = 4294967295 } })
    local server, hop = host("server", "10.0.1.1"), router("hop")
    local narrow, wide = { rate = params.rate, delay = "10ms", queue = params.packets }, { rate = "1Gbit", delay = "10ms" }
    link(client, hop, is_own and narrow or wide)
    local second = link(hop, server, is_own and wide or narrow)
    if is_own then client:send_queue { packets = params.packets } end
    local began, took, problem
    server:spawn(function()
        local conn = server:listen(80):accept()
        conn:recv_eof()
        took = now() - began
        conn:close()
    end)
    client:spawn(function()
        local conn
        conn, problem = client:connect(server, 80)
        if not conn then return end
        began = now()
        conn:send(params.bytes)
        conn:close()
    end)
    run("60s")
    expect(took):exists()
    local outcome = took and ("%.2f s until the server had all of it"):format(took)
        or "no upload: " .. (problem or "it took more than 60 s")
    return client, outcome, second
end

local repaired

world("one hop on", function()
    local client, outcome, second = upload(false)
    repaired = client:counter("TcpRetransSegs")
    expect(repaired):above(0)
    expect(#second:packets { fate = "lost" }):equals(repaired)
    say("One hop on, the full queue lost %d packets, each sent a second time; %s.", repaired, outcome)
end)

world("on the host", function()
    local client, outcome = upload(true)
    expect(client:counter("TcpRetransSegs")):equals(0)
    expect(client:counter("TCPTimeouts")):equals(0)
    expect(client:peak("send_queue")):at_most(params.packets)
    say("On the host itself, %d segments were sent twice: TCP keeps what is refused, and slows down; %s.",
        client:counter("TcpRetransSegs"), outcome)
end)
