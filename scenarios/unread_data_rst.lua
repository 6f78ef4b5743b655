-- A server answers before it has read all of the request, and closes. What it did
-- not read makes close() a reset: nobody will send the answer again if it is lost.

scenario {
    title = "close() with data unread",
    about = "RFC 2525 §2.17, RFC 9293 §3.10.4: why an early answer gets lost, and how a server keeps it.",
    params = {
        delay = { "20ms", about = "one way" },
        upload = { "500kB", about = "what the client sends" },
    },
}

-- A client that sends a large request and only then reads; what its calls said.
local function upload(answers, lose)
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { rate = "20Mbit", delay = params.delay })
    if lose then wire:drop { from = server, match = "data", nth = 1 } end
    server:spawn(function()
        local theirs = server:listen(80):accept()
        theirs:recv(1000) -- the header: too large, says the server
        answers(theirs)
    end)
    local conn = client:connect(server, 80)
    local _, problem = conn:send(size(params.upload))
    local answer = conn:recv()
    run("5s")
    return { answer = answer, problem = problem, wire = wire, server = server }
end

local function answer_and_close(theirs)
    theirs:send("413 too large")
    theirs:close()
end

world("close()", function()
    local t = upload(answer_and_close)
    expect(t.wire:packets { from = t.server, match = "rst" }):some()
    expect(t.wire:packets { from = t.server, match = "fin" }):none()
    expect(t.server:counter("TCPAbortOnClose")):equals(1)
    expect(t.problem):equals("ECONNRESET")
    expect(t.answer):equals("413 too large") -- it came before the reset: Linux keeps it
    say("close(): the client's send() says %s; a client that reads nevertheless finds the answer.", t.problem)
end)

world("close(), and the answer is lost once", function()
    local t = upload(answer_and_close, true)
    expect(t.problem):equals("ECONNRESET")
    expect(t.answer):one_of { "" } -- and nobody is left to send it again
    say("close(), and the answer's packet is lost: %s, and no answer ever.", t.problem)
end)

world("shutdown() and read on", function()
    local t = upload(function(theirs)
        theirs:send("413 too large")
        theirs:shutdown()
        theirs:recv_eof { timeout = "2s" } -- a lingering close: what still comes is read and thrown away
        theirs:close()
    end, true)
    expect(t.wire:packets { match = "rst", before = 2 }):none()
    expect(t.problem):is_nil()
    expect(t.answer):equals("413 too large")
    expect(t.server:counter("TCPAbortOnClose")):equals(0)
    say("shutdown(), then reading until the client is done: it gets \"%s\", lost packet or not.", t.answer)
end)
