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
-- raw number of the last SYN that an end sent in it.
local function numberer()
    local base = {}
    local function key(a, b) return a .. ">" .. b end
    local function signed(n)
        n = n & 0xffffffff
        return n >= 0x80000000 and n - 0x100000000 or n
    end
    local N = {}
    function N.note(p)
        local k = key(p.from, p.to)
        if p.flags:find("S", 1, true) or not base[k] then base[k] = p.raw_seq end
    end
    function N.seq(p) return signed(p.raw_seq - (base[key(p.from, p.to)] or 0)) end
    function N.ack(p)
        local b = base[key(p.to, p.from)]
        return b and signed(p.raw_ack - b) or p.raw_ack
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
local function window_class(p)
    if p.flags:find("[SR]") then return tostring(p.win) end
    return p.win == 0 and "0" or "open"
end

local function normalize(packets)
    local N, ends, by_dir = numberer(), {}, { ["A>B"] = {}, ["B>A"] = {} }
    local n_conns = 0
    for _, p in ipairs(packets) do
        if by_dir[p.dir] then
            local q = { t = p.t, proto = p.proto, len = p.len, df = p.df, id = p.id, text = p.text }
            if p.proto == "tcp" then
                N.note(p)
                local a, b = p.from .. " " .. p.to, p.to .. " " .. p.from
                local conn = ends[a] or ends[b]
                if not conn then
                    n_conns = n_conns + 1
                    conn = n_conns
                    ends[a] = conn
                end
                q.conn, q.flags, q.seq = conn, p.flags, N.seq(p)
                if p.flags:find("R", 1, true) and not p.flags:find(".", 1, true) and p.raw_ack == 0 then q.ack = nil
                elseif p.flags:find(".", 1, true) then q.ack = N.ack(p) end
                q.opts, q.win = option_text(p.opts), window_class(p)
            elseif p.proto == "icmp" then
                q.flags = ("icmp %d/%d mtu %d"):format(p.type, p.code, p.mtu or 0)
            else
                q.flags = p.proto
                q.off, q.mf = p.off, p.mf
            end
            table.insert(by_dir[p.dir], q)
        end
    end
    return by_dir
end

-- ---- comparisons: each returns nil, or the first difference in words ------

local FIELDS = { "proto", "flags", "seq", "ack", "len", "opts", "win", "df", "off", "mf" }
local WORDS = { ack = "acknowledges", win = "window", opts = "options", len = "length", df = "DF" }

local function packet_words(p)
    if not p then return "nothing" end
    if p.proto ~= "tcp" then return ("%s len %s%s"):format(p.flags, p.len, p.off and p.off > 0 and " off " .. p.off or "") end
    return ("%s seq %d%s len %d <%s> win %s"):format(p.flags, p.seq, p.ack and " ack " .. p.ack or "", p.len, p.opts, p.win)
end

local function compare_direction(dir, want, got, ignore, conn_of)
    local last_want, last_got, worst
    for i = 1, math.max(#want, #got) do
        local w, g = want[i], got[i]
        local where = ("%s packet %d"):format(dir, i)
        if not w or not g then
            return ("%s: kernel sent %s%s, we sent %s%s"):format(where, packet_words(w), w and (" at %.3f"):format(w.t) or "",
                packet_words(g), g and (" at %.3f"):format(g.t) or "")
        end
        for _, f in ipairs(FIELDS) do
            if not ignore[f] and w[f] ~= g[f] then
                return ("%s at %.3f: %s differs: kernel %s, we %s (at %.3f)"):format(where, w.t, WORDS[f] or f, packet_words(w), packet_words(g), g.t)
            end
        end
        if w.conn and conn_of[w.conn] == nil then conn_of[w.conn] = g.conn end
        if w.conn and conn_of[w.conn] ~= g.conn then
            return ("%s at %.3f: belongs to connection %s, ours to %s"):format(where, w.t, w.conn, g.conn)
        end
        -- Time: lateness accumulates over timers, so gaps are compared, and
        -- the whole with the sum of what the gaps allow.
        local gap_w, gap_g = w.t - (last_want or 0), g.t - (last_got or 0)
        local slack = JITTER + timer_slack(math.max(gap_g, 0))
        if not ignore.time and (gap_w - gap_g > slack + (worst or 0) or gap_g - gap_w > slack + (worst or 0)) then
            return ("%s (%s): kernel at %.4f, %.4f after the one before; we at %.4f, %.4f after (allowed %.3f)"):format(where,
                packet_words(w), w.t, gap_w, g.t, gap_g, slack)
        end
        worst = math.max((worst or 0) * 0.5, math.abs(gap_w - gap_g)) -- a late one makes the next early
        last_want, last_got = w.t, g.t
    end
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
    return r:match("%-1 (E%u+)") or r:match("^bytes%[%d+%]") or (r:match("^conn from") and "conn") or r
end

local function compare_calls(want, got, ignore)
    local by_side = { A = {}, B = {} }
    for _, c in ipairs(got) do table.insert(by_side[c.side], c) end
    local used = {}
    for _, w in ipairs(want) do
        if w.elapsed and not ignore[w.op] then
            local g
            for i, c in ipairs(by_side[w.side] or {}) do
                if not used[c] and c.op == w.op then
                    g = c
                    used[c] = true
                    table.remove(by_side[w.side], i)
                    break
                end
            end
            if not g then return ("call %s at %s: the scenario did not make it"):format(w.op, w.side) end
            if result_text(w.res) ~= g.res then
                return ("call %s at %s: kernel returned %s, we %s"):format(w.op, w.side, result_text(w.res), g.res)
            end
            local slack = JITTER + 0.03 + timer_slack(g.elapsed) * 2
            if not ignore.elapsed and math.abs(w.elapsed - g.elapsed) > slack then
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
    local want, got = normalize(recording.packets), normalize(run.packets)
    local conn_of = {}
    for _, dir in ipairs { "A>B", "B>A" } do
        local difference = compare_direction(dir, want[dir], got[dir], ignore, conn_of)
        if difference then return difference end
    end
    if not ignore.states then
        for _, side in ipairs { "A", "B" } do
            local difference = compare_states(side, state_sequences(recording.transitions[side]), state_sequences(run.transitions[side]))
            if difference then return difference end
        end
    end
    return compare_calls(recording.calls, run.calls, ignore)
        or compare_counters(recording.counters, run.counters, variant.counters or M.COUNTERS)
        or (variant.extra and variant.extra(recording.extra, run.results))
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
