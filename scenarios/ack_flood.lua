-- An ACK flood: segments that belong to no connection. A listener answers each
-- with RST (RFC 9293 §3.10.7.2), to an address that never asked; nothing is
-- stored and no queue fills. After a SYN flood each ACK is taken for a cookie
-- first, and checked. What an ACK flood costs is the work, not the memory.

scenario {
    title = "A flood of ACKs",
    about = "What segments without a connection cost: RSTs to strangers, cookie checks, and the CPU's time.",
    params = {
        rate = { 10000, about = "ACKs a second, from spoofed addresses" },
        seconds = { 4, about = "how long it lasts" },
        speed = { 0, about = "set by each world: packets a second that the server can process; 0: any" },
        cookies = { 1, about = "tcp_syncookies" },
        syns = { 0, about = "set by each world: SYNs of a flood just before" },
    },
}

local function attacked()
    local attacker, crowd = host("attacker", "10.0.1.1"), host("crowd", "10.0.2.1")
    local server = host("server", "10.0.3.1", { packets_per_s = params.speed, sysctl = { tcp_syncookies = params.cookies } })
    local lair = link(attacker, server, { delay = "5ms" })
    link(crowd, server, { delay = "5ms" })
    server:route("10.77.0.0/16", { via = attacker:address() }) -- answers go back the way the flood came
    server:serve { port = 80, backlog = 128, request = 100, response = 1000 }
    if params.syns > 0 then
        attacker:flood { kind = "syn", to = server, port = 80, rate = 10000, count = params.syns, spoof = "10.77.0.0/16" }
    end
    local flood = attacker:flood { kind = "ack", to = server, port = 80, rate = params.rate, spoof = "10.77.0.0/16",
        start = "1s", stop = 1 + params.seconds }
    local users = crowd:crowd { to = server, port = 80, rate = 50, request = 100, response = 1000, patience = "3s",
        start = "1s", stop = 1 + params.seconds }
    run(params.seconds + 6)
    return server, users:counts(), flood:sent(), lair
end

world("at a listener", function()
    local server, users, sent = attacked()
    expect(sent):equals(params.rate * params.seconds)
    expect(server:counter("OutRsts")):equals(sent) -- one for each: backscatter
    expect(server:counter("SyncookiesFailed")):equals(0) -- no cookie was sent lately: none is looked for
    expect(server:peak("syn_queue", 80)):at_most(4) -- the users'
    expect(users.served):equals(users.started)
    say("At a listener: %d ACKs, %d RSTs to strangers, nothing stored; all %d users served.", sent,
        server:counter("OutRsts"), users.started)
end)

world("after a SYN flood", { syns = 2000 }, function()
    local server, users, sent = attacked()
    expect(server:counter("SyncookiesSent")):above(0)
    expect(server:counter("SyncookiesFailed")):equals(sent) -- each is hashed, none is ours
    expect(users.served):equals(users.started)
    say("After a SYN flood: %d of them were checked as cookies and failed; all %d users served.",
        server:counter("SyncookiesFailed"), users.started)
end)

world("without cookies, after a SYN flood", { syns = 2000, cookies = 0 }, function()
    local server, _, sent = attacked()
    expect(server:counter("SyncookiesFailed")):equals(0)
    expect(server:counter("OutRsts")):at_least(sent)
end)

world("a slow CPU", { speed = 3000 }, function()
    local server, users, sent = attacked()
    expect(server:counter("BacklogDrops")):above(sent / 2)
    expect(users.served):below(0.7 * users.started)
    say("A CPU of %d packets a second: %d packets dropped before TCP saw them; %d of %d users served.", params.speed,
        server:counter("BacklogDrops"), users.served, users.started)
end)
