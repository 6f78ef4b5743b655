-- One ACK for three segments. A burst arrives while the server's program is in
-- the middle of a call: it holds the socket, so the segments wait in its backlog.
--
--   ready     the program is not in a call: each of the first segments is
--             acknowledged as it comes
--   busy      it is: nothing is acknowledged until the call lets go, and then
--             all of it at once (net.ipv4.tcp_backlog_ack_defer)
--   no defer  the same without that: as many ACKs as segments, all at the end
--   by the RFC  every second segment, at once or as the call lets go: all the same

scenario {
    title = "A reader in the middle of a call",
    about = "How many segments one ACK covers depends on what the program is doing.",
    params = {
        delay = { "10ms", about = "of the link, one way" },
        segments = { 3, about = "in the burst" },
        call = { "2ms", about = "how long the program's call holds the socket" },
    },
}

local function burst(busy, sysctl)
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = sysctl })
    local wire = link(client, server, { delay = params.delay, rate = "100Mbit" })
    local began, finished

    server:spawn(function()
        local conn = server:listen(80):accept()
        sleep("50ms")
        -- The burst is on its way; its first segment arrives in a moment.
        began = now()
        if busy then conn:lock() end
        sleep(params.delay + params.call)
        conn:unlock()
        finished = now()
        conn:recv()
    end)
    client:spawn(function()
        local conn = client:connect(server, 80)
        sleep("60ms")
        conn:send(params.segments * 1448)
    end)
    run("200ms")
    return wire:packets { from = server, match = "ack", after = began, before = finished + 0.0001 }, finished
end

local n

world("ready", { profile = "linux" }, function()
    n = #burst(false)
    expect(n):equals(params.segments)
    say("Ready: %d segments, %d ACKs.", params.segments, n)
end)

world("busy", { profile = "linux" }, function()
    local acks, finished = burst(true)

    expect(acks):count(1)
    expect(acks:first().at):near(finished, "1us")
    say("Busy: the same %d segments, %d ACK, as the call let go.", params.segments, #acks)
end)

world("no defer", { profile = "linux" }, function()
    local acks, finished = burst(true, { ["net.ipv4.tcp_backlog_ack_defer"] = 0 })

    expect(acks):count(params.segments)
    expect(acks:first().at):near(finished, "1us")
    say("No defer: %d ACKs, all of them as the call let go.", #acks)
end)

world("by the RFC", { profile = "rfc" }, function()
    local acks, finished = burst(true)

    expect(acks):count(1)
    expect(acks:first().at):near(finished, "1us")
    say("By the RFC: %d ACK in that time too, for RFC 5681 asks for one every second segment only.", #acks)
end)
