-- Boxes on the way that understand TCP better than its ends do (RFC 3234). One
-- strips the options of SYNs, one eats ICMP errors; the ends notice nothing, only
-- that it has become slow, or stops. Each world takes one thing away.

scenario {
    title = "What a middlebox takes away",
    about = "Window scale, SACK, timestamps stripped; ICMP dropped: a black hole.",
    params = {
        rate = "40Mbit",
        delay = { "50ms", about = "one way" },
        loss = { "2%", about = "on the way of the data" },
        bytes = "4MB",
        strips = { "", about = "set by each world: an option" },
    },
}

local function transfer()
    local client, server = host("client", "10.0.1.1"), host("server", "10.0.2.1")
    local box = router("box")
    link(client, box, { delay = "1ms" })
    link(box, server, { rate = params.rate, delay = params.delay, queue = 2000, up = { loss = params.loss } })
    if params.strips ~= "" then box:middlebox { strip = { params.strips } } end
    local done
    server:spawn(function()
        server:listen(80):accept():skip(params.bytes)
        done = now()
    end)
    local conn = client:connect(server, 80)
    conn:send(params.bytes)
    run("2min")
    return { mbit = params.bytes * 8 / (done or 120) / 1e6, conn = conn:info(), client = client,
        again = client:counter("TcpRetransSegs"), timeouts = client:counter("TCPTimeouts"),
        window = client:packets { to = client, match = "ack" }:last().win }
end

local function tell(what, w)
    say("%-22s %5.2f Mbit/s, %3d segments sent again, %d timeouts", what, w.mbit, w.again, w.timeouts)
    result(what, { mbit = w.mbit, again = w.again, timeouts = w.timeouts })
end

-- A clean path shows what each option is for; a lossy one what SACK is for.
local clean = { loss = 0 }
local all = world("all options", clean, transfer)
local no_scale = world("without window scale", { loss = 0, strips = "window_scale" }, transfer)
local most = 65535 * 8 / (2 * (params.delay + 0.001)) / 1e6
tell("all options", all)
tell("no window scale", no_scale)
expect(no_scale.mbit):at_most(most) -- 64 KiB a round trip and no more
expect(all.mbit):above(1.5 * no_scale.mbit)
say("  (a window of 65535 bytes and a round trip of %s allow %.2f Mbit/s)", time_text(2 * params.delay + 0.002), most)

local lossy = world("all options, losses", transfer)
local no_sack = world("without SACK, losses", { strips = "sack" }, transfer)
local no_ts = world("without timestamps, losses", { strips = "timestamps" }, transfer)
tell("all options, losses", lossy)
tell("no SACK, losses", no_sack)
tell("no timestamps, losses", no_ts)
expect(no_sack.client:counter("TCPSackRecovery")):equals(0)
expect(no_sack.client:counter("TCPRenoRecovery")):above(0)
expect(lossy.client:counter("TCPSackRecovery")):above(0)
expect(no_sack.mbit):below(lossy.mbit)
expect(no_ts.conn.snd_mss):equals(1460) -- twelve bytes more in each segment

-- ICMP eaten: the path MTU stays unknown.
world("ICMP dropped", function()
    local client, server = host("client", "10.0.1.1"), host("server", "10.0.2.1")
    local wall, narrow = router("wall"), router("narrow")
    link(client, wall, { delay = "5ms" })
    link(wall, narrow, { delay = "5ms" })
    link(narrow, server, { delay = "5ms", mtu = 1000 })
    wall:middlebox { drop_icmp = true }
    server:sysctl("advertise_mss", 1460) -- as one does whose own link is wide
    local got = 0
    server:spawn(function()
        local conn = server:listen(80):accept()
        while true do got = got + #conn:recv() end
    end)
    local conn = client:connect(server, 80)
    conn:send("small") -- and everything looks fine
    run("1s")
    conn:send(5000)
    run("1min")
    expect(got):equals(5)
    local told = narrow:packets { from = narrow, match = "icmp" }
    expect(told):some()
    expect(client:counter("InDestUnreachs")):equals(0)
    say("ICMP dropped: 5 bytes arrived, then nothing. %d times a router said \"fragmentation needed\", nobody heard it.", #told)
end)
