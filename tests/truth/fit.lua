-- Finds what a recording does not show: between which arrivals the program's
-- reader at B and its writer at A held their sockets. Threads of a busy
-- machine ran within microseconds of the packets, and the order of the two
-- decides what one ACK covers. The search goes along the recording, packet by
-- packet, and keeps only what made both ends send exactly what they sent until
-- then: flags, numbers, lengths, options and the window to the last unit.
--
-- A plan has one letter for each packet that arrives at either end:
--   reader (after data has arrived at B): R reads and is done · N is not there ·
--     L begins a call, which then holds the socket: . still · F begins to
--     process its backlog · U has done so, reads what that brought, returns ·
--     W returns without reading it · V as U, and at once calls again
--   writer (after an ACK has arrived at A, when it waits for room): w writes and
--     waits again · n is not there · l begins, holding the socket: , still · u is done

local M = {}

local HOLD = 0.001 -- no call held its socket for longer
local PATIENCE = os.getenv("SEARCH") and { 400, 20000 } or { 250 } -- runs

-- Arrivals that matter, in their order: { t =, side = "A" or "B" }.
local function arrivals(recorded, writer_waits)
    local list = {}
    for _, p in ipairs(recorded.packets) do
        if p.rx and p.proto == "tcp" then
            if p.len > 0 and p.dir == "A>B" then list[#list + 1] = { t = p.rx, side = "B" } end
            if writer_waits and p.len == 0 and p.dir == "B>A" and not p.flags:find("S") then list[#list + 1] = { t = p.rx, side = "A" } end
        elseif p.rx and p.dir == "A>B frag" and not p.mf then
            list[#list + 1] = { t = p.rx, side = "B" }
        end
    end
    table.sort(list, function(a, b) return a.t < b.t end)
    list.writer_waits = writer_waits
    for i, a in ipairs(list) do
        local gap = list[i + 1] and list[i + 1].t - a.t or 1
        a.after = a.t + math.min(gap / 2, 2e-5) -- when what the thread did then happened
    end
    return list
end

local OPENS, CLOSES = { L = true, l = true }, { U = true, W = true, V = true, u = true }

local function span_text(from, middle, to, mark)
    return ("%.7f-%s-%.7f%s"):format(from, middle and ("%.7f"):format(middle) or "", to, mark)
end

-- The plan as the parameters `reads` and `writes` of families/inputs.lua.
function M.spans(list, plan)
    local out, from, middle = { A = {}, B = {} }, {}, nil
    for i, letter in ipairs(plan) do
        local a = list[i]
        local spans = out[a.side]
        if letter == "R" or letter == "w" then
            spans[#spans + 1] = span_text(a.after, nil, a.after, "")
        elseif OPENS[letter] then
            from[a.side], middle = a.after, nil
        elseif letter == "F" then
            middle = a.after
        elseif CLOSES[letter] then
            spans[#spans + 1] = span_text(from[a.side], a.side == "B" and middle or nil, a.after, letter == "W" and "!" or "")
            if a.side == "B" then middle = nil end
            from[a.side] = letter == "V" and a.after or nil
        end
    end
    for side, t in pairs(from) do table.insert(out[side], span_text(t, side == "B" and middle or nil, 1e6, "")) end
    local tail = #plan < #list and "." or ""
    local reads, writes = table.concat(out.B, ",") .. tail, table.concat(out.A, ",") .. tail
    return reads, list.writer_waits and writes or ""
end

-- Both directions as text, window and SACK blocks included.
local function sequence(packets)
    local base, out = {}, { ["A>B"] = {}, ["B>A"] = {} }
    for _, p in ipairs(packets) do
        local list = out[p.dir]
        if list and p.proto == "tcp" then
            if p.flags:find("S", 1, true) then base[p.dir] = p.raw_seq end
            local opts = {}
            for _, o in ipairs(p.opts) do opts[#opts + 1] = o:match("^TS") or o end
            local other = base[p.dir == "A>B" and "B>A" or "A>B"] or 0
            local ack = p.flags:find(".", 1, true) and (p.raw_ack - other) & 0xffffffff or "-"
            list[#list + 1] = { t = p.t, text = ("%s seq %d ack %s len %d win %d <%s>"):format(p.flags,
                (p.raw_seq - (base[p.dir] or 0)) & 0xffffffff, ack, p.len, p.win, table.concat(opts, ",")) }
        end
    end
    return out
end

-- What was sent before `limit` must be what was recorded, and all that the
-- relay had read by then must have been sent. Returns nil, or what differs.
local function differs(want, got, late, limit)
    for _, dir in ipairs { "B>A", "A>B" } do
        local n = 0
        for i, g in ipairs(got[dir]) do
            if g.t - late >= limit then break end
            n = i
            local w = want[dir][i]
            if not w or w.text ~= g.text then
                return ("%s packet %d: kernel %s, we %s at %.6f"):format(dir, i, w and w.text or "nothing", g.text, g.t - late), g.t - late
            end
        end
        local w = want[dir][n + 1]
        if w and w.t < limit then return ("%s packet %d: kernel %s at %.6f, we nothing"):format(dir, n + 1, w.text, w.t), w.t end
    end
end

-- search{ recorded =, late =, play = function(reads, writes) -> run, writer_waits = }
-- -> plan as text, number of runs; or nil, number of runs, the furthest difference.
function M.search(s)
    local list = arrivals(s.recorded, s.writer_waits)
    local want, runs, dead, far, why = sequence(s.recorded.packets), 0, {}, -1, nil
    local plan, most = {}, 0
    local order = { -- the letters, as they are tried
        B = { idle = { "R", "N", "L" }, held = { ".", "U", "V", "W", "F" } },
        A = { idle = { "w", "n", "l" }, held = { ",", "u" } },
    }

    local function check()
        runs = runs + 1
        local limit = list[#plan + 1] and list[#plan + 1].t - 1e-6 or math.huge
        local run = s.play(M.spans(list, plan))
        local difference = differs(want, sequence(run.packets), s.late, limit)
        if difference and #plan >= far then far, why = #plan, difference end
        return not difference
    end

    -- state: since which arrival each side's call holds its socket, what was read and written last
    local function after(state, i, letter)
        local side = list[i].side
        local new = { A = state.A, B = state.B, read = state.read, written = state.written, middle = state.middle, tail = letter }
        if OPENS[letter] or letter == "V" then new[side] = i end
        if letter == "U" or letter == "W" or letter == "u" then new[side] = nil end
        if letter == "F" then new.middle = i end
        if letter == "V" or letter == "U" or letter == "W" then new.middle = nil end
        if ("RUV"):find(letter, 1, true) then new.read = i end
        if ("wu"):find(letter, 1, true) then new.written = i end
        return new
    end
    local function key(state, n)
        return ("%d %s %s %s %s %s %s"):format(n, state.A or "", state.B or "", state.middle or "", state.read, state.written,
            state.tail == "W" and "W" or "")
    end

    local go
    -- The usual letters for the next `n` arrivals at once.
    local function stride(state, n)
        if state.A or state.B or #plan + n > #list then return nil end
        local first, at = #plan, state
        for i = first + 1, first + n do
            plan[i] = order[list[i].side].idle[1]
            at = after(at, i, plan[i])
        end
        local done = check() and go(at)
        if not done then
            for i = #plan, first + 1, -1 do plan[i] = nil end
        end
        return done
    end

    function go(state)
        if #plan == #list then return true end
        if runs >= most or dead[key(state, #plan)] then return false end
        for _, n in ipairs(#list > 120 and { 32, 8 } or {}) do
            if stride(state, n) then return true end
        end
        local i = #plan + 1
        local side = list[i].side
        local held = state[side]
        for _, letter in ipairs(order[side][held and "held" or "idle"]) do
            local is_late = (letter == "." or letter == "," or letter == "F") and list[i].t - list[held].t > HOLD
            if runs >= most then return false end
            if not is_late and not (letter == "F" and state.middle) then
                plan[i] = letter
                if check() and go(after(state, i, letter)) then return true end
                for j = #plan, i, -1 do plan[j] = nil end
            end
        end
        dead[key(state, #plan)] = true
        return false
    end

    -- Whether the reader was usually there or usually not: both are tried, with more and more patience.
    for _, patience in ipairs(PATIENCE) do
        for _, usual in ipairs { { "R", "N", "L" }, { "N", "R", "L" } } do
            order.B.idle, dead, most = usual, {}, runs + patience
            if go { read = 0, written = 0 } then return table.concat(plan), runs end
            plan = {}
        end
    end
    return nil, runs, why
end

-- phase{ recorded =, late =, uptimes =, play = function(uptime) -> run, is_equal = function(run) }
-- Where the kernel's ticks stood: the uptime, in microseconds, with which
-- everything is equal, or most of it; and whether everything.
function M.phase(s)
    local want, best, best_at = sequence(s.recorded.packets), 0, -1
    for _, uptime in ipairs(s.uptimes) do
        local run = s.play(uptime)
        if s.is_equal(run) then return uptime, true end
        local _, at = differs(want, sequence(run.packets), s.late, math.huge)
        if (at or math.huge) > best_at then best, best_at = uptime, at or math.huge end
    end
    return best, false
end

-- The parameters of a plan that was found before.
function M.given(recorded, plan, writer_waits)
    local letters = {}
    for letter in plan:gmatch(".") do letters[#letters + 1] = letter end
    return M.spans(arrivals(recorded, writer_waits), letters)
end

return M
