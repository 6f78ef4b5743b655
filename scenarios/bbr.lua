-- A TCP that fills the queue until it overflows, and one that measures the path's
-- rate and round trip and keeps to them. Deep buffers and stray losses tell them apart.

scenario {
    title = "BBR and CUBIC",
    about = "BBR v1: a deep buffer, random loss, and both on one link.",
    params = {
        rate = "20Mbit",
        delay = { "20ms", about = "one way" },
        queue = { 500, about = "packets in the deep buffer; the path holds 67" },
        loss = { 0.01, about = "of each packet, in the worlds with loss" },
        seconds = { 12, about = "how long" },
    },
}

-- Mbit/s after the first two seconds, and the smoothed round trip meanwhile.
local function alone(algorithm, options)
    local client = host("client", "10.0.0.1", { sysctl = { tcp_congestion_control = algorithm } })
    local server = host("server", "10.0.0.2")
    link(client, server, { up = { rate = params.rate, queue = options.queue, loss = options.loss, delay = params.delay },
        down = { delay = params.delay } })
    server:spawn(function() server:listen(80):accept():recv_eof() end)
    local conn = client:connect(server, 80)
    client:spawn(function() conn:send(math.maxinteger // 4) end)
    run(2)
    local before, sum, n = server:counter("IpExtInOctets"), 0, 0
    every("50ms", function() sum, n = sum + conn:info().rtt, n + 1 end)
    run(params.seconds - 2)
    return (server:counter("IpExtInOctets") - before) * 8 / (params.seconds - 2) / 1e6, sum / n
end

local function compare(name, options)
    local speed, rtt = {}, {}
    for _, algorithm in ipairs { "bbr", "cubic" } do
        speed[algorithm], rtt[algorithm] = table.unpack(world(algorithm .. ", " .. name, { profile = "linux" }, function()
            return { alone(algorithm, options) }
        end))
    end
    say("%s: BBR %.1f Mbit/s at a round trip of %.0f ms, CUBIC %.1f at %.0f ms.", name, speed.bbr, rtt.bbr * 1000,
        speed.cubic, rtt.cubic * 1000)
    return speed, rtt
end

local speed, rtt = compare("a deep buffer", { queue = params.queue })
expect(speed.bbr):above(0.85 * params.rate / 1e6)
expect(rtt.bbr):below(2.2 * 2 * params.delay) -- two bandwidth-delay products at most
expect(rtt.cubic):above(2 * rtt.bbr)

speed = compare("1 % loss", { queue = params.queue, loss = params.loss })
expect(speed.bbr):above(0.75 * params.rate / 1e6)
expect(speed.cubic):below(0.5 * params.rate / 1e6)

world("on one link", { profile = "linux" }, function()
    local net = require "topology".dumbbell { left = 2, right = 2,
        bottleneck = { rate = params.rate, delay = params.delay, queue = 60 } }
    local got = {}
    for i, algorithm in ipairs { "bbr", "cubic" } do
        net.right[i]:serve { port = 80 }
        net.left[i]:bulk { to = net.right[i], port = 80, congestion = algorithm }
    end
    run(params.seconds)
    for i = 1, 2 do got[i] = net.right[i]:counter("IpExtInOctets") * 8 / params.seconds / 1e6 end
    expect(got[1]):above(2)
    expect(got[2]):above(0.5)
    say("On one link with a queue of one bandwidth-delay product: BBR %.1f, CUBIC %.1f Mbit/s.", got[1], got[2])
end)
