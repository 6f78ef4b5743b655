-- Two routers keep a session open for months; who talks to whom, and from which
-- port, is no secret. An attacker beside the path sees nothing of it. He sends
-- one segment for each window's width of the 2^32 numbers, in the one router's
-- name: one of them must fall into the window. RFC 5961 asks what that may do.

scenario {
    title = "Blind injection into one connection",
    about = "RFC 5961: an RST, a SYN or data in the window, from one who sees nothing.",
    params = {
        carried = { "2MiB", about = "by the session so far: the more, the larger its window" },
        rate = { 20000, about = "segments a second" },
        rfc5961 = { 1, about = "set by each world: 0 is what RFC 793 had" },
    },
}

-- Timestamps, where both ends have them, are one more number to guess.
local SYSCTL = { tcp_timestamps = 0 }

local MESSAGE = ("withdraw all routes\n"):rep(73) -- a whole segment

local function session()
    local attacker = host("attacker", "10.0.9.1", { raw = true })
    local west = host("west", "10.0.1.1", { sysctl = SYSCTL })
    local east = host("east", "10.0.2.1",
        { sysctl = { tcp_timestamps = 0, rfc5961 = params.rfc5961, tcp_rmem = "4096 4194304 8388608" } })
    local middle = router("middle")
    link(attacker, middle, { delay = "2ms" })
    link(west, middle, { rate = "1Gbit", delay = "2ms" })
    link(middle, east, { rate = "1Gbit", delay = "2ms" })

    local listener = east:listen(179)
    local mine = west:connect(east, 179, { port = 40000 })
    local theirs = listener:accept()
    spawn(function() mine:send(params.carried) end)
    theirs:skip(params.carried)
    sleep("1s")
    return attacker, east, mine, theirs
end

-- One segment for each width of the window, through all numbers. `acks`: how
-- many guesses at the ACK number go with each. Returns how many were sent.
local function sweep(attacker, east, theirs, fields, acks)
    local step = theirs:info().rcv_wnd
    local sent = 0
    for seq = 12345, 2 ^ 32 + 12344, step do
        for guess = 1, acks or 1 do
            local segment = { src = "10.0.1.1", dst = east, sport = 40000, dport = 179, raw_seq = seq % 2 ^ 32 // 1 }
            if acks then segment.raw_ack = (guess - 1) * 2 ^ 32 // acks end
            for key, value in pairs(fields) do segment[key] = value end
            attacker:send_raw(segment)
            sleep(1 / params.rate)
            sent = sent + 1
        end
    end
    sleep("1s")
    return sent
end

local function kb(bytes)
    return bytes // 1024
end

local guesses -- that took the session down

local RULES = {
    { "linux, RFC 5961", { profile = "linux" } },
    { "rfc, RFC 5961", { profile = "rfc" } },
    { "before RFC 5961", { profile = "rfc", rfc5961 = 0 } },
}

for _, rule in ipairs(RULES) do
    local name, settings = rule[1], rule[2]
    local is_safe = settings.rfc5961 ~= 0

    for _, kind in ipairs { "rst", "syn" } do
        world(("%s: %s"):format(name, kind:upper()), settings, function()
            local attacker, east, mine, theirs = session()
            local window = theirs:info().rcv_wnd
            local sent = sweep(attacker, east, theirs, { flags = kind })
            expect(theirs:state()):equals(is_safe and "ESTABLISHED" or "CLOSED")
            mine:send("still there?")
            if is_safe then
                expect(theirs:recv()):equals("still there?")
                expect(east:counter("TCPChallengeACK")):between(1, 2)
            else
                local _, problem = theirs:recv()
                expect(problem):equals("ECONNRESET")
                guesses = sent
            end
            say("%-16s  %d %ss, one each %d KiB: %s.", name, sent, kind:upper(), kb(window),
                is_safe and ("the session lives, %d challenge ACK"):format(east:counter("TCPChallengeACK")) or "reset")
        end)
    end

    -- RFC 793 takes data with any ACK number of the lower half: two guesses do.
    -- The forged segment waits until the honest stream comes to its place; what
    -- an honest segment does not cover first is read as the stream.
    world(("%s: data"):format(name), settings, function()
        local attacker, east, mine, theirs = session()
        local window = theirs:info().rcv_wnd
        local sent = sweep(attacker, east, theirs, { flags = "psh+ack", data = MESSAGE }, 2)
        spawn(function() mine:send(window) end) -- up to where the forged bytes wait
        sleep("1s")
        local foreign, owner = 0, nil
        for _, part in ipairs(theirs:recv_parts(window)) do
            owner = owner or part.stream
            if part.stream ~= owner then foreign = foreign + #part.bytes end
        end
        if is_safe then
            expect(foreign):equals(0)
            expect(east:counter("TCPChallengeACK")):at_least(1)
        else
            expect(foreign):between(1, #MESSAGE)
        end
        say("%-16s  %d forged messages, two ACK numbers each: %s.", name, sent,
            is_safe and ("none taken, %d challenge ACK"):format(east:counter("TCPChallengeACK"))
            or ("it reads %d bytes that nobody sent"):format(foreign))
    end)
end

say("One segment in the window was enough, in %.2f s. By RFC 5961 an RST must be exact: up to 2^32 guesses, %.0f hours at this rate.",
    guesses / params.rate, 2 ^ 32 / params.rate / 3600)
