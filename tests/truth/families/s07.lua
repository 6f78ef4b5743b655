-- The end of a close: the last ACK is lost, TIME_WAIT is met again, LAST_ACK.
local R = require "raw"

R.scenario {
    title = "Recordings s07",
    params = { kind = { "lost_forever", choices = { "lost_forever", "lost_once", "tw_restart", "fin_gets_rst", "syn_at_last_ack",
        "last_ack_raw" } }, steps_at = "" },
}
local without_tw = params.kind == "fin_gets_rst" or params.kind == "syn_at_last_ack"
R.world { sysctl_a = without_tw and { ["net.ipv4.tcp_max_tw_buckets"] = 0 } or nil }
R.extra = {}
R.step_times(params.steps_at)

local function close(side, conn) return R.call(side, "close", function() return conn:close() end) end

-- How long A's TIME_WAIT still lasts, in seconds; nil: there is none.
local function time_wait_left()
    for _, row in ipairs(R.a:sockets()) do
        if row.state == "TIME-WAIT" then return row.timer_left end
    end
end

local function inject_again(p)
    R.inject { to = R.a, src = p.src, dst = p.dst, sport = p.sport, dport = p.dport, flags = "fin+ack", raw_seq = p.raw_seq,
        raw_ack = p.raw_ack, win = p.win, tsval = p.tsval, tsecr = p.tsecr, ip_id = p.ip_id }
end

local function lost_forever()
    local client, server = R.pair()
    sleep("100ms")
    close("A", client)
    sleep("100ms")
    R.wire:drop { from = R.a }
    close("B", server)
    local began = now()
    while now() - began < 200 do
        sleep("1s")
        if R.b:count("LAST-ACK") == 0 then break end
    end
    sleep("1s")
end

local function lost_once()
    local client, server = R.pair()
    sleep("100ms")
    local fin, lost = nil, 0
    R.wire:script(function(p)
        if p.from == "B" and p.flags:find("FIN", 1, true) then fin = fin or p end
        if p.from == "A" and fin and lost < 1 then
            lost = 1
            return "drop"
        end
    end)
    close("A", client)
    sleep("100ms")
    close("B", server)
    sleep("150ms")
    R.extra.before_refin = time_wait_left()
    sleep("350ms")
    R.extra.after_refin = time_wait_left()
    sleep("20s")
    R.extra.before_dup_fin_20s = time_wait_left()
    inject_again(fin)
    sleep("50ms")
    R.extra.after_dup_fin_20s = time_wait_left()
    sleep("63s")
end

local function tw_restart()
    local client, server = R.pair()
    sleep("100ms")
    local fin
    R.wire:script({ from = R.b }, function(p)
        if p.flags:find("FIN", 1, true) then fin = p end
        if p.flags:find("RST", 1, true) then return "drop" end
    end)
    close("A", client)
    sleep("100ms")
    close("B", server)
    sleep("20s")
    R.extra.before_dup_fin = time_wait_left()
    inject_again(fin)
    sleep("50ms")
    R.extra.after_dup_fin = time_wait_left()
    sleep("63s")
end

-- The first segment of A after a FIN of B is lost, and (if so wanted) the FINs after the first.
local function lose_ack_of_fin(loses_fins)
    local fins, lost = 0, 0
    R.wire:script(function(p)
        if p.from == "B" and p.flags:find("FIN", 1, true) then
            fins = fins + 1
            if loses_fins and fins > 1 then return "drop" end
        end
        if p.from == "A" and fins > 0 and lost < 1 then
            lost = 1
            return "drop"
        end
    end)
end

local function fin_gets_rst()
    local client, server = R.pair()
    local function recv() return R.call("B", "recv", function() return server:recv(10) end) end
    sleep("100ms")
    lose_ack_of_fin(false)
    close("A", client)
    sleep("100ms")
    recv()
    R.call("B", "shutdown(SHUT_WR)", function() return server:shutdown("write") end)
    sleep("800ms")
    R.extra.so_error = server:error()
    recv()
    close("B", server)
end

local function syn_at_last_ack()
    local client, server, listener = R.pair { sport = 40000 }
    sleep("100ms")
    lose_ack_of_fin(true)
    close("A", client)
    sleep("100ms")
    close("B", server)
    sleep("100ms")
    R.b:spawn(function() R.call("B", "accept", function() return listener:accept() end) end)
    local again = R.connect("A", { port = 40000, reuseaddr = true })
    sleep("500ms")
    if again then R.call("A", "send", function() return again:send("hello") end) end
    sleep("200ms")
end

local function last_ack_raw()
    local listener = R.b:listen(R.port, { backlog = 16 })
    local sport = 40999
    local function step(what, flags, o)
        sport = sport + 1
        local r = R.raw("A", { sport = sport })
        r:handshake(100000)
        local conn = listener:accept()
        r:send("F.")
        r.seq = r.seq + 1
        sleep("50ms")
        conn:close()
        local heard = r:drain(.03)
        r.ack = heard[#heard].raw_seq -- its FIN stays without an ACK
        R.await_step()
        local before = R.b:counters()
        o = o or {}
        if o.acks_fin then o.ack, o.acks_fin = r.ack + 1, nil end
        r:send(flags, o)
        local replies = {}
        for _, p in ipairs(r:drain(.08)) do
            replies[#replies + 1] = ("%s seq %d ack %s len %d"):format(R.letters(p.flags), R.u32(p.raw_seq - r.irs),
                p.flags:find("ACK", 1, true) and p.raw_ack - 100000 or "none", p.len)
        end
        R.step { what = what, replies = replies, states = R.states(R.b, sport), counters = R.counters_since(R.b, before) }
    end
    step("SYN higher seq, newer ts", "S", { seq = 200000 })
    step("SYN lower seq", "S", { seq = 50000 })
    step("SYN exactly rcv_nxt", "S")
    step("RST exact", "R")
    step("data beyond FIN", "P.", { data = ("x"):rep(10) })
    step("FIN retransmitted", "F.", { seq = 100001 })
    step("ACK of FIN", ".", { acks_fin = true })
end

local kinds = { lost_forever = lost_forever, lost_once = lost_once, tw_restart = tw_restart, fin_gets_rst = fin_gets_rst,
    syn_at_last_ack = syn_at_last_ack, last_ack_raw = last_ack_raw }
kinds[params.kind]()
R.finish()
