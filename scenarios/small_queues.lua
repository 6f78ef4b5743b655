-- A host sends faster than its own card. What it hands down waits in the queue of
-- the card, in front of everything else that the host has to say. Linux hands
-- down no more of a connection than a millisecond or two bursts (TCP small
-- queues), and lets small writes gather while earlier ones still wait there
-- (autocorking). Neither is on the wire; both are seen there.

scenario {
    title = "Small queues on the sender",
    about = "What tcp_limit_output_bytes and tcp_autocorking do when the card is slow.",
    params = {
        rate = { "10Mbit", about = "of the sender's card" },
        bytes = { "4MB", about = "of the upload" },
        writes = { 200, about = "of 50 bytes each, in the second half" },
    },
}

local function hosts(sysctl)
    local client, server = host("client", "10.0.0.1", { sysctl = sysctl }), host("server", "10.0.0.2")
    link(client, server, { rate = params.rate, delay = "5ms" })
    client:send_queue { packets = 1000 }
    return client, server
end

-- An upload fills the queue while a second connection asks for an answer every 100 ms.
local function upload_and_chat(limit)
    local client, server = hosts { tcp_limit_output_bytes = limit }
    server:spawn("upload", function()
        local conn = server:listen(80):accept()
        conn:recv_eof()
    end)
    server:spawn("chat", function()
        local conn = server:listen(23):accept()
        while conn:recv(1) do conn:send("x") end
    end)
    client:spawn("upload", function() client:connect(server, 80):send(params.bytes) end)
    local longest = 0
    client:spawn("chat", function()
        local conn = client:connect(server, 23)
        for _ = 1, 20 do
            sleep("100ms")
            local asked = now()
            conn:send("x")
            conn:recv(1)
            longest = math.max(longest, now() - asked)
        end
    end)
    run("4s")
    return client, longest
end

local slow

world("without a limit", function()
    local client
    client, slow = upload_and_chat(4294967295)
    expect(client:peak("send_queue")):above(20)
    say("Without a limit, up to %d bursts wait in front of the card, and an answer that needs 10 ms takes up to %.0f ms.",
        client:peak("send_queue"), slow * 1000)
end)

world("small queues", function()
    local client, longest = upload_and_chat(4194304)
    expect(client:peak("send_queue")):at_most(5)
    expect(longest):below(slow / 3)
    say("With small queues at most %d wait, and the answer takes at most %.0f ms.", client:peak("send_queue"),
        longest * 1000)
end)

-- Many small writes one after the other, Nagle off. That no window and no small
-- queue is in their way leaves autocorking alone to decide.
local function small_writes(autocorking)
    local client, server = hosts { tcp_autocorking = autocorking, tcp_limit_output_bytes = 4294967295,
        initial_cwnd = 1000 }
    server:spawn(function()
        local conn = server:listen(80):accept()
        conn:recv_eof()
        conn:close()
    end)
    client:spawn(function()
        local conn = client:connect(server, 80, { options = { TCP_NODELAY = true } })
        for _ = 1, params.writes do
            conn:send(string.rep("w", 50))
            sleep("20us")
        end
        conn:close()
    end)
    run("5s")
    return #client:packets { from = client, match = "data" }, client:counter("TCPAutoCorking")
end

local apart

world("every write a segment", function()
    local corked
    apart, corked = small_writes(0)
    expect(corked):equals(0)
    say("%d small writes without autocorking: %d segments.", params.writes, apart)
end)

world("autocorking", function()
    local together, corked = small_writes(1)
    expect(corked):above(0)
    expect(together):below(apart / 2)
    say("With autocorking: %d.", together)
end)
