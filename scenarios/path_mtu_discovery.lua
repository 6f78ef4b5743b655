-- Segments leave with DF. A router that can't pass one on says so by ICMP (3, 4)
-- with the MTU of the next link; the sender cuts its segments anew at once and
-- remembers the path for ten minutes.

scenario {
    title = "Path MTU discovery",
    about = "What the ICMP does, how long it is remembered, who must be ignored.",
    params = { middle = { 1000, about = "MTU of the link between the routers" }, bytes = "20kB", forged = 576 },
}

local function net_of()
    local net = require "topology".chain { routers = 2, links = { { delay = "3ms" },
        { delay = "4ms", mtu = params.middle }, { delay = "3ms" } } }
    net.server:serve { port = 80 }
    return net
end

-- Bytes of the largest segment that the client sends now.
local function visit(net)
    local began = now()
    local conn = net.client:connect(net.server, 80)
    conn:send(params.bytes)
    conn:close()
    sleep("2s")
    local largest = 0
    for _, p in ipairs(net.client:packets { from = net.client, match = "data", after = began }) do
        largest = math.max(largest, p.len)
    end
    return largest
end

world("learned and forgotten", function()
    local net = net_of()
    local fits = params.middle - 52 -- 20 + 20 + 12 of timestamps
    expect(visit(net)):equals(1448)
    local first = net.links[2]:packets { from = net.routers[1], match = "data" }
    expect(first:first().len):equals(fits)
    expect(net.links[1]:packets { from = net.routers[1], match = "icmp" }:first().mtu):equals(params.middle)
    expect(net.client:counter("TCPTimeouts")):equals(0)
    expect(visit(net)):equals(fits) -- remembered: a new connection begins with it
    sleep("600s") -- net.ipv4.route.mtu_expires
    expect(visit(net)):equals(1448) -- tries again
    say("1448-byte segments were cut to %d after one ICMP; remembered for ten minutes, then tried anew.", fits)
end)

world("forged", function()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    server:serve { port = 80 }
    local conn = client:connect(server, 80)
    conn:send(1000)
    sleep("100ms")
    local about = wire:packets { from = client, match = "data" }:first() -- long acknowledged
    wire:inject { to = client, proto = "icmp", icmp_type = 3, icmp_code = 4, mtu = params.forged, about = about }
    sleep("100ms")
    expect(client:counter("OutOfWindowIcmps")):equals(1) -- it quotes nothing that is in flight
    expect(conn:info().pmtu):equals(1500)
end)
