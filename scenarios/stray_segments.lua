-- Segments that fit nowhere, one at a time: at a closed port, at a listener,
-- at an open connection. RFC 9293 §3.10.7 and RFC 5961 say what each is
-- answered with, and Linux does just that.

scenario {
    title = "Stray segments",
    about = "Beyond the textbooks: a stray ACK to LISTEN gets RST, an RST off the next number a challenge ACK.",
    params = {
        state = { "closed", about = "set by each world", choices = { "closed", "listening", "established" } },
    },
}

-- At an established connection the number counts from what is expected next; the window is 64 KiB or so.
local CASES = {
    closed = {
        { "syn", 0, "RST+ACK" }, { "ack", 0, "RST" }, { "syn+ack", 0, "RST" }, { "fin", 0, "RST+ACK" },
        { "none", 0, "RST+ACK" }, { "rst", 0, "nothing" },
    },
    listening = {
        { "syn", 0, "SYN+ACK" }, { "ack", 0, "RST" }, { "syn+ack", 0, "RST" }, { "fin+ack", 0, "RST" },
        { "fin", 0, "nothing" }, { "none", 0, "nothing" }, { "rst", 0, "nothing" },
    },
    established = {
        { "rst", 1000, "ACK" }, { "rst", -1000, "nothing" }, { "rst", 1000000, "nothing" }, { "syn", 0, "ACK" },
        { "syn", 1000000, "ACK" }, { "syn+ack", -1, "ACK" }, { "ack", -1000, "ACK" }, { "rst", 0, "nothing" },
    },
}

-- Plays a case from a port of its own: what is it answered with, and what became of the server's connection?
local function stray(raw, server, sport, case)
    local function send(fields)
        fields.dst, fields.sport, fields.dport = server, sport, 80
        raw:send_raw(fields)
    end
    local seq, ack = 100000, 5000
    if params.state == "established" then
        send { flags = "syn", raw_seq = 100000, mss = 1460 }
        seq, ack = 100001, (raw:recv_raw({ timeout = "1s" }).raw_seq + 1) % 2 ^ 32 // 1
        send { flags = "ack", raw_seq = seq, raw_ack = ack }
        run("20ms")
    end
    local open, challenges = server:count("ESTABLISHED"), server:counter("TCPChallengeACK")
    send { flags = case[1], raw_seq = seq + case[2], raw_ack = case[1]:find("ack") and ack or 0 }
    local answer = raw:recv_raw { timeout = "50ms" }
    return answer and answer.flags or "nothing", open - server:count("ESTABLISHED"),
        server:counter("TCPChallengeACK") - challenges
end

for _, profile in ipairs { "linux", "rfc" } do
    for _, state in ipairs { "closed", "listening", "established" } do
        local words = {}
        world(("%s, %s"):format(profile, state), { profile = profile, state = state }, function()
            local raw, server = host("peer", "10.0.0.1", { raw = true }), host("server", "10.0.0.2")
            link(raw, server, { delay = "10ms" })
            if state ~= "closed" then server:listen(80) end
            for i, case in ipairs(CASES[state]) do
                local got, ended, challenges = stray(raw, server, 4000 + i, case)
                local name = case[1]:upper() .. (state == "established" and ("%+d"):format(case[2]) or "")
                expect(got):as(name):equals(case[3])
                -- Only the exact RST ends a connection; one beside it, and any SYN, are challenged.
                expect(ended):as(name .. " ends"):equals(state == "established" and name == "RST+0" and 1 or 0)
                local challenged = state == "established" and case[3] == "ACK" and case[1] ~= "ack"
                expect(challenges):as(name .. " is challenged"):equals(challenged and 1 or 0)
                words[i] = name .. ": " .. got
            end
        end)
        if profile == "linux" then say("%-11s  %s", state, table.concat(words, ", ")) end
    end
end
say("The same by the RFC and on Linux.")
