-- A router whose next link is narrow, and an ICMP that never comes back: connections
-- open and then hang. Three cures. The router writes a smaller MSS into the SYNs that
-- pass (clamping, as every home router with PPPoE does); the sender gives up DF
-- (IP_PMTUDISC_DONT), so that routers cut what is too large; or it asks for less
-- itself (TCP_MAXSEG).

scenario {
    title = "Clamping the MSS",
    about = "CLAIM 23: three ways around a path MTU that nobody tells.",
    params = {
        narrow = { 1492, about = "MTU behind the router: PPPoE takes 8 bytes" },
        bytes = "100kB",
        clamps = { false, about = "set by each world: the router lowers the MSS of SYNs" },
        discover = { 1, about = "set by each world: IP_MTU_DISCOVER, 0 never sets DF" },
        maxseg = { 0, about = "set by each world: TCP_MAXSEG" },
    },
}

local function download()
    local client, server = host("client", "10.0.1.1"), host("server", "10.0.9.1")
    local home, wall = router("home"), router("wall")
    link(client, home, { delay = "1ms" })
    local dsl = link(home, wall, { delay = "8ms", mtu = params.narrow })
    link(wall, server, { delay = "5ms" })
    wall:sysctl("halfopen.icmp_errors", 0) -- says nothing
    if params.clamps then home:middlebox { clamp_mss = "mtu" } end
    local done
    server:spawn(function()
        local listener = server:listen(80, { options = { IP_MTU_DISCOVER = params.discover,
            TCP_MAXSEG = params.maxseg > 0 and params.maxseg or nil } })
        local conn = listener:accept()
        conn:send(params.bytes)
    end)
    client:spawn(function()
        local conn = client:connect(server, 80)
        if conn:skip(params.bytes) == params.bytes then done = now() end
    end)
    run("30s")
    local heard = wall:packets { from = wall, match = "syn" }:first()
    local crossed = dsl:packets { from = wall, match = "tcp", fate = "arrived" }
    local largest = 0
    for _, p in ipairs(crossed) do largest = math.max(largest, p.ip_len) end
    return { done = done, mss = heard.mss, largest = largest, fragments = client:counter("ReasmReqds"),
        timeouts = server:counter("TCPTimeouts") }
end

local hang = world("nothing done", download)
expect(hang.done):is_nil()
expect(hang.mss):equals(1460) -- the client's own link has an MTU of 1500
say("Nothing done: the handshake went well, then %d timeouts and not a full segment in 30 s.", hang.timeouts)

local clamped = world("clamped", { clamps = true }, download)
expect(clamped.mss):equals(params.narrow - 40)
expect(clamped.done):below("1s")
expect(clamped.fragments):equals(0)
say("The router lowered the MSS in the SYN to %d: %s, largest packet %d.", clamped.mss, time_text(clamped.done),
    clamped.largest)

local cut = world("IP_PMTUDISC_DONT", { discover = 0 }, download)
expect(cut.done):below("1s")
expect(cut.fragments):above(2 * params.bytes / 1448 - 2)
say("Without DF (IP_PMTUDISC_DONT): %s, but every segment came in two pieces, %d in all.", time_text(cut.done), cut.fragments)

local asked = world("TCP_MAXSEG", { maxseg = params.narrow - 40 }, download)
expect(asked.done):below("1s")
expect(asked.fragments):equals(0)
say("TCP_MAXSEG %d at the sender: %s.", params.narrow - 40, time_text(asked.done))
