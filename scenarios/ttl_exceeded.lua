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

say("%d routers answered in turn, each %d ms later than the one before; then the server: there is no such port.",
    params.routers, 10)

-- A TCP with too small a TTL: connect() fails with the first ICMP on Linux. For
-- the RFC "time exceeded" is soft, the path may change: the SYN goes on being sent.
for _, profile in ipairs { "linux", "rfc" } do
    world("connect, " .. profile, { profile = profile }, function()
        local net = require "topology".chain { routers = params.routers,
            host = { sysctl = { ip_default_ttl = params.routers } } }
        net.server:listen(80)
        expect(net.client:connect(net.server, 80)):fails("EHOSTUNREACH")
        expect(now()):near(profile == "linux" and 0.07 or 183, profile == "linux" and 0.02 or 5)
        local syns = net.client:packets { from = net.client, match = "syn" }
        expect(syns):count(profile == "linux" and 1 or 8)
        say("%s: a SYN with TTL %d died at the last router; connect() failed with EHOSTUNREACH after %s, %d SYNs.", profile,
            params.routers, time_text(now()), #syns)
    end)
end
