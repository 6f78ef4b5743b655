-- The round trip jumps from 40 ms to 800. Every segment times out before
-- its ACK comes, and that ACK does not say which copy it is for.

scenario {
    title = "Karn's algorithm",
    about = "RFC 6298 §3, §5: no samples of what was sent twice, and a back-off that stays until there is one.",
    params = {
        before = { "20ms", about = "delay one way" },
        later = { "400ms", about = "and after the jump" },
        messages = { 6, about = "sent after it, one at a time" },
    },
}

-- A message at a time; how often each was sent, and the sender's idea of the path.
local function messages(sysctl)
    sysctl.tcp_frto, sysctl.undo, sysctl.tcp_early_retrans = 0, 0, 0
    local client, server = host("client", "10.0.0.1", { sysctl = sysctl }), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = params.before })
    server:spawn(function()
        local theirs = server:listen(80):accept()
        while theirs:recv() ~= "" do end
    end)
    local conn = client:connect(server, 80)
    local function send_one()
        local sent = client:counter("RetransSegs")
        conn:send(100)
        while conn:unacked() > 0 do sleep("10ms") end
        sleep("2s") -- what is late has come
        return 1 + client:counter("RetransSegs") - sent
    end
    for _ = 1, 4 do send_one() end
    wire:change { delay = params.later }
    local tries = {}
    for i = 1, params.messages do tries[i] = send_one() end
    return tries, conn:info(), client
end

world("without timestamps", { profile = "linux" }, function()
    local tries, info = messages { tcp_timestamps = 0 }
    -- The first goes at 0, 241 and 723 ms. Its ACK gives no sample, so the RTO stays four
    -- times as long: enough for the second message, whose ACK is clear.
    expect(tries[1]):equals(3)
    expect(tries[2]):equals(1)
    expect(tries[params.messages]):equals(1)
    expect(info.rtt):above(0.3)
    say("Without timestamps: sent %s times; no sample of the first, yet its back-off saves the second.",
        table.concat(tries, ", "))
end)

world("with timestamps", { profile = "linux" }, function()
    local tries, info, client = messages {}
    -- RFC 7323 §4: the echo says which copy. The first ACK is a sample already.
    expect(tries[1]):equals(3)
    expect(tries[2]):equals(1)
    expect(info.rtt):above(0.3)
    expect(client:counter("TCPTimeouts")):equals(2)
    say("With timestamps: sent %s times; RTO %.0f ms in the end.", table.concat(tries, ", "), info.rto * 1000)
end)
