-- Past tcp_max_tw_buckets "all TIME-WAIT sockets are destroyed", it is said. In
-- truth the old entries stay; a new close finds no room and goes without.

scenario {
    title = "Too many TIME-WAIT entries",
    about = "CLAIMS 45, 50: tcp_max_tw_buckets.",
    params = { buckets = 2, visits = 5 },
}

local function visits(default)
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    expect(client:sysctl("tcp_max_tw_buckets")):as("the default"):equals(default)
    client:sysctl("tcp_max_tw_buckets", params.buckets)
    local wire = link(client, server, { delay = "10ms" })
    server:spawn(function()
        local listener = server:listen(80)
        while true do
            local conn = listener:accept()
            conn:recv_eof()
            sleep("30ms")
            conn:close()
        end
    end)
    for i = 1, params.visits do
        client:connect(server, 80):close()
        sleep("200ms")
        expect(client:count("TIME_WAIT")):as("entries after visit " .. i):equals(math.min(i, params.buckets))
    end
    expect(client:counter("TCPTimeWaitOverflow")):equals(params.visits - params.buckets)
    -- The oldest entry is not touched: it lasts as long as it would have alone.
    run("5min")
    expect(client:connections()[1]:spent("TIME_WAIT")):near(client:sysctl("timewait") / 1000, "100ms")
    return client, wire:packets { from = client, match = "rst" }
end

-- Linux gives an orphan in FIN-WAIT-2 one of the same entries, and finds no room
-- for it: the peer's FIN meets nobody. By the RFC the connection lives until the
-- FIN has come and is acknowledged; only then is there no room for its wait.
world("linux", { profile = "linux" }, function()
    local client, rsts = visits(131072) -- by the host's memory; not the 18000 of old
    expect(rsts):count(params.visits - params.buckets)
    say("Linux: %d entries stayed, %d closes went without TIME-WAIT, from FIN-WAIT-2; their servers' FINs got RST.",
        params.buckets, client:counter("TCPTimeWaitOverflow"))
end)

world("rfc", { profile = "rfc" }, function()
    local client, rsts = visits(4294967295) -- no such bound
    expect(rsts):none()
    say("RFC: %d entries stayed, %d closes went without TIME-WAIT, once they had acknowledged the server's FIN.",
        params.buckets, client:counter("TCPTimeWaitOverflow"))
end)
