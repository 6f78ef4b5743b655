-- Jitter is a delay of its own for every packet, drawn from a distribution. Where
-- packets may overtake each other a receiver sees holes that close by themselves,
-- and a sender must not take each for a loss. Where a link keeps the order nobody is
-- overtaken, but a late packet holds up all behind it.

scenario {
    title = "Jitter, with and without reordering",
    about = "Four distributions; what TCP takes for a loss, and how it learns.",
    params = {
        rate = "10Mbit",
        delay = "20ms",
        jitter = { "5ms", about = "the distribution's scale" },
        bytes = "3MB",
        kind = { "uniform", about = "set by each world" },
        order = { false, about = "set by each world: packets keep their order" },
        spread = { "0s", about = "set by each world: the amount" },
        old = { false, about = "set by each world: a TCP that takes three duplicate ACKs for a loss, for ever" },
    },
}

-- Seven equally likely quantiles: mostly on time, now and then very late.
local table_of_a_file = { -1, -0.8, -0.6, -0.4, 0, 1, 6 }

local function transfer()
    local old = params.old and { tcp_recovery = 0, tcp_dsack = 0, tcp_timestamps = 0, tcp_max_reordering = 3 } or {}
    local client = host("client", "10.0.0.1", { sysctl = old })
    local server = host("server", "10.0.0.2")
    local jitter = { kind = params.kind, amount = params.spread, keeps_order = params.order,
        table = params.kind == "table" and table_of_a_file or nil }
    local wire = link(client, server, { rate = params.rate, delay = params.delay, up = { jitter = jitter } })
    local done
    server:spawn(function()
        server:listen(80):accept():skip(params.bytes)
        done = now()
    end)
    client:spawn(function() client:connect(server, 80):send(params.bytes) end)
    run("60s")

    local overtaken, last, data = 0, 0, wire:packets { from = client, match = "data" }
    for _, p in ipairs(data) do
        if p.arrived_at < last then overtaken = overtaken + 1 end
        last = math.max(last, p.arrived_at)
    end
    return { mbit = params.bytes * 8 / (done or 60) / 1e6, overtaken = overtaken / #data,
        needless = client:counter("TcpRetransSegs"), dsacks = server:counter("TCPDSACKOldSent"),
        undone = client:counter("TCPFullUndo") + client:counter("TCPDSACKUndo") + client:counter("TCPPartialUndo")
            + client:counter("TCPLossUndo"),
        learned = client:counter("TCPSACKReorder") + client:counter("TCPTSReorder") }
end

local function tell(what, w)
    result(what, w)
    say("%-20s %2.0f %% overtaken, %5.2f Mbit/s, %4d sent again for nothing, %2d times taken back", what,
        100 * w.overtaken, w.mbit, w.needless, w.undone)
end

local even = world("no jitter", transfer)
tell("no jitter", even)
expect(even.overtaken):equals(0)
expect(even.needless):equals(0)
for _, kind in ipairs { "uniform", "normal", "pareto", "table" } do
    local w = world(kind, { kind = kind, spread = "5ms" }, transfer)
    tell(kind, w)
    expect(w.overtaken):above(0.1)
    expect(w.learned):above(0)
    expect(w.mbit):above(0.3 * even.mbit)
end
local kept = world("normal, order kept", { kind = "normal", order = true, spread = "5ms" }, transfer)
tell("normal, order kept", kept)
expect(kept.overtaken):equals(0)
expect(kept.needless):equals(0)
local old = world("normal, an old TCP", { kind = "normal", spread = "5ms", old = true }, transfer)
tell("normal, an old TCP", old)
expect(old.mbit):below(0.7 * even.mbit)
expect(old.needless):above(50)
