-- "Only the third segment may carry data." RFC 9293 lets a SYN carry some: they
-- are kept until the handshake is complete. Linux, without Fast Open, acknowledges
-- the SYN alone, and the data have to come again.

scenario {
    title = "Data on a SYN",
    about = "CLAIM 12: allowed by the RFC, ignored by Linux.",
    params = { text = "hello" },
}

local function try()
    local raw = host("raw", "10.0.0.1", { raw = true })
    local server = host("server", "10.0.0.2")
    link(raw, server, { delay = "10ms" })
    local got
    server:spawn(function() got = server:listen(80):accept():recv { timeout = "1s" } end)
    raw:send_raw { dst = server, sport = 5000, dport = 80, flags = "syn", raw_seq = 1000, mss = 1460, data = params.text }
    local reply = raw:recv_raw { match = "syn+ack", timeout = "1s" }
    raw:send_raw { dst = server, sport = 5000, dport = 80, flags = "ack", raw_seq = 1001 + reply.raw_ack - 1001,
        raw_ack = reply.raw_seq + 1 }
    run("2s")
    return reply.raw_ack - 1000, got
end

world("linux", { profile = "linux" }, function()
    local acked, got = try()
    expect(acked):equals(1) -- the SYN alone
    expect(got):is_nil()
    say("Linux acknowledged the SYN alone.")
end)

world("rfc", { profile = "rfc" }, function()
    local acked, got = try()
    expect(got):equals(params.text) -- nothing was sent again
    expect(acked):equals(1) -- the data are kept, and acknowledged with what comes next
    say("RFC 9293: \"%s\" was kept and read once the handshake was complete.", got or "")
end)
