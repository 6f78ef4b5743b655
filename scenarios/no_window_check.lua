-- An attacker who sees nothing can hit a connection only with numbers in its
-- window. Without the check any segment with the right four ports and addresses
-- is taken: the stream gets bytes that nobody sent.

scenario {
    title = "No window check",
    about = "What the sequence number protects from, besides loss.",
    params = { tries = { 50, about = "blind segments, evenly over all numbers" } },
}

local function attack(sysctl)
    local client = host("client", "10.0.0.1", { sysctl = { tcp_timestamps = 0 } })
    local server = host("server", "10.0.0.2", { sysctl = sysctl })
    local wire = link(client, server, { delay = "10ms" })
    local listener = server:listen(80)
    local conn = client:connect(server, 80, { port = 40000 })
    local peer = listener:accept()
    conn:send("honest ")
    sleep("100ms")
    local step = (1 << 32) // params.tries
    for i = 1, params.tries do -- he guesses, and guesses the ACK as well as he can
        wire:inject { to = server, after = i / 1000, like = conn, flags = "psh+ack", seq_plus = 1000000 + (i - 1) * step,
            data = "forged " }
    end
    sleep("1s")
    conn:send("honest")
    sleep("3s")
    return peer:recv(4096, { timeout = "1s" }), server
end

world("as it is", function()
    local text, server = attack { tcp_timestamps = 0 }
    expect(text):equals("honest honest")
    expect(server:connections()[1]):is_in("ESTABLISHED")
    say("As it is: %d forged segments, none in the window: \"%s\".", params.tries, text)
end)

world("without", function()
    local text = attack { tcp_timestamps = 0, ["counterfactual.no_window_check"] = true }
    expect(text):contains("forged")
    say("Without the check: \"%s\".", (text or ""):sub(1, 40))
end)
