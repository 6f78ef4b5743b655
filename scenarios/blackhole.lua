-- A router drops what is too large and sends no ICMP, or a firewall eats it.
-- tcp_mtu_probing says what a sender makes of it: 0 nothing, for ever; 1 after
-- some timeouts it tries smaller segments; 2 it begins small and feels its way up.

scenario {
    title = "A black hole for path MTU discovery",
    about = "tcp_mtu_probing 0, 1 and 2.",
    params = { middle = 1000, bytes = "20kB", probing = { 0, about = "tcp_mtu_probing: set by each world" }, eats = true },
}

local function transfer(span)
    local client = host("client", "10.0.1.1", { sysctl = { tcp_mtu_probing = params.probing } })
    local server = host("server", "10.0.2.1")
    local silent = router("silent")
    link(client, silent, { delay = "5ms" })
    link(silent, server, { delay = "5ms", mtu = params.eats and params.middle or 1500 })
    silent:sysctl("halfopen.icmp_errors", 0)
    local got, done
    server:spawn(function()
        local conn = server:listen(80, { options = {} }):accept()
        got = conn:skip(params.bytes)
        done = now()
    end)
    -- the server's own link is narrow too, but the SYN-ACK must not tell
    server:sysctl("advertise_mss", 1460)
    local conn = client:connect(server, 80)
    conn:send(params.bytes)
    run(span)
    return done, client, conn, got
end

-- The RFC's first timeout is a second where Linux's is 0.2 s: the same, only later.
local expected = {
    linux = { timeouts = 7, done = { "6s", "9s" } },
    rfc = { timeouts = 5, done = { "60s", "70s" } },
}
for _, profile in ipairs { "linux", "rfc" } do
    local want = expected[profile]

    world(profile .. ", 0", { profile = profile, probing = 0 }, function()
        local done, client = transfer("60s")
        expect(done):is_nil()
        expect(client:counter("TCPTimeouts")):at_least(want.timeouts)
        say("%-5s 0: after a minute and %d timeouts not a byte was through.", profile, client:counter("TCPTimeouts"))
    end)

    world(profile .. ", 1", { profile = profile, probing = 1 }, function()
        local done, client = transfer("3min")
        expect(done):between(want.done[1], want.done[2]) -- 1024 is tried at the fourth timeout, 512 at the fifth
        local sizes = {}
        for _, p in ipairs(client:packets { from = client, match = "data" }) do sizes[p.len] = true end
        expect(sizes[512]):is_true()
        say("%-5s 1: smaller segments after the fourth timeout; done after %s.", profile, time_text(done or 0))
    end)

    world(profile .. ", 2, a clear path", { profile = profile, probing = 2, eats = false, bytes = "1MB" }, function()
        local done, client, conn = transfer("60s")
        local first = client:packets { from = client, match = "data" }:first()
        expect(first.len):equals(1024) -- tcp_base_mss
        expect(client:counter("TCPMTUPSuccess")):at_least(3)
        expect(done):below("2s")
        expect(conn:info().snd_mss):above(1400)
        say("%-5s 2: began with 1024 bytes, and %d probes later sent %d.", profile, client:counter("TCPMTUPSuccess"),
            conn:info().snd_mss)
    end)
end
