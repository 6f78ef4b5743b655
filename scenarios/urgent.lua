-- One byte stands out of the stream: it is announced at once, even into a closed
-- window, and read apart. What the RFC means by "urgent" is something else.

scenario {
    title = "Urgent data",
    about = "RFC 9293 §3.8.5, RFC 6093: MSG_OOB, SO_OOBINLINE, and which byte the pointer means.",
    params = { delay = { "10ms", about = "one way" } },
}

local function two(options)
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = { tcp_stdurg = options.stdurg } })
    local wire = link(client, server, { delay = params.delay })
    local theirs
    server:spawn(function() theirs = server:listen(80, { options = options.socket }):accept() end)
    local conn = client:connect(server, 80)
    sleep("100ms")
    conn:send("abc")
    conn:send("!", { urgent = true })
    conn:send("def")
    sleep("500ms")
    return theirs, wire:packets { from = client, match = "urg" }
end

world("out of band", function()
    local theirs, urgent = two {}
    expect(urgent):some()
    expect(theirs:recv(1, { urgent = true })):equals("!")
    expect(theirs:recv(100)):equals("abc") -- a read stops at the mark
    expect(theirs:recv(100)):equals("def")
    say("MSG_OOB: \"!\" is read apart; the stream says \"abc\", then \"def\".")
end)

world("in line", function()
    local theirs = two { socket = { SO_OOBINLINE = 1 } }
    expect(theirs:recv(100)):equals("abc")
    expect(theirs:recv(100)):equals("!def")
    say("SO_OOBINLINE: \"abc\", then \"!def\".")
end)

-- RFC 1122 said that the pointer is that of the last urgent byte; everybody had
-- implemented the byte after it, and RFC 6093 gave in. A reader by RFC 1122:
world("two opinions", function()
    local theirs = two { stdurg = 1 }
    expect(theirs:recv(1, { urgent = true })):equals("d")
    expect(theirs:recv(100)):equals("abc!")
    say("A receiver by RFC 1122, a sender as all others are: the urgent byte is \"d\", one too late.")
end)

world("into a closed window", { profile = "linux" }, function()
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = { tcp_rmem = "4096 8192 8192" } })
    local wire = link(client, server, { delay = params.delay })
    server:spawn(function() server:listen(80):accept() end)
    local conn = client:connect(server, 80)
    conn:send(10000)
    sleep("1s")
    local began = now()
    conn:send("!", { urgent = true })
    run("5s")
    -- Its byte can't go, the news of it can (RFC 9293 §3.8.6.1).
    local told = wire:packets { from = client, match = "urg", after = began }
    expect(told):some()
    expect(told:first().len):equals(0)
    say("Into a closed window: no byte, but the urgent pointer, after %.0f ms.", (told:first().at - began) * 1000)
end)
