-- A silent connection costs nothing and says nothing. SO_KEEPALIVE asks, after
-- two hours by default: is anybody there? Four answers are possible, and a fifth:
-- nobody for a while, and then somebody after all.

scenario {
    title = "Keepalive, and its four endings",
    about = "CLAIMS 52 to 55: alive, dead, rebooted, unreachable, back again; and the number that a probe has.",
    params = {
        idle = { "7200s", about = "TCP_KEEPIDLE" },
        interval = { "75s", about = "TCP_KEEPINTVL" },
        probes = { 9, about = "TCP_KEEPCNT" },
    },
}

local last = params.idle + params.probes * params.interval -- when it gives up

local function watched(what_happens)
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    server:spawn(function()
        local conn = server:listen(80):accept()
        conn:recv()
    end)
    local conn = client:connect(server, 80, { options = { SO_KEEPALIVE = true, TCP_KEEPIDLE = params.idle,
        TCP_KEEPINTVL = params.interval, TCP_KEEPCNT = params.probes } })
    local began, problem, took = now(), nil, nil
    client:spawn(function()
        local _
        _, problem = conn:recv()
        took = now() - began
    end)
    sleep("1s")
    what_happens(wire, server)
    run(last + 600)
    return { problem = problem, took = took, wire = wire, client = client, conn = conn }
end

world("alive", function()
    local w = watched(function() end)
    expect(w.problem):is_nil()
    expect(w.client:counter("TCPKeepAlive")):equals(1) -- answered: the clock starts anew
    -- The probe names a byte that the peer has long acknowledged, and carries nothing, so
    -- that the peer must answer and nothing else can happen (RFC 9293 §3.8.4).
    local probe = w.wire:packets { from = w.client, match = "ack" }:last()
    local answer = w.wire:packets { from = "server", match = "ack" }:last()
    expect(probe.seq):equals(answer.ack - 1)
    expect(probe.len):equals(0)
    expect(answer.at):equals(probe.arrived_at)
    expect(w.conn:state()):equals("ESTABLISHED")
    say("Alive: the probe is answered and the clock starts anew.")
end)

-- Linux says goodbye to the void, the RFC asks for nothing of the kind.
for _, case in ipairs { { "linux", 1 }, { "rfc", 0 } } do
    local profile, rsts = table.unpack(case)
    world("dead, " .. profile, { profile = profile }, function()
        local w = watched(function(wire) wire:drop {} end)
        expect(w.problem):equals("ETIMEDOUT")
        expect(w.took):near(last, "1s") -- by default 2 h 11 min 15 s
        expect(w.client:counter("TCPKeepAlive")):equals(params.probes)
        expect(w.wire:packets { from = w.client, match = "rst" }):count(rsts)
        say("Dead, %s: noticed after %s, with %d RST to nobody.", profile, time_text(w.took), rsts)
    end)
end

world("back again", function()
    local lost = math.min(4, params.probes - 1)
    local w = watched(function(wire) wire:drop { from = "client", count = lost } end)
    expect(w.problem):is_nil()
    expect(w.conn:state()):equals("ESTABLISHED")
    expect(w.client:counter("TCPKeepAlive")):equals(lost + 1)
    expect(w.conn:info().probes):equals(0) -- the count starts anew too
    say("%d probes lost, the next is answered: all is as if nothing had been.", lost)
end)

world("rebooted", function()
    local w = watched(function(_, server) server:reboot() end)
    expect(w.problem):equals("ECONNRESET")
    expect(w.took):near(params.idle, "1s")
    say("Rebooted: the first probe got RST, after %s.", time_text(w.took))
end)

world("unreachable", function()
    -- A router says "host unreachable" to each probe: a hint, no more (RFC 1122 §4.2.3.9).
    local w = watched(function(wire)
        wire:watch({ from = "client" }, function(packet)
            wire:inject { to = "client", src = "10.0.0.254", proto = "icmp", icmp_type = 3, icmp_code = 1, about = packet }
        end)
        wire:drop { from = "client" }
    end)
    expect(w.problem):equals("ETIMEDOUT")
    expect(w.took):near(last, "1s")
    say("Unreachable: ICMP says so to each probe, and is only a hint: ETIMEDOUT after %s.", time_text(w.took))
end)
