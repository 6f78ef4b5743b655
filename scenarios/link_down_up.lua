-- A cable is pulled for some seconds, and plugged in again: TCP does not notice, it
-- only waits. Each try doubles the timeout, so the longer the outage was, the longer
-- it takes until the next try finds the link back. Then the link changes under a
-- connection: rate, delay, MTU.

scenario {
    title = "A link goes down and comes back",
    about = "What an outage costs, and what TCP makes of another rate, delay and MTU.",
    params = { outage = { "3s", about = "set by each world" }, bytes = "2MB", cut_at = "500ms" },
}

local function with_outage()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { rate = "10Mbit", delay = "10ms" })
    local done
    server:spawn(function()
        server:listen(80):accept():skip(params.bytes)
        done = now()
    end)
    client:spawn(function() client:connect(server, 80):send(params.bytes) end)
    if params.outage > 0 then
        at(params.cut_at, function() wire:cut() end)
        at(params.cut_at + params.outage, function() wire:mend() end)
    end
    run("2min")
    local back = wire:packets { from = client, after = params.cut_at + params.outage, match = "data" }:first()
    return { done = done, tries = client:counter("TCPTimeouts"), back = back and back.at - params.cut_at - params.outage }
end

local whole = world("no outage", { outage = 0 }, with_outage)
expect(whole.tries):equals(0)
say("No outage: %s.", time_text(whole.done))
for _, seconds in ipairs { 1, 3, 10, 30 } do
    local w = world(seconds .. " s", { outage = seconds }, with_outage)
    local lost = w.done - whole.done
    expect(lost):between(seconds - 0.1, 2.2 * seconds + 1)
    say("%2d s down: %d timeouts, the first try after it %5.2f s later; %.1f s lost.", seconds, w.tries, w.back, lost)
    result(seconds .. "s", { lost = lost, timeouts = w.tries, first_try_after = w.back })
end

world("another link under the same connection", function()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { rate = "10Mbit", delay = "10ms", queue = 60 })
    server:serve { port = 80 }
    client:bulk { to = server, port = 80 }
    at("4s", function() wire:change { rate = "2Mbit" } end)
    at("8s", function() wire:change { rate = "10Mbit", delay = "60ms" } end)
    at("12s", function() wire:change { mtu = 1000, delay = "10ms" } end)
    run("16s")
    local function rate(from, to)
        return wire:packets { from = client, match = "data", after = from, before = to, fate = "arrived" }:sum("ip_len") * 8
            / (to - from) / 1e6
    end
    local conn = client:connections()[1]
    expect(conn.state):equals("ESTABLISHED")
    expect(rate(2, 4)):above(9)
    expect(rate(6, 8)):between(1.7, 2.3)
    expect(rate(13, 16)):above(7)
    local last = wire:packets { from = client, match = "data" }:last()
    expect(last.ip_len):at_most(1000)
    say("10 Mbit/s: %.1f; 2 Mbit/s: %.1f; 10 Mbit/s, six times as far: %.1f; MTU 1000: %.1f, in packets of %d.", rate(2, 4),
        rate(6, 8), rate(10, 12), rate(13, 16), last.ip_len)
end)
