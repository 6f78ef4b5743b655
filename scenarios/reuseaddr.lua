-- A server is restarted and can't have its port back: a connection of its former
-- life is in TIME-WAIT. SO_REUSEADDR, and what it does not allow.

scenario {
    title = "SO_REUSEADDR and SO_REUSEPORT",
    about = "socket(7), ip(7): who may bind a port that is in use.",
    params = { delay = { "10ms", about = "one way" } },
}

-- A server that closed first has stopped; the port has a TIME-WAIT entry.
local function restarted(reuse)
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    link(client, server, { delay = params.delay })
    local listener = server:listen(80, { reuseaddr = reuse })
    server:spawn(function()
        local theirs = listener:accept()
        theirs:close()
        listener:close()
    end)
    local conn = client:connect(server, 80)
    conn:recv_eof()
    conn:close()
    sleep("1s")
    return server
end

world("without", { profile = "linux" }, function()
    local server = restarted(false)
    expect(server:count("TIME_WAIT")):equals(1)
    expect(server:listen(80, { reuseaddr = false })):fails("EADDRINUSE")
    local began = now()
    while not server:listen(80, { reuseaddr = false }) do sleep("1s") end
    expect(now() - began):between("55s", "61s")
    say("Without SO_REUSEADDR: EADDRINUSE for %.0f s, as long as TIME-WAIT lasts.", now() - began)
end)

world("with", function()
    local server = restarted(true)
    expect(server:count("TIME_WAIT")):equals(1)
    expect(server:listen(80)):succeeds()
    say("With it, on the old socket and the new: at once, TIME-WAIT notwithstanding.")
end)

world("two listeners", function()
    local server = host("server", { "10.0.0.2", "10.0.1.2" })
    link(server, host("one", "10.0.0.1"))
    link(server, host("other", "10.0.1.1"))
    local first = server:listen(80, { address = "10.0.0.2" })
    -- SO_REUSEADDR is no licence to steal: while one listens there nobody else may.
    expect(server:listen(80, { address = "10.0.0.2" })):fails("EADDRINUSE")
    expect(server:listen(80)):fails("EADDRINUSE") -- every address, that one too
    expect(server:listen(80, { address = "10.0.1.2" })):succeeds()
    first:close()
    expect(server:listen(80, { address = "10.0.0.2" })):succeeds()
    say("Two listeners on one port: never on one address, whatever they ask for.")
end)

world("SO_REUSEPORT", function()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    link(client, server, { delay = params.delay })
    local served = { 0, 0 }
    for i = 1, 2 do
        local listener = server:listen(80, { options = { SO_REUSEPORT = 1 } })
        server:spawn(function()
            while true do
                listener:accept():close()
                served[i] = served[i] + 1
            end
        end)
    end
    expect(server:listen(80)):fails("EADDRINUSE") -- one that did not ask
    for _ = 1, 60 do client:connect(server, 80):close() end
    run("1s")
    expect(served[1] + served[2]):equals(60)
    expect(served[1]):between(10, 50)
    say("SO_REUSEPORT: two listeners share the port, and 60 connections as %d and %d.", served[1], served[2])
end)
