-- tcp_syncookies: 1 answers by cookie once the queue is full, 2 always. A
-- cookie keeps no state: what the client asked for must come back in the ACK's
-- timestamp, and is lost without one. Forged and expired cookies get RST.

scenario {
    title = "SYN cookies",
    about = "CLAIMS 30, 31: when they act, what they cost, what they refuse.",
    params = { syns = { 100, about = "spoofed SYNs" }, backlog = 16 },
}

local function flooded(cookies)
    local attacker, user = host("attacker", "10.0.1.1"), host("user", "10.0.2.1")
    local server = host("server", "10.0.3.1", { sysctl = { tcp_syncookies = cookies } })
    link(attacker, server, { delay = "5ms" })
    local wire = link(user, server, { delay = "5ms" })
    server:route("10.77.0.0/16", { via = attacker:address() })
    server:serve { port = 80, backlog = params.backlog }
    attacker:flood { to = server, port = 80, rate = 1000, count = params.syns, spoof = "10.77.0.0/16" }
    run("500ms")
    return server, user, wire
end

world("tcp_syncookies = 1", function()
    local server = flooded(1)
    expect(server:peak("syn_queue", 80)):equals(params.backlog + 1)
    expect(server:counter("SyncookiesSent")):equals(params.syns - params.backlog - 1)
    expect(server:counter("TCPReqQFullDoCookies")):equals(server:counter("SyncookiesSent"))
    say("1: %d queued, %d answered by cookie.", server:peak("syn_queue", 80), server:counter("SyncookiesSent"))
end)

world("tcp_syncookies = 2", function()
    local server, user, wire = flooded(2)
    expect(server:peak("syn_queue", 80)):equals(0)
    expect(server:counter("SyncookiesSent")):equals(params.syns)
    local began = now()
    local conn = user:connect(server, 80)
    expect(conn):succeeds()
    expect(now() - began):near("10ms", "1ms")
    run("1s")
    expect(server:counter("SyncookiesRecv")):equals(1)
    expect(server:connections()[1]):is_in("ESTABLISHED")
    local asked = wire:packets { from = user, match = "syn" }:first()
    expect(asked.wscale):above(0)
    -- The server's own scale, as without cookies: both have the same buffers.
    expect(wire:packets { from = server, match = "syn+ack" }):all { wscale = asked.wscale, sack_ok = true }
    say("2: all %d by cookie; an honest client is in after one round trip.", params.syns)
end)

world("without timestamps", function()
    local client = host("client", "10.0.0.1", { sysctl = { tcp_timestamps = 0 } })
    local server = host("server", "10.0.0.2", { sysctl = { tcp_syncookies = 2 } })
    local wire = link(client, server, { delay = "5ms" })
    server:serve { port = 80 }
    expect(client:connect(server, 80)):succeeds()
    local reply = wire:packets { from = server, match = "syn+ack" }:first()
    expect(reply.mss):equals(1460)
    expect(reply.wscale):is_nil()
    expect(reply.sack_ok):is_false()
    say("Without timestamps the cookie can't carry window scale and SACK: the SYN-ACK offers MSS alone.")
end)

world("forged and expired", function()
    local raw = host("raw", "10.0.0.1", { raw = true })
    local server = host("server", "10.0.0.2", { sysctl = { tcp_syncookies = 2 } })
    local wire = link(raw, server, { delay = "5ms" })
    server:listen(80)

    -- A SYN, its cookie, and an ACK `off` the right number, `after` so long.
    local function try(sport, off, after)
        raw:send_raw { dst = server, sport = sport, dport = 80, flags = "syn", raw_seq = 1000, mss = 1460 }
        local cookie = raw:recv_raw { timeout = "1s" }
        sleep(after)
        raw:send_raw { dst = server, sport = sport, dport = 80, flags = "ack", raw_seq = 1001, raw_ack = cookie.raw_seq + 1 + off }
        local answer = raw:recv_raw { timeout = "200ms" }
        return answer and answer.flags
    end

    expect(try(1001, 12345, "0s")):equals("RST")
    expect(server:counter("SyncookiesFailed")):equals(1)
    expect(try(1002, 0, "1s")):is_nil() -- believed
    expect(server:count("ESTABLISHED")):equals(1)
    expect(try(1003, 0, "190s")):equals("RST") -- older than two minutes
    expect(wire:packets { from = server, match = "rst" }):count(2)
    say("A cookie of our own is believed after 1 s; a guessed one and one of 190 s ago get RST.")
end)
