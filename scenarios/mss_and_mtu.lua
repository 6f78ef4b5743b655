-- Each side announces the MSS that its interface can take: 1500 - 40 = 1460, of
-- which timestamps take 12 in every segment. It is no negotiation: each direction
-- obeys the other's word. And the path between may be narrower than both ends.

scenario {
    title = "MSS and MTU",
    about = "CLAIMS 21, 23: 1460, 1448, and the link in the middle.",
    params = { server_mtu = 600, middle = 1000, bytes = "20kB" },
}

local function transfer(client, server)
    server:spawn(function()
        local conn = server:listen(80):accept()
        conn:recv_eof()
        conn:close()
    end)
    client:spawn(function()
        local conn = client:connect(server, 80)
        conn:send(params.bytes)
        conn:close()
    end)
    run("20s")
    local largest = 0
    for _, p in ipairs(client:packets { from = client, match = "data" }) do largest = math.max(largest, p.len) end
    return largest, client:packets { from = client, match = "syn" }:first().mss
end

for timestamps = 0, 1 do
    world("timestamps " .. timestamps, function()
        local sysctl = { tcp_timestamps = timestamps }
        local client, server = host("client", "10.0.0.1", { sysctl = sysctl }), host("server", "10.0.0.2")
        link(client, server, { delay = "10ms" })
        local largest, mss = transfer(client, server)
        expect(mss):equals(1460)
        expect(largest):equals(timestamps == 1 and 1448 or 1460)
    end)
end

world("a small server", function()
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { mtu = params.server_mtu })
    local wire = link(client, server, { delay = "10ms" })
    local largest = transfer(client, server)
    expect(wire:packets { from = server, match = "syn+ack" }:first().mss):equals(params.server_mtu - 40)
    expect(largest):equals(params.server_mtu - 40 - 12) -- 548
    say("A server with MTU %d announces MSS %d and gets %d bytes a segment.", params.server_mtu, params.server_mtu - 40,
        largest)
end)

world("a narrow middle", function()
    local net = require "topology".chain { routers = 2, links = { { delay = "5ms" }, { delay = "5ms", mtu = params.middle },
        { delay = "5ms" } } }
    local largest, mss = transfer(net.client, net.server)
    expect(mss):equals(1460) -- neither end knows
    expect(largest):equals(1448)
    expect(net.client:packets { to = net.client, match = "icmp" }):all { icmp_type = 3, icmp_code = 4 }
    local last = net.links[2]:packets { from = net.routers[1], match = "data" }
    for _, p in ipairs(last) do expect(p.ip_len):at_most(params.middle) end
    expect(net.client:counter("TCPTimeouts")):equals(0) -- path MTU discovery, not the timer, repaired it
    expect(net.server:counter("ReasmReqds")):equals(0)
    say("A link of %d in the middle: MSS 1460 did not help, ICMP did.", params.middle)
end)
