-- We have closed and our FIN is acknowledged; the peer never closes. As long as
-- the socket is open (shutdown), nothing ends this: half-close is a right. After
-- close() Linux waits tcp_fin_timeout, RFC 9293 for ever.

scenario {
    title = "FIN-WAIT-2 without end",
    about = "Who frees a connection whose peer never closes?",
    params = { fin_timeout = { "60s", about = "tcp_fin_timeout" }, watched = "10min" },
}

local function half_closed(how)
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    local theirs
    server:spawn(function() theirs = server:listen(80):accept() end)
    local conn = client:connect(server, 80)
    run("100ms")
    if how == "close" then conn:close() else conn:shutdown("write") end
    run(params.watched)
    return client, theirs, wire
end

world("shutdown", function()
    local client = half_closed("shutdown")
    expect(client:count("FIN_WAIT_2")):equals(1) -- in either profile
end)

world("close, linux", { profile = "linux" }, function()
    local client, theirs, wire = half_closed("close")
    expect(client:count("FIN_WAIT_2")):equals(0)
    expect(client:connections()[1]:spent("FIN_WAIT_2")):near(params.fin_timeout, "100ms")
    theirs:send(10) -- to nobody
    run("1s")
    expect(wire:packets { from = client, match = "rst" }):count(1)
    expect(select(2, theirs:send(10))):equals("EPIPE")
    say("Linux: an orphan leaves FIN-WAIT-2 after %s; what comes then gets RST.", time_text(params.fin_timeout))
end)

world("close, by the RFC", { profile = "rfc" }, function()
    local client = half_closed("close")
    expect(client:count("FIN_WAIT_2")):equals(1)
    say("RFC 9293: it is still there after %s.", time_text(params.watched))
end)
