-- How fast does one flow of Reno or CUBIC go? A table over the loss rate of the
-- path and the buffer at its bottleneck, beside what theory says: the sawtooth
-- of Mathis et al. (1997), and that of RFC 9438 §5, with a roof where the buffer
-- ends. docs/goodput.md explains both, and where they part.
--
--   scripts/goodput-grid        draws it: docs/pictures/goodput_grid.svg

scenario {
    title = "Goodput of Reno and CUBIC",
    about = "One flow over a grid of loss rate and buffer, beside theory's sawtooth.",
    params = {
        seconds = { 60, about = "of each flow that are measured, after a tenth as much to settle" },
        link_rate = { "5Mbit", about = "of the bottleneck" },
        rtt = { "100ms", about = "of the path, with empty queues" },
        loss = { 0.0, about = "set by each world: of the path to the receiver" },
        buffer = { 1.0, about = "set by each world: at the bottleneck, in bandwidth-delay products" },
        congestion = { "reno", about = "set by each world" },
    },
}

local SEGMENT, PACKET = 1448, 1500 -- bytes of data in a full segment, bytes of its packet
local pipe = params.link_rate * params.rtt / 8 / PACKET -- packets that fill the path
local full = params.link_rate / 8 / PACKET -- packets a second that the bottleneck carries

-- ---- theory ---------------------------------------------------------------------

-- The window a round trip later.
local grow = {
    reno = function(w) return w + 1 end, -- RFC 5681 §3.1
    -- RFC 9438 §4.2, §4.3: the cubic curve, or what Reno would have where that is more.
    cubic = function(w, s)
        local k = ((s.before - s.after) / 0.4) ^ (1 / 3)
        s.as_reno = s.as_reno + (s.as_reno < s.before and 3 * (1 - 0.7) / (1 + 0.7) or 1)
        return math.max(w, s.as_reno, math.min(0.4 * (s.time - k) ^ 3 + s.before, 1.5 * w))
    end,
}
local shrink = { reno = 0.5, cubic = 0.7 }

-- One tooth: from one loss to the next, which comes after 1/loss packets, or when
-- the buffer is full. Packets delivered, seconds, and the window at its tip.
local function tooth(kind, tip, loss, roof)
    local s = { before = tip, after = math.max(1, shrink[kind] * tip), time = 0 }
    local w, sent = s.after, 0
    s.as_reno = w
    repeat
        local part = loss > 0 and math.min(1, (1 / loss - sent) / w) or 1 -- the last round trip may be cut short
        sent = sent + part * w
        s.time = s.time + part * params.rtt * math.max(1, w / pipe) -- a queue adds to the round trip
        w = w + part * (grow[kind](w, s) - w)
    until w >= roof or (loss > 0 and sent * loss >= 0.999999)
    return sent, s.time, math.min(w, roof)
end

-- The share of the bottleneck that is used once all teeth are alike.
local function theory(kind, loss, buffer)
    local tip, packets, seconds = pipe, 0, 0
    for i = 1, 150 do
        local sent, time
        sent, time, tip = tooth(kind, tip, loss, pipe * (1 + buffer))
        if i > 100 then packets, seconds = packets + sent, seconds + time end
    end
    return packets / seconds / full
end

-- ---- practice -------------------------------------------------------------------

local function measured()
    local sender, receiver = host("sender", "10.0.0.1"), host("receiver", "10.0.0.2")
    link(sender, receiver, { delay = params.rtt / 2, up = { rate = params.link_rate, loss = params.loss,
        queue = math.max(1, math.floor(params.buffer * pipe + 0.5)) } })
    receiver:serve { port = 80 }
    local flow = sender:bulk { to = receiver, port = 80, congestion = params.congestion }
    run(params.seconds / 10)
    local before = flow:sent()
    run(params.seconds)
    return (flow:sent() - before) / params.seconds / SEGMENT / full
end

local losses, buffers = { 0, 0.0003, 0.001, 0.003, 0.01, 0.03 }, { 0.125, 0.25, 0.5, 1, 2 }
local grid, worst = {}, 1
say("Per cent of the bottleneck that is used (in theory), with buffers of 1/8, 1/4, 1/2, 1, 2 BDP:")
for _, kind in ipairs { "reno", "cubic" } do
    for _, loss in ipairs(losses) do
        local cells = {}
        for _, buffer in ipairs(buffers) do
            local what = string.format("%s, loss %g %%, buffer %g BDP", kind, 100 * loss, buffer)
            local got = world(what, { loss = loss, buffer = buffer, congestion = kind }, measured)
            local want = theory(kind, loss, buffer)
            -- Windows of a few segments are whole numbers.
            local least = loss < 0.03 and 0.75 or 0.65
            expect(got / want):as(what .. ": measured over theory"):between(least, 1.1)
            grid[#grid + 1] = { congestion = kind, loss = loss, buffer = buffer, measured = got, theory = want }
            cells[#cells + 1] = string.format("%3.0f (%3.0f)", 100 * got, 100 * want)
            worst = math.min(worst, got / want)
        end
        say("%-5s loss %-5g %% %s", kind, 100 * loss, table.concat(cells, "  "))
    end
end
result("grid", grid)
say("The saw saws as theory says: of %d flows none got less than %.0f %% of what it promises.", #grid, 100 * worst)
