-- The wire is cut and mended fifty seconds later. Each timeout is twice the last: what
-- that spares the network, and what it costs the sender when the path is back.

scenario {
    title = "Exponential back-off",
    about = "RFC 6298 §5: the schedule of retransmissions, its bounds, and the price of doubling.",
    params = {
        delay = { "20ms", about = "one way" },
        cut = { "50s", about = "how long the wire is dead" },
    },
}

local function cut_and_mended(options)
    local client = host("client", "10.0.0.1", { profile = options.profile, sysctl = options.sysctl })
    local server = host("server", "10.0.0.2", { profile = options.profile })
    local wire = link(client, server, { delay = params.delay })
    local arrived
    server:spawn(function()
        local theirs = server:listen(80):accept()
        theirs:skip(1000)
        theirs:skip(1000)
        arrived = now()
    end)
    local conn = client:connect(server, 80, { options = options.options })
    conn:send(1000)
    sleep("1s")
    wire:cut()
    local began = now()
    conn:send(1000)
    sleep(params.cut)
    wire:mend()
    run("2min")
    local times = {}
    for _, packet in ipairs(wire:packets { from = client, match = "data", after = began }) do
        times[#times + 1] = packet.at - began
    end
    return times, arrived and arrived - began - params.cut
end

local function report(name, times, late)
    local words = {}
    for i = 2, math.min(#times, 6) do words[#words + 1] = string.format("%.2f", times[i]) end
    say("%s: %d transmissions, at %s ... s; arrived %.1f s after the wire was mended.", name, #times,
        table.concat(words, ", "), late)
end

-- The gaps from the second retransmission on double, as long as no bound is met.
local function expect_doubling(times)
    for i = 4, math.min(#times, 8) do
        expect((times[i] - times[i - 1]) / (times[i - 1] - times[i - 2])):near(2, 0.02)
    end
end

world("Linux", { profile = "linux" }, function()
    local times, late = cut_and_mended { sysctl = { tcp_early_retrans = 0 } }
    expect(times[2]):near("240ms", "5ms") -- srtt + 200 ms
    expect_doubling(times)
    report("Linux", times, late)
end)

world("RFC 6298", function()
    local times, late = cut_and_mended { profile = "rfc", sysctl = { tcp_early_retrans = 0 } }
    expect(times[2]):near("1s", "5ms") -- never less than a second (§2.4)
    expect_doubling(times)
    report("RFC 6298", times, late)
end)

world("tcp_rto_max_ms", { profile = "linux" }, function()
    local times, late = cut_and_mended { sysctl = { tcp_early_retrans = 0, tcp_rto_max_ms = 5000 } }
    expect(times[#times] - times[#times - 1]):near("5s", "10ms")
    expect(late):below("5s")
    report("At most 5 s", times, late)
end)

world("thin stream", { profile = "linux" }, function()
    local times, late = cut_and_mended { sysctl = { tcp_early_retrans = 0 }, options = { TCP_THIN_LINEAR_TIMEOUTS = 1 } }
    expect(times[6] - times[5]):near(times[3] - times[2], "10ms") -- six timeouts without doubling
    report("TCP_THIN_LINEAR_TIMEOUTS", times, late)
end)
