-- Why MSS exists, over the loss rate: the same transfer as segments that fit the
-- narrow link, and as segments three times as large that a router cuts into three
-- fragments each. Theory: where a packet is lost with p, a segment of n fragments is
-- lost with 1 - (1 - p)^n, and all of it comes again.
--
--   scripts/fragment-table        draws it: docs/pictures/fragment_table.svg

scenario {
    title = "Segments or fragments, over the loss rate",
    about = "CLAIMS 22, 23: bytes sent again, data for each byte carried, and goodput, with the theory's curves.",
    params = {
        narrow = { 576, about = "MTU of the link in the middle" },
        bytes = { "3MB", about = "of each transfer" },
        delay = { "10ms", about = "one way" },
        congestion = "reno",
        loss = { 0.0, about = "set by each world: of packets on the narrow link" },
        cuts = { false, about = "set by each world: let the router cut" },
    },
}

local function transfer()
    local client = host("client", "10.0.1.1", { sysctl = { ip_no_pmtu_disc = params.cuts and 1 or 0 } })
    local server, near, far = host("server", "10.0.2.1"), router("near"), router("far")
    link(client, near, { delay = "1ms" })
    local wire = link(near, far, { delay = params.delay - 0.002, rate = "100Mbit", mtu = params.narrow,
        up = { loss = params.loss } })
    link(far, server, { delay = "1ms" })
    local done
    server:spawn(function()
        server:listen(80):accept():skip(params.bytes)
        done = now()
    end)
    local conn = client:connect(server, 80, { options = { TCP_MAXSEG = params.cuts and 1460 or params.narrow - 40,
        TCP_CONGESTION = params.congestion } })
    conn:send(params.bytes)
    run("2h")
    local data = client:packets { from = client, match = "data" }
    local again = client:packets { from = client, match = "retransmission" }:sum("len")
    return { again = again / data:sum("len"), goodput = params.bytes * 8 / done / 1e6,
        useful = params.bytes / wire:packets { from = near }:sum("ip_len"), resent = again }
end

-- Of one segment: bytes of data, packets, bytes of IP on the narrow link.
local n = math.ceil(1480 / ((params.narrow - 20) // 8 * 8))
local shapes = { { name = "segments", cuts = false, data = params.narrow - 52, n = 1, wire = params.narrow },
    { name = "fragments", cuts = true, data = 1448, n = n, wire = 1480 + n * 20 } }

-- Mathis et al. 1997: what Reno gets where segments are lost with q and none times out.
local function mathis(shape, q) return shape.data * 8 / (2 * params.delay) * math.sqrt(1.5 / q) / 1e6 end

say("%6s  %-22s %-22s %-26s", "", "sent again", "data per byte carried", "goodput, Mbit/s")
say("%6s  %-22s %-22s %-26s", "loss", "segments  fragments", "segments  fragments", "segments  fragments")
local table_of = {}
for _, loss in ipairs { 0.003, 0.01, 0.02, 0.05, 0.1 } do
    local row = { loss = loss }
    for _, shape in ipairs(shapes) do
        local w = world(string.format("%s, %g %%", shape.name, 100 * loss), { loss = loss, cuts = shape.cuts }, transfer)
        w.theory = 1 - (1 - loss) ^ shape.n
        w.useful_theory = shape.data / shape.wire * (1 - w.theory)
        w.goodput_theory = mathis(shape, w.theory)
        local sigma = math.sqrt(w.theory * (1 - w.theory) / (params.bytes / shape.data))
        expect(w.again):as("sent again, as the theory says"):near(w.theory, 4 * sigma + 0.1 * w.theory)
        expect(w.useful):as("data for each byte carried, as the theory says"):near(w.useful_theory, "5%")
        row[shape.name] = w
    end
    expect(row.fragments.again):as("fragments cost more"):above(1.5 * row.segments.again)
    table_of[#table_of + 1] = row
    local s, f = row.segments, row.fragments
    if loss >= 0.01 and loss <= 0.02 then
        for _, w in ipairs { s, f } do expect(w.goodput):as("goodput, as the square root law says"):near(w.goodput_theory, "25%") end
    end
    say("%5.1f %%  %6.2f %%   %6.2f %%    %7.3f   %7.3f      %7.2f   %7.2f", 100 * loss, 100 * s.again, 100 * f.again, s.useful,
        f.useful, s.goodput, f.goodput)
    say("theory   %6.2f %%   %6.2f %%    %7.3f   %7.3f      %7.2f   %7.2f", 100 * s.theory, 100 * f.theory, s.useful_theory,
        f.useful_theory, s.goodput_theory, f.goodput_theory)
end
local best, worst = table_of[2], table_of[#table_of]
expect(best.fragments.goodput):as("at 1 % the larger segments are faster"):above(best.segments.goodput)
expect(worst.fragments.goodput):as("at 10 % they are slower"):below(worst.segments.goodput)
say("A window is counted in segments: at 1 %% three times the size is %.1f times as fast, for three times the bytes sent again;",
    best.fragments.goodput / best.segments.goodput)
say("at 10 %% more than every fourth segment dies, and fragments carry %.2f of what segments do.",
    worst.fragments.goodput / worst.segments.goodput)
result("table", table_of)
