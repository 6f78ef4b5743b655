-- One public address for a whole house (RFC 3022). The router rewrites the source of
-- what leaves and remembers whose port stands for whom. From outside nobody inside
-- can be called, unless a port is forwarded; and what was silent for too long is
-- forgotten, without a word to either end.

scenario {
    title = "Network address translation",
    about = "Mappings, a call from outside, a forwarded port, and what silence does.",
    params = {
        idle = { "10min", about = "after which the NAT forgets an open connection (RFC 5382 asks for 2 h 4 min)" },
    },
}

local function house()
    local net = { laptop = host("laptop", "192.168.0.2"), phone = host("phone", "192.168.0.3"),
        server = host("server", "203.0.113.80") }
    net.router = router("router", { "192.168.0.1", "192.168.0.1", "198.51.100.7" })
    net.inside = link(net.laptop, net.router, { delay = "1ms" })
    link(net.phone, net.router, { delay = "1ms" })
    net.outside = link(net.router, net.server, { delay = "9ms" })
    net.nat = net.router:nat { outside = net.outside, idle = params.idle }
    return net
end

local function ignore(listener, n)
    for _ = 1, n do listener:accept() end
end

world("two callers, one address", function()
    local net = house()
    net.server:spawn(ignore, net.server:listen(80), 2)
    local one = net.laptop:connect(net.server, 80, { port = 40000 })
    local two = net.phone:connect(net.server, 80, { port = 40000 })
    expect(one):exists()
    expect(two):exists()
    run("50ms")
    local seen = net.outside:packets { from = net.router, match = "syn" }
    expect(seen[1].src):equals("198.51.100.7") -- the same address for both ...
    expect(seen[2].src):equals("198.51.100.7")
    expect(seen[1].sport):equals(40000) -- ... who wanted the same port: the first has it
    expect(seen[2].sport):is_not(40000)
    expect(net.nat:mappings()):equals(2)
    say("Two hosts called from port 40000; the server saw %s, ports %d and %d.", seen[1].src, seen[1].sport, seen[2].sport)
end)

world("a call from outside", function()
    local net = house()
    net.laptop:spawn(ignore, net.laptop:listen(22), 1)
    expect(net.server:connect("198.51.100.7", 22)):fails("ECONNREFUSED") -- the router itself has no such port
    net.nat:forward("tcp", 2222, net.laptop, 22)
    expect(net.server:connect("198.51.100.7", 2222)):exists()
    run("50ms")
    say("A SYN to the public address: refused. With port 2222 forwarded it reached the laptop's port 22.")
end)

world("forgotten", function()
    local net = house()
    local got
    net.server:spawn(function()
        local conn = net.server:listen(80):accept()
        got = conn:recv()
        sleep(params.idle + 5)
        conn:send("news") -- to a port that stands for nobody any more
        local _, problem = conn:recv()
        result("server_learns", problem)
        expect(problem):equals("ECONNRESET")
    end)
    local conn = net.laptop:connect(net.server, 80)
    conn:send("hello")
    run(params.idle + 60)
    expect(got):equals("hello")
    expect(net.nat:mappings()):equals(0)
    expect(conn:state()):equals("ESTABLISHED") -- the laptop knows nothing of it
    local refused = net.outside:packets { from = net.router, match = "rst" }
    expect(refused):count(1)
    say("After %s of silence the mapping was gone: the server's next bytes met RST, the laptop waits for ever.",
        time_text(params.idle))
end)
