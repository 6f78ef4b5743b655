-- UDP sends what it is given: up to 65,507 bytes as one datagram, which IP cuts into
-- as many fragments as the path needs. One fragment lost is the datagram lost, and
-- nobody sends it again: with loss p of a packet, n fragments arrive as one with
-- (1 - p)^n. And who sends to a port where nobody is learns it, if at all, from ICMP.

scenario {
    title = "UDP: sizes, losses, and nobody there",
    about = "CLAIMS 7, 8, 9: fragmentation of large datagrams, IP_MTU_DISCOVER, and port unreachable as ECONNREFUSED.",
    params = { loss = { "2%", about = "of each packet" }, datagrams = { 400, about = "of each size" }, mtu = 1500 },
}

world("sizes", function()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "5ms", mtu = params.mtu })
    server:udp(53)
    local socket = client:udp()
    local counts = {}
    for i, bytes in ipairs { 0, 1, 1472, 1473, 8192, 65507 } do
        local before = #wire:packets { from = client }
        expect(socket:send(bytes, server, 53)):equals(bytes)
        run("100ms")
        local n = #wire:packets { from = client } - before
        local last = wire:packets { from = client }:last()
        if n == 1 then expect(last.ip_len - bytes):equals(28) end -- 20 + 8 whatever the length: nothing is padded
        expect(n):as(bytes .. " bytes"):equals(math.max(1, math.ceil((bytes + 8) / 1480)))
        counts[i] = string.format("%d: %d", bytes, n)
    end
    expect(socket:send(string.rep("x", 65508), server, 53)):fails("EMSGSIZE")
    expect(server:counter("UdpInDatagrams")):equals(6)
    say("Packets for a datagram of so many bytes: %s; 65508: EMSGSIZE.", table.concat(counts, ", "))
end)

local cells = {}
for _, bytes in ipairs { 1000, 4000, 16000, 60000 } do
    local share = world(bytes .. " bytes", function()
        local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
        link(client, server, { delay = "5ms", mtu = params.mtu, up = { loss = params.loss } })
        local sink = server:udp_sink(53)
        -- one a second: incomplete ones wait 30 s, and must not fill ipfrag_high_thresh
        client:udp_flow { to = server, port = 53, rate = (bytes + 28) * 8, bytes = bytes, count = params.datagrams }
        run(params.datagrams + 60)
        return sink:counts().datagrams / params.datagrams
    end)
    local n = math.ceil((bytes + 8) / 1480)
    local theory = (1 - params.loss) ^ n
    local sigma = math.sqrt(theory * (1 - theory) / params.datagrams)
    expect(share):near(theory, 4 * sigma)
    cells[#cells + 1] = string.format("%d fragment%s %.0f %% (theory %.0f)", n, n > 1 and "s" or "", 100 * share, 100 * theory)
    result(n .. " fragments", { arrived = share, theory = theory })
end
say("Datagrams that arrive where %.0f %% of packets are lost: %s.", 100 * params.loss, table.concat(cells, ", "))

world("too large for the path", function()
    local client, server, middle = host("client", "10.0.1.1"), host("server", "10.0.2.1"), router("middle")
    link(client, middle, { delay = "5ms" })
    link(middle, server, { delay = "5ms", mtu = 1000 })
    local sink = server:udp_sink(53)
    local texts = {}
    for _, mode in ipairs { { 0, "DONT" }, { 1, "WANT" }, { 2, "DO" } } do
        local socket = client:udp()
        socket:option("IP_MTU_DISCOVER", mode[1])
        socket:connect(server, 53)
        local before, answers = sink:counts().datagrams, {}
        for i = 1, 3 do
            local ok, problem = socket:send(1400)
            answers[i] = ok and "sent" or problem
            run("1s")
        end
        texts[#texts + 1] = string.format("%s %d of 3 (%s)", mode[2], sink:counts().datagrams - before,
            table.concat(answers, ", "))
        if mode[1] == 0 then expect(sink:counts().datagrams - before):equals(3) end
        if mode[1] == 1 then expect(sink:counts().datagrams - before):at_least(1) end
        if mode[1] == 2 then expect(sink:counts().datagrams - before):equals(0) end
    end
    say("1400 bytes over a link of 1000: %s.", table.concat(texts, "; "))
end)

world("nobody there", function()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    local loose, bound = client:udp(), client:udp()
    loose:send("anyone?", server, 54)
    bound:connect(server, 54)
    bound:send("anyone?")
    expect(bound:recv { timeout = "1s" }):fails("ECONNREFUSED")
    expect(loose:recv { timeout = "1s" }):fails("TIMEOUT") -- an unconnected socket never learns
    expect(wire:packets { from = server, match = "icmp" }):all { icmp_type = 3, icmp_code = 3 }
    expect(server:counter("UdpNoPorts")):equals(2)
    say("Nobody on port 54: ICMP \"port unreachable\"; a connected socket gets ECONNREFUSED, an unconnected one never knows.")
end)

world("one socket, many peers", function()
    local net = require "topology".star { hosts = 4, link = { delay = "5ms" } }
    local server = net.hosts[1]
    local socket, answered = server:udp(53), 0
    server:spawn(function()
        while true do -- no listen(), no accept(): whoever writes is answered
            local text, from, port = socket:recv()
            socket:send(text:upper(), from, port)
        end
    end)
    for i = 2, 4 do
        net.hosts[i]:spawn(function()
            local mine = net.hosts[i]:udp()
            mine:send("host " .. i, server, 53)
            if mine:recv() == "HOST " .. i then answered = answered + 1 end
        end)
    end
    run("1s")
    expect(answered):equals(3)
    expect(#server:packets { match = "udp" }):equals(6) -- a question and an answer each, and nothing else
    say("One socket answered %d hosts with two packets each: no connection, no state.", answered)
end)
