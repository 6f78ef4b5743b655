-- MSL is a time, TTL counts hops: each router takes one, and who takes the last
-- reports by ICMP (11, 0). Packets with TTL 1, 2, 3 ... name each router on the
-- way: traceroute.

scenario {
    title = "TTL runs out",
    about = "CLAIM 36: hops, not seconds; and how traceroute works.",
    params = { routers = 4 },
}

world("traceroute", function()
    local net = require "topology".chain { routers = params.routers, link = { delay = "5ms" } }
    net.server:listen(80)
    local hops = {}
    for ttl = 1, params.routers + 1 do
        net.client:send_raw { dst = net.server, sport = 40000 + ttl, dport = 33434, proto = "udp", ttl = ttl, data = "?" }
        run("1s")
        hops[ttl] = net.client:packets { to = net.client, match = "icmp" }:last()
    end
    for ttl = 1, params.routers do
        expect(hops[ttl].icmp_type):equals(11)
        expect(hops[ttl].icmp_code):equals(0)
        expect(hops[ttl].arrived_at - math.floor(hops[ttl].at)):near(2 * ttl * 0.005, "1ms")
    end
    expect(hops[params.routers + 1].icmp_type):equals(3) -- arrived: there is no such port
    expect(hops[params.routers + 1].icmp_code):equals(3)
end)

-- A TCP with too small a TTL learns it in connect().
world("connect", function()
    local net = require "topology".chain { routers = params.routers, host = { sysctl = { ip_default_ttl = params.routers } } }
    net.server:listen(80)
    expect(net.client:connect(net.server, 80)):fails("EHOSTUNREACH")
end)

say("%d routers answered in turn; a SYN with TTL %d died at the last, and connect() failed with EHOSTUNREACH.",
    params.routers, params.routers)
