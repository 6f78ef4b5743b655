-- Compares one recording of a real kernel with one run's folder.
--
-- What is compared, and how closely, is what the README of the recordings
-- asks: the sequence of packets that each end sent (flags, relative sequence
-- and acknowledgment numbers, length, options, the window where it is not
-- buffer accounting), the state transitions of each connection, the results
-- and durations of the application's calls, and counters: exactly; times: the
-- nominal value plus the lateness of the kernel's timer wheel and the relay.

local M = {}

local JITTER = 0.012 -- the relay and the scheduler: p99 is 3 ms, the worst seen 17 ms

-- Lateness of a timer that waited `gap` seconds (the granularity of the wheel).
local function timer_slack(gap)
    if gap < 0.25 then return 0.008 end
    if gap < 2 then return 0.040 end
    if gap < 16 then return 0.260 end
    if gap < 129 then return 2.1 end
    return 4.2
end

-- ---- normal form ----------------------------------------------------------

-- Relative numbers by one rule for both sides: the base of a direction is the
-- raw number of a SYN that was sent in it, the nearest of them; a segment of an
-- earlier incarnation then counts from that one's SYN, not from a new clock-driven ISN.
local function numberer()
    local bases = {}
    local function key(a, b) return a .. ">" .. b end
    local function nearest(list, n)
        local best
        for i = #list, 1, -1 do -- the newest first
            local d = (n - list[i]) & 0xffffffff
            d = d >= 0x80000000 and d - 0x100000000 or d
            if not best or math.abs(d) < math.abs(best) then best = d end
        end
        return best
    end
    local N = {}
    function N.note(p)
        local k = key(p.from, p.to)
        bases[k] = bases[k] or {}
        local list = bases[k]
        if list[#list] ~= p.raw_seq and (#list == 0 or p.flags:find("S", 1, true)) then list[#list + 1] = p.raw_seq end
    end
    function N.seq(p) return nearest(bases[key(p.from, p.to)], p.raw_seq) end
    function N.ack(p)
        local list = bases[key(p.to, p.from)]
        return list and nearest(list, p.raw_ack) or p.raw_ack
    end
    return N
end

local function option_text(opts)
    local out = {}
    for _, o in ipairs(opts) do
        local kind = o:match("^%S+")
        out[#out + 1] = kind == "TS" and "TS" or o
    end
    return table.concat(out, ",")
end

-- The window is compared where the protocol sets it: in SYNs, in RSTs, and
-- whether it is closed.
local function window_class(p, is_exact)
    if is_exact or p.flags:find("[SR]") then return tostring(p.win) end
    return p.win == 0 and "0" or "open"
end

-- A connection is known by A's end and by which of B's ends it is that one's
-- first, second, ...: B's port is the recording program's own choice.
local function connection_namer()
    local seen = {}
    return function(p)
        local a, b = p.from, p.to
        if p.dir:find(">A", 1, true) then a, b = b, a end
        seen[a] = seen[a] or { n = 0 }
        if not seen[a][b] then
            seen[a].n = seen[a].n + 1
            seen[a][b] = seen[a].n
        end
        return a .. "#" .. seen[a][b]
    end
end

-- { order = { name, ... }, [name] = { ["A>B"] = sent, ["B>A"] = sent, A = received, B = received } }
local function normalize(packets, is_exact)
    local N, name_of, conns = numberer(), connection_namer(), { order = {} }
    for _, p in ipairs(packets) do
        local is_tcp = p.proto == "tcp"
        local name = is_tcp and name_of(p) or "no connection"
        local conn = conns[name]
        if not conn then
            conn = { name = name, ["A>B"] = {}, ["B>A"] = {}, A = {}, B = {} }
            conns[name] = conn
            table.insert(conns.order, conn)
        end
        local to = p.dir:match(">([AB])")
        if p.rx and to then table.insert(conn[to], p.rx) end
        if is_tcp then N.note(p) end
        if conn[p.dir] then
            local q = { t = p.t, proto = p.proto, len = p.len, df = p.df, off = p.off, mf = p.mf }
            if is_tcp then
                q.flags = p.flags
                -- A reset of what belongs to nothing counts from zero.
                q.seq = p.raw_seq == 0 and p.flags:find("R", 1, true) and 0 or N.seq(p)
                if p.flags:find(".", 1, true) then q.ack = N.ack(p) end
                q.opts, q.win = option_text(p.opts), window_class(p, is_exact)
            elseif p.proto == "icmp" then
                q.flags = ("icmp %s/%s"):format(p.type, p.code)
            else
                q.flags = p.proto
            end
            table.insert(conn[p.dir], q)
        end
    end
    return conns
end

-- Alike clients: which of them the kernel's timer wheel or scheduler takes first
-- is chance. They are compared by what befell them, the one with the shortest
-- life first.
local function behaviour(conn)
    local words = {}
    for _, dir in ipairs { "A>B", "B>A" } do
        words[#words + 1] = ("%03d"):format(#conn[dir])
        for _, p in ipairs(conn[dir]) do words[#words + 1] = ("%s %s %s %s"):format(p.flags, p.seq or "", p.ack or "", p.len) end
    end
    return table.concat(words, "|")
end

local function anonymous_pairs(want, got, pattern, used, list)
    local function those(conns)
        local alike = {}
        for _, c in ipairs(conns.order) do
            if c.name:find(pattern) then
                used[c] = true
                c.behaviour = behaviour(c)
                table.insert(alike, c)
            end
        end
        table.sort(alike, function(x, y)
            if x.behaviour ~= y.behaviour then return x.behaviour < y.behaviour end
            return x.name < y.name
        end)
        return alike
    end
    local w, g = those(want), those(got)
    for i = 1, math.max(#w, #g) do table.insert(list, { w[i], g[i] }) end
end

-- Pairs of connections: by A's end where both have it, the rest in order.
local function match_connections(want, got, anonymous)
    local pairs_, used, left = {}, {}, {}
    if anonymous then anonymous_pairs(want, got, anonymous, used, pairs_) end
    for _, w in ipairs(want.order) do
        if used[w] then goto continue end
        local g = got[w.name]
        if g then
            used[g] = true
            table.insert(pairs_, { w, g })
        else
            table.insert(left, w)
        end
        ::continue::
    end
    local next_g = 1
    for _, w in ipairs(left) do
        while got.order[next_g] and used[got.order[next_g]] do next_g = next_g + 1 end
        local g = got.order[next_g]
        if g then used[g] = true end
        table.insert(pairs_, { w, g })
    end
    for _, g in ipairs(got.order) do
        if not used[g] then table.insert(pairs_, { nil, g }) end
    end
    return pairs_
end

-- ---- comparisons: each returns nil, or the first difference in words ------

local FIELDS = { "proto", "flags", "seq", "ack", "len", "opts", "win", "df", "off", "mf" }
local WORDS = { ack = "acknowledges", win = "window", opts = "options", len = "length", df = "DF" }

local function packet_words(p)
    if not p then return "nothing" end
    if p.proto ~= "tcp" then return ("%s len %s%s"):format(p.flags, p.len, p.off and p.off > 0 and " off " .. p.off or "") end
    return ("%s seq %d%s len %d <%s> win %s"):format(p.flags, p.seq, p.ack and " ack " .. p.ack or "", p.len, p.opts, p.win)
end

-- The last thing that happened at the sending end before t: how long ago, and
-- the same thing's time on the other side.
local function reference(conn, other, dir, i, t)
    local at, where = nil, nil
    if i > 1 then at, where = conn[dir][i - 1].t, other[dir][i - 1].t end
    local received, theirs = conn[dir:sub(1, 1)], other[dir:sub(1, 1)]
    -- Where mere ACKs do not count, the nth received here need not be the nth there.
    if #received ~= #theirs then received = {} end
    for j = #received, 1, -1 do
        if received[j] <= t then
            if theirs[j] and (not at or received[j] > at) then at, where = received[j], theirs[j] end
            break
        end
    end
    return at, where
end

local function compare_time(w, g, want, got, dir, i)
    local at, where = reference(want, got, dir, i, w.t)
    if not at then return end -- the first packet: when, is the scenario's choice
    local gap_w, gap_g = w.t - at, g.t - where
    local waited = i > 1 and g.t - got[dir][i - 1].t or gap_g
    for j = i - 1, 1, -1 do -- what is sent again waited since it was last sent
        local before = got[dir][j]
        if before.seq == g.seq and before.flags == g.flags and before.len == g.len then
            waited = math.max(waited, g.t - before.t)
            break
        end
    end
    local slack = JITTER + timer_slack(math.max(gap_g, waited, 0))
    -- Both are late by up to a slot of the wheel, each by its own phase.
    if math.abs(gap_w - gap_g) > slack then
        return ("kernel %.4f s after what came before it, we %.4f s (allowed %.3f apart)"):format(gap_w, gap_g, slack)
    end
end

local function compare_direction(dir, want, got, ignore, last)
    for i = 1, math.max(#want[dir], #got[dir]) do
        local w, g = want[dir][i], got[dir][i]
        local where = ("%s %s packet %d"):format(want.name, dir, i)
        if not w and g.t > last.at - JITTER - timer_slack(g.t - (i > 1 and got[dir][i - 1].t or 0)) then
            last.cut = true -- the recording had ended: what follows is ours alone
            return
        end
        if not w or not g then
            return ("%s: kernel sent %s%s, we sent %s%s"):format(where, packet_words(w), w and (" at %.3f"):format(w.t) or "",
                packet_words(g), g and (" at %.3f"):format(g.t) or "")
        end
        for _, f in ipairs(FIELDS) do
            if not ignore[f] and w[f] ~= g[f] then
                return ("%s at %.3f: %s differs: kernel %s, we %s (at %.3f)"):format(where, w.t, WORDS[f] or f, packet_words(w), packet_words(g), g.t)
            end
        end
        local late = not ignore.time and compare_time(w, g, want, got, dir, i)
        if late then return ("%s (%s at %.3f): %s"):format(where, packet_words(w), w.t, late) end
    end
end

local function compare_packets(recording, run, ignore, variant)
    local want, got = normalize(recording.packets, variant.exact), normalize(run.packets, variant.exact)
    local last = { at = recording.ends }
    for _, pair in ipairs(match_connections(want, got, variant.anonymous)) do
        local w, g = pair[1], pair[2]
        if not w or not g then
            local which = w or g
            local first = which["A>B"][1] or which["B>A"][1]
            if first and (w or first.t < recording.ends - JITTER) then
                return ("connection %s: only %s had it (%s)"):format(which.name, w and "the kernel" or "we", packet_words(first))
            end
        else
            for _, dir in ipairs { "A>B", "B>A" } do
                local difference = compare_direction(dir, w, g, ignore, last)
                if difference then return difference end
            end
        end
    end
    return nil, last.cut
end

-- The kernel's tracepoint shows TIME_WAIT as CLOSE, and a connection only
-- once its handshake is complete.
local function state_sequences(transitions)
    local seqs, order = {}, {}
    for _, s in ipairs(transitions) do
        if not seqs[s.sk] then
            seqs[s.sk] = {}
            order[#order + 1] = s.sk
        end
        -- The kernel names a connecting socket before it has a port: SYN_SENT is
        -- told apart from the rest, and left out on both sides.
        if s.new ~= "SYN_SENT" then table.insert(seqs[s.sk], s.new) end
    end
    local out = {}
    for _, sk in ipairs(order) do
        local text = table.concat(seqs[sk], " ")
        if text ~= "LISTEN" and text ~= "LISTEN CLOSE" and text ~= "SYN_RECV" and text ~= "" then out[#out + 1] = { sk = sk, text = text } end
    end
    return out
end

local function compare_states(side, want, got)
    local function multiset(list)
        local t = {}
        for _, s in ipairs(list) do t[#t + 1] = s.text end
        table.sort(t)
        return t
    end
    local w, g = multiset(want), multiset(got)
    for i = 1, math.max(#w, #g) do
        if w[i] ~= g[i] then
            return ("states of a socket at %s: kernel %s, we %s"):format(side, w[i] or "none", g[i] or "none")
        end
    end
end

local function result_text(r)
    if r == nil then return "ok" end
    r = tostring(r)
    if r:find("timed out)", 1, true) and not r:find("ETIMEDOUT") then return "TIMEOUT" end
    return r:match("%-1 (E%u+)") or r:match("^bytes%[%d+%]") or (r:match("^conn from") and "conn") or (r:match("^%(b'") and "datagram") or r
end

-- Calls in the order in which they began, or for alike clients (whose numbers
-- mean nothing) shortest first.
local function calls_by_name(list, anonymous, is_wanted)
    local named, order = {}, {}
    for _, c in ipairs(list) do
        if is_wanted(c) then
            local name = c.side .. " " .. (anonymous and c.op:gsub(" #%d+$", "") or c.op)
            if not named[name] then
                named[name] = {}
                order[#order + 1] = name
            end
            table.insert(named[name], c)
        end
    end
    if anonymous then
        for _, calls in pairs(named) do table.sort(calls, function(x, y) return x.elapsed < y.elapsed end) end
    end
    return named, order
end

local function compare_calls(want, got, ignore, anonymous)
    local wanted, order = calls_by_name(want, anonymous, function(c) return c.elapsed and not ignore[c.op] end)
    local made = calls_by_name(got, anonymous, function(c) return c.elapsed end)
    for _, name in ipairs(order) do
        for i, w in ipairs(wanted[name]) do
            local g = made[name] and made[name][i]
            if not g then return ("call %s at %s (no. %d): it never returned here"):format(w.op, w.side, i) end
            if result_text(w.res) ~= g.res then
                return ("call %s at %s: kernel returned %s, we %s"):format(w.op, w.side, result_text(w.res), g.res)
            end
            if not ignore.elapsed and math.abs(w.elapsed - g.elapsed) > JITTER + 0.03 + timer_slack(g.elapsed) * 2 then
                return ("call %s at %s: kernel took %.3f s, we %.3f s"):format(w.op, w.side, w.elapsed, g.elapsed)
            end
        end
    end
end

local function compare_counters(want, got, names)
    for _, side in ipairs { "A", "B" } do
        for _, name in ipairs(names) do
            local w, g = want[side] and want[side][name] or 0, got[side] and got[side][name] or 0
            if w ~= g then return ("counter %s at %s: kernel %d, we %d"):format(name, side, w, g) end
        end
    end
end

-- variant: { ignore = { win = true, time = true, elapsed = true, ["recv"] = true }, counters = { ... } }
function M.compare(recording, run, variant)
    local ignore = variant.ignore or {}
    local difference, was_cut = compare_packets(recording, run, ignore, variant)
    if difference then return difference end
    if not ignore.states then
        for _, side in ipairs { "A", "B" } do
            difference = compare_states(side, state_sequences(recording.transitions[side]), state_sequences(run.transitions[side]))
            if difference then return difference end
        end
    end
    return compare_calls(recording.calls, run.calls, ignore, variant.anonymous)
        -- A run that goes on where the recording ended has counted more.
        or not (was_cut or run.last_event > recording.ends) and compare_counters(recording.counters, run.counters, variant.counters or M.COUNTERS)
        or variant.extra and variant.extra(recording.extra, run.results)
        or nil
end

-- Counters that the protocol's rules set (not segment accounting, which GSO
-- and the loopback of a test machine change).
M.COUNTERS = {
    "TcpActiveOpens", "TcpPassiveOpens", "TcpAttemptFails", "TcpEstabResets", "TcpRetransSegs", "TcpOutRsts",
    "TcpExtSyncookiesSent", "TcpExtSyncookiesRecv", "TcpExtSyncookiesFailed", "TcpExtEmbryonicRsts", "TcpExtOutOfWindowIcmps",
    "TcpExtTW", "TcpExtTWRecycled", "TcpExtPAWSEstab", "TcpExtPAWSTimewait", "TcpExtListenOverflows", "TcpExtListenDrops",
    "TcpExtTCPFastRetrans", "TcpExtTCPSlowStartRetrans", "TcpExtTCPTimeouts", "TcpExtTCPLossProbes", "TcpExtTCPLossProbeRecovery",
    "TcpExtTCPSackRecovery", "TcpExtTCPRenoRecovery", "TcpExtTCPLossUndo", "TcpExtTCPFullUndo", "TcpExtTCPPartialUndo",
    "TcpExtTCPDSACKUndo", "TcpExtTCPSpuriousRTOs", "TcpExtTCPDSACKOldSent", "TcpExtTCPDSACKRecv",
    "TcpExtTCPAbortOnData", "TcpExtTCPAbortOnClose", "TcpExtTCPAbortOnTimeout", "TcpExtTCPAbortOnLinger",
    "TcpExtTCPTimeWaitOverflow", "TcpExtTCPReqQFullDoCookies", "TcpExtTCPReqQFullDrop", "TcpExtTCPChallengeACK",
    "TcpExtTCPSYNChallenge", "TcpExtTCPSynRetrans", "TcpExtTCPKeepAlive", "TcpExtTCPWinProbe", "TcpExtTCPMTUPSuccess",
    "TcpExtTCPMTUPFail", "TcpExtTCPTSReorder", "TcpExtTCPSACKReorder",
}

return M
