-- Every call that a scenario may make, used once, each in a world of its own.

scenario {
    title = "The Lua face",
    params = {
        delay = "10ms",
        share = 0.5,
        tries = 3,
        on = true,
        mode = { "fast", choices = { "fast", "slow" } },
        rate = "10Mbit",
        room = "4KiB",
        chance = "0.5%",
    },
}

local function pair(options)
    local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
    local way = { delay = params.delay }
    for key, value in pairs(options or {}) do way[key] = value end
    return a, b, link(a, b, way)
end

-- A server that answers each line it gets, until the peer closes.
local function echo(b, port)
    b:spawn("echo", function()
        local listener = b:listen(port or 80)
        while true do
            local conn = listener:accept()
            if not conn then return end
            b:spawn(function()
                while true do
                    local text = conn:recv()
                    if not text or text == "" then break end
                    if not conn:send(text) then break end
                end
                conn:close()
            end)
        end
    end)
end

world("parameters have the types of their defaults", function()
    expect(params.delay):equals(0.01)
    expect(params.share):equals(0.5)
    expect(params.tries):equals(3)
    expect(params.on):is_true()
    expect(params.mode):equals("fast")
    expect(params.rate):equals(10000000)
    expect(params.room):equals(4096)
end)

world("a world may change them", { delay = "30ms", tries = 5 }, function()
    expect(params.delay):equals("30ms")
    expect(params.tries):equals(5)
end)

world("the main script may block", function()
    local a, b = pair()
    echo(b)
    local conn = a:connect(b, 80)
    expect(conn:send("hello")):equals(5)
    expect(conn:recv()):equals("hello")
    expect(now()):near("40ms", "1ms")
    expect(conn:state()):equals("ESTABLISHED")
    expect(conn:info().rtt):near("20ms", "1ms")
    expect(conn:close()):is_true()
    expect(conn:is_open()):is_false()
    sleep("100ms")
    expect(conn):is_in("TIME_WAIT")
    expect(a:count("TIME_WAIT")):equals(1)
    expect(a:ss()):contains("timer:(timewait,")
end)

world("errors of calls are values", function()
    local a, b = pair()
    expect(a:connect(b, 81)):fails("ECONNREFUSED")
    expect(a:connect("10.0.0.9", 81, { timeout = "2s" })):fails("TIMEOUT")
    expect(b:listen(80)):succeeds()
    expect(b:listen(80)):fails("EADDRINUSE")
    local conn = a:connect(b, 80)
    expect(conn:recv { timeout = "1s" }):fails("TIMEOUT")
    expect(conn:option("TCP_NODELAY")):equals(0)
    expect(conn:option("TCP_NODELAY", true)):succeeds()
    expect(conn:option("TCP_NODELAY")):equals(1)
    expect(conn:option("TCP_CONGESTION")):equals("cubic")
end)

world("bulk data is counted, not copied", function()
    local a, b = pair { rate = "100Mbit" }
    local received
    b:spawn(function() received = b:listen(80):accept():recv_eof() end)
    a:spawn(function()
        local conn = a:connect(b, 80)
        expect(conn:send(size "1MB")):equals(1000000)
        conn:close()
    end)
    run("10s")
    expect(received):equals(1000000)
    expect(a:packets { from = a, match = "data" }:sum("len")):equals(1000000)
end)

world("timers", function()
    local times = {}
    local function note() times[#times + 1] = now() end
    at("1s", note)
    after("2s", note)
    local tick = every("500ms", note, 3)
    run("1.2s")
    tick:cancel()
    run()
    expect(times):equals { 0.5, 1.0, 1.0, 2.0 }
    expect(now()):at_least("2s")
end)

world("rules count by themselves and the first that acts decides", function()
    local a, b, wire = pair()
    echo(b)
    local first = wire:drop { from = a, match = "syn", nth = 1 }
    local both = wire:delay { from = a, match = "syn", by = "100ms", count = 1 }
    a:connect(b, 80)
    expect(now()):near("1.12s", "1ms") -- one lost, the next late by 100 ms
    expect({ first:count() }):equals { 1, 2 }
    expect({ both:count() }):equals { 1, 2 }
    expect(wire:packets { from = a, match = "syn", fate = "lost" }):count(1)
end)

world("words, fields, filters and functions match", function()
    local a, b, wire = pair()
    echo(b)
    local word = wire:watch({ match = "syn+ack" }, function(p) expect(p.flags):equals("SYN+ACK") end)
    local fields = wire:watch({ match = { dport = 80, len = { 1, 100 } } }, function() end)
    local pcap = wire:watch({ match = "tcp[13] & 1 != 0" }, function() end) -- FIN
    local fn = wire:watch({ match = function(p) return p.seq == 1 and p.len == 5 end }, function() end)
    local conn = a:connect(b, 80)
    conn:send("hello")
    conn:recv()
    conn:close()
    sleep("1s")
    expect(word:count()):equals(1)
    expect(fields:count()):equals(1)
    expect(pcap:count()):equals(2)
    expect(fn:count()):equals(2)
end)

world("after and before", function()
    local a, b, wire = pair()
    echo(b)
    local acks = wire:watch({ from = a, match = "ack", after = "b.FIN" }, function() end)
    local state = wire:watch({ from = a, match = "fin", after = "a.ESTABLISHED" }, function() end)
    local late = wire:watch({ after = "10s" }, function() end)
    local early = wire:watch({ from = a, before = { from = b, match = "fin" } }, function() end)
    local conn = a:connect(b, 80)
    conn:close()
    run("2s")
    expect(acks:count()):equals(1)
    expect(state:count()):equals(1)
    expect(late:count()):equals(0)
    expect(early:count()):equals(3) -- SYN, ACK, FIN
end)

world("hold, release, duplicate, reorder, corrupt", function()
    local a, b, wire = pair()
    echo(b)
    local conn = a:connect(b, 80)
    local hold = wire:hold { from = a, match = "data", count = 1 }
    wire:duplicate { from = b, match = "data", count = 1, by = "1ms" }
    conn:send("one")
    sleep("50ms")
    expect(wire:held()):equals(1)
    hold:cancel()
    expect(wire:release(a)):equals(1)
    expect(conn:recv()):equals("one")
    wire:corrupt { from = a, match = "data", count = 1 }
    conn:send("two")
    expect(conn:recv()):equals("two")
    expect(b:counter("TcpInCsumErrors")):equals(1)
    wire:reorder { from = a, match = "data", count = 1, past = 1 }
    conn:option("TCP_NODELAY", true)
    conn:send("1")
    conn:send("2")
    sleep("1s")
    expect(conn:recv()):equals("12")
    expect(b:counter("TCPOFOQueue")):equals(1)
end)

world("a script decides", function()
    local a, b, wire = pair()
    echo(b)
    wire:script({ from = a, match = "syn" }, function(p)
        if not p.is_retransmission then return "drop" end
        return { "delay", by = "5ms" }
    end)
    a:connect(b, 80)
    expect(now()):near("1.025s", "1ms")
end)

world("forged segments", function()
    local a, b, wire = pair()
    echo(b)
    local conn = a:connect(b, 80)
    wire:inject { to = b, like = conn, flags = "rst", seq_plus = 100 } -- in the window, not exact
    sleep("1s")
    expect(b:counter("TCPChallengeACK")):equals(1)
    expect(conn):is_in("ESTABLISHED")
    wire:inject { to = b, like = conn, flags = "rst" } -- exact
    sleep("100ms")
    expect(b:connections()[1]):passed("ESTABLISHED", "CLOSED")
    expect(wire:packets { match = "forged" }):count(2)
end)

world("the script plays a host", function()
    local a = host("a", "10.0.0.1", { raw = true })
    local b = host("b", "10.0.0.2")
    link(a, b, { delay = params.delay })
    echo(b)
    a:send_raw { flags = "syn", sport = 5000, dport = 80, raw_seq = 1000, mss = 1460 }
    local answer = a:recv_raw { match = "syn+ack", timeout = "1s" }
    expect(answer.ack):equals(1)
    expect(answer.raw_ack):equals(1001)
    a:send_raw { flags = "ack", sport = 5000, dport = 80, seq = 1, ack = 1 }
    a:send_raw { flags = "psh+ack", sport = 5000, dport = 80, seq = 1, ack = 1, data = "hi" }
    expect(a:recv_raw({ match = "data", timeout = "1s" }).len):equals(2)
    expect(a:recv_raw { match = "fin", timeout = "500ms" }):fails("TIMEOUT")
end)

expect(params.chance):equals(0.005)
world("memory", function()
    local a, b = pair()
    local before = b:memory()
    b:listen(80)
    a:connect(b, 80)
    expect(b:memory()):above(before)
end)
world("a probability is a number", { chance = 0 }, function() expect(params.chance):equals(0) end)

world("corruption and fragments by hand", function()
    local a, b, wire = pair()
    local socket, client = b:udp(53), a:udp()
    wire:corrupt { from = a, match = "udp", count = 1, byte = 28, swap = 30 }
    client:send("abcdef", b, 53)
    expect(socket:recv { timeout = "1s" }):equals("cdabef") -- the checksum says nothing
    local udp = string.pack(">I2I2I2I2", 9, 53, 8 + 16, 0) .. "01234567"
    wire:inject { to = b, proto = "udp", ip_id = 7, mf = true, data = udp }
    wire:inject { to = b, proto = "udp", ip_id = 7, frag_offset = 16, data = "89abcdef" }
    expect(socket:recv { timeout = "1s" }):equals("0123456789abcdef")
end)

world("UDP", function()
    local a, b = pair()
    local server, client = b:udp(53), a:udp()
    b:spawn(function()
        local text, from, port = server:recv()
        server:send(text:upper(), from, port)
    end)
    client:connect(b, 53)
    client:send("who")
    expect(client:recv { timeout = "1s" }):equals("WHO")
    client:connect(b, 54)
    client:send("anyone")
    expect(client:recv { timeout = "1s" }):fails("ECONNREFUSED")
    expect(b:udp(53)):fails("EADDRINUSE")
    local one, two = b:udp(55, { reuseaddr = true }), b:udp(55, { reuseaddr = true, checksum = false })
    expect(two:option("SO_REUSEADDR")):equals(1)
    client:send("last", b, 55)
    expect(two:recv { timeout = "1s" }):equals("last")
    expect(one:recv { timeout = "1s" }):fails("TIMEOUT")
end)

world("a link is cut, mended and changed", function()
    local a, b, wire = pair()
    echo(b)
    local conn = a:connect(b, 80)
    wire:cut()
    conn:send("x")
    sleep("100ms")
    wire:mend()
    expect(conn:recv()):equals("x")
    wire:change { delay = "100ms" }
    local began = now()
    conn:send("y")
    conn:recv()
    expect(now() - began):near("200ms", "1ms")
end)

world("the router in the middle has a smaller MTU", function()
    local topology = require "topology"
    local net = topology.chain { routers = 2, link = { delay = "5ms" }, links = { nil, { delay = "5ms", mtu = 1000 } } }
    echo(net.server)
    local conn = net.client:connect(net.server, 80)
    conn:send(3000)
    expect(conn:skip(3000)):equals(3000)
    expect(net.client:packets { to = net.client, match = "icmp" }):some()
end)

world("native applications", function()
    local a, b = pair { rate = "100Mbit" }
    b:serve { port = 80, request = 100, response = "10KiB" }
    local crowd = a:crowd { to = b, port = 80, rate = 100, count = 50, request = 100, response = "10KiB" }
    run("10s")
    expect(crowd:counts().served):equals(50)
    expect(crowd:latency(0.5)):above("20ms")
end)

world("a host that reboots answers with RST", function()
    local a, b, wire = pair()
    echo(b)
    local conn = a:connect(b, 80)
    sleep("1s")
    b:reboot()
    expect(b:count("ESTABLISHED")):equals(0)
    expect(wire:packets { from = b, after = "1s" }):none()
    conn:send("hello?")
    expect(conn:recv()):fails("ECONNRESET")
end)

world("sysctls, counters and what cannot be", function()
    local a, b = pair()
    expect(a:sysctl("net.ipv4.tcp_syn_retries")):equals(6)
    a:sysctl("tcp_syn_retries", 2)
    expect(a:sysctl("tcp_syn_retries")):equals(2)
    a:sysctl("timewait", "5s")
    expect(a:sysctl("timewait")):equals(5000)
    a:connect(b, 80)
    expect(b:counters().OutRsts):equals(1)
    expect(a:counters().TcpActiveOpens):equals(1)
    expect(pcall(function() return a:counters().NoSuchThing end)):is_false()
end)

-- In each shape everybody reaches everybody.
local shapes = {
    star = function(t) return t.star { hosts = 4, link = { delay = "1ms" } }.hosts end,
    tree = function(t) return t.tree { depth = 3, fanout = 2, link = { delay = "1ms" } }.hosts end,
    dumbbell = function(t)
        local net = t.dumbbell { left = 2, right = 2, bottleneck = { rate = "1Mbit" } }
        return { net.left[1], net.left[2], net.right[1], net.right[2] }
    end,
}
for name, make in pairs(shapes) do
    world(name, function()
        local hosts, n = make(require "topology"), 0
        for _, server in ipairs(hosts) do server:serve { port = 80, request = 1, response = 1 } end
        for _, a in ipairs(hosts) do
            for _, b in ipairs(hosts) do
                if a ~= b and a:connect(b, 80) then n = n + 1 end
            end
        end
        expect(n):equals(#hosts * (#hosts - 1))
        hosts[1]:ping(hosts[#hosts], 2000)
        run("1s")
        expect(hosts[1]:counter("IcmpInEchoReps")):equals(1)
        expect(hosts[#hosts]:counter("ReasmOKs")):equals(1)
    end)
end

-- The options that the manual sets beside those of tc, all of them at once or one after the other.
local as_tc = {
    { delay = "100ms", jitter = { kind = "normal", amount = "10ms" }, loss = "1%" },
    { loss = { kind = "gilbert-elliott", p = "1%", r = "10%", one_minus_h = "70%", one_minus_k = "0.1%" } },
    { duplicate = "1%", corrupt = "0.1%", reorder = "25%", rate = "1Mbit", queue = 200 },
    { queue = { kind = "tbf", rate = "1Mbit", burst = "16KiB", bytes = 30000 } },
    { queue = { kind = "tbf", rate = "1Mbit", burst = "16KiB", polices = true } },
    { rate = "1Mbit", queue = { kind = "red", min = 30000, max = 90000, probability = 0.02, ecn = true } },
    { rate = "1Mbit", queue = { kind = "fq_codel", packets = 1000, target = "5ms", interval = "100ms", quantum = 1514 } },
}
for i, options in ipairs(as_tc) do
    world("as tc says it " .. i, function()
        local a, b = host("a"), host("b")
        link(a, b, options)
        b:serve { port = 80, request = 100, response = 50000 }
        local conn = a:connect(b, 80)
        conn:send(100)
        expect(conn:skip(50000)):equals(50000)
    end)
end

for name, make in pairs(require "links") do
    world("links." .. name, function()
        local a, b = host("a"), host("b")
        local wire = link(a, b, make { mtu = 1400 })
        b:serve { port = 80, request = 100, response = 20000 }
        local conn = a:connect(b, 80)
        conn:send(100)
        expect(conn:skip(20000)):equals(20000)
        local largest = 0
        for _, p in ipairs(wire:packets {}) do largest = math.max(largest, p.ip_len) end
        expect(largest):equals(1400)
    end)
end

expect(require("topology")):equals(require("topology"))
result("face", { ok = true, list = { 1, 2 } })
say("every call was made once")
