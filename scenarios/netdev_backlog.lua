-- Between the card and the stack there is one more queue, below IP: it holds
-- net.core.netdev_max_backlog packets, and one more: Linux takes a packet while
-- no more than so many wait. A host that processes fewer packets a second than
-- arrive fills it, whatever TCP's own queues and cookies can do.

scenario {
    title = "A flood exhausts the CPU",
    about = "CLAIM 25: the queue in front of the stack, and what cookies can't help.",
    params = {
        speed = { 2000, about = "packets a second that the server can process" },
        flood = { 10000, about = "SYNs a second" },
        backlog = { 1000, about = "net.core.netdev_max_backlog" },
        seconds = 5,
    },
}

local function attacked()
    local attacker, crowd = host("attacker", "10.0.1.1"), host("crowd", "10.0.2.1")
    local server = host("server", "10.0.3.1", { packets_per_s = params.speed,
        sysctl = { tcp_syncookies = 2, ["net.core.netdev_max_backlog"] = params.backlog } })
    link(attacker, server, { delay = "5ms" })
    link(crowd, server, { delay = "5ms" })
    server:serve { port = 80, request = 100, response = 100 }
    if params.flood > 0 then
        attacker:flood { to = server, port = 80, rate = params.flood, stop = params.seconds, spoof = "10.77.0.0/16" }
        server:route("10.77.0.0/16", { unreachable = true })
    end
    local users = crowd:crowd { to = server, port = 80, rate = 20, request = 100, response = 100, patience = "3s",
        stop = params.seconds }
    run(params.seconds + 5)
    return server, users:counts()
end

world("quiet", { flood = 0 }, function()
    local server, users = attacked()
    expect(users.served):equals(users.started)
    expect(server:counter("BacklogDrops")):equals(0)
    say("Quiet: all %d users served, at most %d packets waited for the CPU.", users.served, server:peak("backlog"))
end)

world("flooded", function()
    local server, users = attacked()
    local arrived = params.flood * params.seconds
    expect(server:peak("backlog")):equals(params.backlog + 1)
    expect(server:counter("BacklogDrops")):at_least((params.flood - params.speed) * params.seconds * 0.9)
    expect(server:counter("BacklogProcessed")):below(arrived * 0.4)
    expect(users.served):below(users.started / 2) -- cookies are always on, and do not help
    say("Flooded: %d of %d packets were dropped before TCP saw them; %d of %d users served, though cookies were always on.",
        server:counter("BacklogDrops"), arrived, users.served, users.started)
end)
