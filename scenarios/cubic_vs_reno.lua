-- After a loss Reno adds one segment a round trip, however long the way. CUBIC
-- looks at the clock: back to near the old window fast, careful there, then on.

scenario {
    title = "CUBIC and Reno",
    about = "RFC 9438, RFC 5681: the window after a loss, on a long path; and both on one link.",
    params = {
        rate = "40Mbit",
        delay = { "50ms", about = "one way" },
        queue = { 100, about = "packets; the path itself holds 333" },
        seconds = { 16, about = "how long" },
    },
}

-- Mbit/s that came to each host from the second second on, when slow start is over.
local function speeds(receivers)
    local before, speed = {}, {}
    run(2)
    for i, receiver in ipairs(receivers) do before[i] = receiver:counter("IpExtInOctets") end
    run(params.seconds - 2)
    for i, receiver in ipairs(receivers) do
        speed[i] = (receiver:counter("IpExtInOctets") - before[i]) * 8 / (params.seconds - 2) / 1e6
    end
    return speed
end

-- A single flow from slow start on.
local function alone(algorithm)
    local client = host("client", "10.0.0.1", { sysctl = { tcp_congestion_control = algorithm } })
    local server = host("server", "10.0.0.2")
    link(client, server, { rate = params.rate, delay = params.delay, queue = params.queue })
    server:serve { port = 80 }
    client:bulk { to = server, port = 80 }
    return speeds { server }[1], client:counter("RetransSegs")
end

local cubic = world("CUBIC", { profile = "linux" }, function()
    local speed, lost = alone("cubic")
    expect(lost):above(0)
    expect(speed):above(0.85 * params.rate / 1e6)
    say("CUBIC: %.1f of %.0f Mbit/s, %d lost in slow start and after.", speed, params.rate / 1e6, lost)
    return speed
end)

world("Reno", { profile = "linux" }, function()
    local speed, lost = alone("reno")
    expect(lost):above(0)
    expect(speed):below(0.97 * cubic)
    say("Reno: %.1f Mbit/s, %d lost; its window is still growing back.", speed, lost)
end)

world("side by side", { profile = "linux" }, function()
    local net = require "topology".dumbbell { left = 2, right = 2,
        bottleneck = { rate = params.rate, delay = params.delay, queue = params.queue } }
    for i, algorithm in ipairs { "cubic", "reno" } do
        net.right[i]:serve { port = 80 }
        net.left[i]:bulk { to = net.right[i], port = 80, congestion = algorithm }
    end
    local share = speeds(net.right)
    expect(share[1]):above(share[2])
    say("On one link: CUBIC %.1f, Reno %.1f Mbit/s.", share[1], share[2])
end)
