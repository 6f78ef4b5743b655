-- What a segment makes of TIME-WAIT. A SYN that can't be old opens the pair
-- anew (RFC 9293 §3.6.1, RFC 6191): its number is higher, or its timestamp is
-- newer. Any other SYN is answered with an ACK of the old connection, but
-- RFC 6191 drops one whose timestamp is older in silence. An RST ends the entry
-- only if its number is exact, and not at all by RFC 1337. An ACK in the window
-- says nothing to the RFC; Linux answers it.

scenario {
    title = "A segment meets TIME-WAIT",
    about = "Beyond the textbooks: which SYN opens a connection anew, and which RST ends the wait.",
    params = {
        after = { "100ms", about = "how old the entry is" },
        tick = { 20, about = "how much older or newer a timestamp is, in ticks" },
    },
}

local function place()
    local raw = host("peer", "10.0.0.1", { raw = true })
    local server = host("server", "10.0.0.2")
    link(raw, server, { delay = "10ms" })
    server:spawn(function()
        local listener = server:listen(80)
        while true do listener:accept():close() end
    end)
    return raw, server
end

-- A connection is opened and closed, by the server first, and then one more
-- segment arrives. What answers it, and does the entry stay?
local function met(raw, server, sport, case)
    local clock = 1000
    local function send(fields)
        fields.dst, fields.sport, fields.dport = server, sport, 80
        if case.ts then fields.tsval, fields.tsecr = fields.tsval or clock, 0 end
        raw:send_raw(fields)
    end
    send { flags = "syn", raw_seq = 100000, mss = 1460 }
    local iss = raw:recv_raw({ timeout = "1s" }).raw_seq
    send { flags = "ack", raw_seq = 100001, raw_ack = (iss + 1) % 2 ^ 32 // 1 }
    raw:recv_raw { match = "fin", timeout = "1s" }
    send { flags = "fin+ack", raw_seq = 100001, raw_ack = (iss + 2) % 2 ^ 32 // 1 }
    sleep(params.after)
    local waiting = server:count("TIME_WAIT")
    repeat until not raw:recv_raw { timeout = "1ms" } -- what answered our FIN

    local tsval = case.ts and clock + (case.ts == "newer" and params.tick or -params.tick)
    send { flags = case.flags, raw_seq = 100002 + case.seq, mss = case.flags == "syn" and 1460 or nil, tsval = tsval }
    local answer = raw:recv_raw { timeout = "100ms" }
    return answer and answer.flags or "nothing", server:count("TIME_WAIT") == waiting and "stays" or "gone"
end

local SYNS = {
    { flags = "syn", seq = 1, answer = "SYN+ACK", entry = "gone" },
    { flags = "syn", seq = 0, answer = "ACK", entry = "stays", rfc_answer = "SYN+ACK", rfc_entry = "gone" },
    { flags = "syn", seq = -1000, answer = "ACK", entry = "stays" },
    { flags = "syn", seq = -1000, ts = "newer", answer = "SYN+ACK", entry = "gone" },
    { flags = "syn", seq = 1000, ts = "older", answer = "ACK", rfc_answer = "nothing", entry = "stays" },
}
local OTHERS = {
    { flags = "rst", seq = 0, answer = "nothing", entry = "gone", rfc_entry = "stays" }, -- tcp_rfc1337
    { flags = "rst", seq = 1, answer = "nothing", entry = "stays" },
    { flags = "ack", seq = 0, answer = "nothing", entry = "stays" },
    { flags = "ack", seq = 1000, answer = "ACK", rfc_answer = "nothing", entry = "stays" },
}

local function words(case, answer, entry)
    return ("%s %+d%s: %s, %s"):format(case.flags:upper(), case.seq, case.ts and " " .. case.ts or "", answer, entry)
end

for _, profile in ipairs { "linux", "rfc" } do
    for _, group in ipairs { { "SYN", SYNS }, { "RST and ACK", OTHERS } } do
        local name, cases = group[1], group[2]
        local told = {}
        world(("%s, %s"):format(profile, name), { profile = profile }, function()
            local raw, server = place()
            for i, case in ipairs(cases) do
                local answer, entry = met(raw, server, 4000 + i, case)
                local label = words(case, answer, entry)
                expect(answer):as(label):equals(profile == "rfc" and case.rfc_answer or case.answer)
                expect(entry):as(label):equals(profile == "rfc" and case.rfc_entry or case.entry)
                told[i] = label
            end
        end)
        say("%-5s  %s.", profile, table.concat(told, "; "))
    end
end
