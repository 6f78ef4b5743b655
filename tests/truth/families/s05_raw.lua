-- Segments of a player into SYN_RECV, ESTABLISHED and TIME_WAIT.
local R = require "raw"

R.scenario {
    title = "Recordings s05, s10: segments that do not fit",
    params = { kind = { "synrecv", choices = { "synrecv", "established", "ratelimit", "timewait" } }, ts = true, rfc1337 = 0, steps_at = "" },
}
R.world { sysctl = params.kind == "timewait" and { ["net.ipv4.tcp_rfc1337"] = params.rfc1337 } or nil }
R.step_times(params.steps_at)
local ten = ("x"):rep(10)

local function relative(number, base) return R.u32(number - base) end

local function synrecv()
    R.b:listen(R.port, { backlog = 64 })
    local sport = 40999
    -- ackd: the acknowledgment number less the server's first; false: no such number
    local function step(what, flags, seq, ackd, o)
        sport = sport + 1
        local r = R.raw("A", { sport = sport, ts = params.ts })
        r:send("S", { seq = 100000 })
        local irs = r:recv().raw_seq
        sleep("50ms")
        R.await_step()
        local before = R.b:counters()
        o = o or {}
        o.seq, o.ack = seq, ackd and irs + ackd or 0
        r:send(flags, o)
        local replies = {}
        for _, p in ipairs(r:drain(.06)) do
            local from = p.raw_seq == 0 and "seq 0" or ("seq-irs %d"):format(relative(p.raw_seq, irs))
            replies[#replies + 1] = ("%s %s ack %d"):format(R.letters(p.flags), from, p.raw_ack)
        end
        local states = R.states(R.b, sport)
        R.step { what = what, replies = replies, states = states, counters = R.counters_since(R.b, before) }
        if #states > 0 then r:send("R", { seq = 100001 }) end
    end
    step("same SYN again", "S", 100000)
    step("SYN 95000 (older)", "S", 95000)
    step("SYN 100010 (newer, in window)", "S", 100010)
    step("SYN 105000 (newer, in window)", "S", 105000)
    step("SYN 1100000 (newer, beyond window)", "S", 1100000)
    if params.ts then
        step("SYN 100000 same seq, older tsval", "S", 100000, false, { tsval = 1000 })
        step("SYN 105000 with older tsval", "S", 105000, false, { tsval = 1000 })
        step("ACK right, older tsval (PAWS)", ".", 100001, 1, { tsval = 1000 })
    end
    step("ACK with wrong ack (irs+1000)", ".", 100001, 1000)
    step("ACK with wrong ack (irs)", ".", 100001, 0)
    step("ACK right, seq beyond window (+200000)", ".", 300001, 1)
    step("ACK right, seq 90000 (before window)", ".", 90000, 1)
    step("ACK right, seq 100051 (hole of 50 before it)", ".", 100051, 1)
    step("data 10 B at 100011 (hole of 10), right ack", "P.", 100011, 1, { data = ten })
    step("data 10 B at 100001, right ack", "P.", 100001, 1, { data = ten })
    step("FIN ACK right", "F.", 100001, 1)
    step("FIN without ACK", "F", 100001)
    step("data without ACK flag", "P", 100001, false, { data = ten })
    step("SYN-ACK", "S.", 100000, 1)
    step("RST seq 95001 (below window)", "R", 95001)
    step("RST seq 101001 (in window, not exact)", "R", 101001)
    step("RST seq 100001 exact", "R", 100001)
    step("RST-ACK seq 100001 right ack", "R.", 100001, 1)
    step("RST-ACK seq 100001 wrong ack", "R.", 100001, 500)
end

-- What A last sent: the forgeries are made to fit it.
local function watch_client()
    local last = {}
    R.wire:script({ from = R.a }, function(p)
        last.seq = p.raw_seq + p.len + (p.flags:find("SYN", 1, true) and 1 or 0)
        last.ts = p.tsval
        if p.flags:find("ACK", 1, true) then last.ack = p.raw_ack end
    end)
    return last
end

local function forge(last, flags, seqd, ackd, tsd, data)
    local segment = { to = R.b, src = R.a, dst = R.b, sport = 40000, dport = R.port, flags = flags, win = 64, data = data,
        raw_seq = R.u32(last.seq + seqd) }
    if flags:find("ack", 1, true) then segment.raw_ack = R.u32(last.ack + ackd) end
    if flags:find("syn", 1, true) then segment.mss, segment.sack_ok = 1460, true end
    if not flags:find("rst", 1, true) then segment.tsval, segment.tsecr = R.u32(last.ts + 10 + tsd), 0 end
    R.inject(segment)
end

local function established()
    local last = watch_client()
    local client, server = R.pair { sport = 40000 }
    client:send(100)
    sleep("100ms")
    server:recv(100)
    local hundred = ("x"):rep(100)
    local function step(what, flags, seqd, ackd, tsd, data)
        sleep("700ms") -- beyond tcp_invalid_ratelimit
        R.await_step()
        local before, mark = R.b:counters(), now()
        forge(last, flags, seqd, ackd or 0, tsd or 0, data)
        sleep("80ms")
        local replies = {}
        for _, p in ipairs(R.wire:packets { after = mark }) do
            if not p.is_forged then replies[#replies + 1] = p.from .. ">" .. p.to .. " " .. R.letters(p.flags) end
        end
        R.step { what = what, replies = replies, states = R.states(R.b), counters = R.counters_since(R.b, before) }
    end
    step("SYN seq=rcv_nxt (in window)", "syn", 0)
    step("SYN seq=rcv_nxt-100000 (old)", "syn", -100000)
    step("SYN seq=rcv_nxt+1e6 (beyond)", "syn", 1000000)
    step("SYN old tsval", "syn", 0, 0, -1000000)
    step("SYN-ACK in window", "syn+ack", 0)
    step("RST in window not exact (rcv_nxt+10)", "rst", 10)
    step("RST out of window (rcv_nxt-10)", "rst", -10)
    step("ACK of unsent data (ack+1000)", "ack", 0, 1000)
    step("ACK very old (ack-10000000)", "ack", 0, -10000000)
    step("old pure ACK seq -10", "ack", -10)
    step("data below window (dup 100 B)", "psh+ack", -100, 0, 0, hundred)
    step("data beyond window (+1e6)", "psh+ack", 1000000, 0, 0, hundred)
    step("data PAWS fail (old tsval)", "psh+ack", 0, 0, -1000000, hundred)
    step("RST exact seq", "rst", 0)
    R.call("B", "recv", function() return server:recv(10) end)
    R.call("A", "send 10", function() return client:send(10) end)
    sleep("200ms")
    R.call("A", "recv", function() return client:recv(10) end)
end

local function ratelimit()
    local first
    R.wire:script({ from = R.a }, function(p)
        if not first and not p.flags:find("SYN", 1, true) then first = { seq = p.raw_seq, ts = p.tsval } end
    end)
    R.pair { sport = 40000 }
    sleep("100ms")
    for _ = 1, 12 do
        R.inject { to = R.b, src = R.a, dst = R.b, sport = 40000, dport = R.port, flags = "syn", raw_seq = first.seq,
            win = 64, mss = 1460, tsval = R.u32(first.ts + 10), tsecr = 0 }
        sleep("100ms")
    end
end

local function timewait()
    local listener = R.b:listen(R.port, { backlog = 16 })
    local sport = 40999
    local function enter()
        local r = R.raw("A", { sport = sport, ts = params.ts })
        r:send("S", { seq = 100000 })
        local p = r:recv()
        r.seq, r.ack, r.irs = 100001, R.u32(p.raw_seq + 1), p.raw_seq
        r:send(".")
        local conn = listener:accept { timeout = "2s" }
        if not conn then return r end
        conn:close()
        p = r:recv()
        r.ack = R.u32(p.raw_seq + 1)
        r:send("F.")
        r.seq = r.seq + 1
        r:drain(.05)
        r.lastts = r:tsv()
        return r
    end
    local function step(what, flags, o)
        sport = sport + 1
        local r = enter()
        R.await_before_step(1.2)
        local before = R.b:counters()
        sleep("1.2s")
        R.await_step()
        o = o or {}
        if o.last_ts then o.tsval, o.last_ts = r.lastts, nil end
        r:send(flags, o)
        local replies = {}
        for _, p in ipairs(r:drain(.1)) do
            local acks = p.flags:find("ACK", 1, true) and relative(p.raw_ack, 100002) or "none"
            replies[#replies + 1] = ("%s seq %d ack %s"):format(R.letters(p.flags), relative(p.raw_seq, r.irs), acks)
        end
        local states = {}
        for _, row in ipairs(R.b:sockets()) do
            if row.remote_port == sport then
                local state = row.state == "SYN-RECEIVED" and "SYN_RECV" or (row.state:gsub("-", "_"))
                states[#states + 1] = state == "TIME_WAIT" and (row.timer_left > 59.3 and "TIME_WAIT restarted" or "TIME_WAIT goes on") or state
            end
        end
        R.step { what = what, replies = replies, states = states, counters = R.counters_since(R.b, before) }
    end
    step("SYN seq larger (rcv_nxt+10), tsval newer", "S", { seq = 100012 })
    step("SYN seq = rcv_nxt exactly", "S", { seq = 100002 })
    step("SYN seq smaller (rcv_nxt-50000), tsval newer", "S", { seq = 50002 })
    if params.ts then
        step("SYN seq smaller, tsval older", "S", { seq = 50002, tsval = 1000 })
        step("SYN seq larger, tsval older", "S", { seq = 100012, tsval = 1000 })
        step("SYN seq smaller, tsval same as 1.2 s before", "S", { seq = 50002, last_ts = true })
        step("SYN seq larger, without timestamp option", "S", { seq = 100012, plain = true, mss = 1460 })
        step("SYN seq smaller, without timestamp option", "S", { seq = 50002, plain = true, mss = 1460 })
    end
    step("data 10 B at rcv_nxt", "P.", { data = ten })
    step("pure ACK at rcv_nxt", ".")
    step("FIN retransmitted (seq rcv_nxt-1)", "F.", { seq = 100001 })
    step("RST exact rcv_nxt", "R", { seq = 100002 })
    step("RST in window rcv_nxt+100", "R", { seq = 100102 })
    step("RST old rcv_nxt-100", "R", { seq = 99902 })
    step("SYN-ACK larger seq", "S.", { seq = 100012 })
end

local kinds = { synrecv = synrecv, established = established, ratelimit = ratelimit, timewait = timewait }
kinds[params.kind]()
R.finish()
