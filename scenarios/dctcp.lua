-- A switch that marks at twenty packets. A TCP that halves at a mark empties the
-- queue and the link; DCTCP gives way by as much as was marked.

scenario {
    title = "DCTCP",
    about = "RFC 8257: the share of marks, not the first of them; a short queue, and a full link.",
    params = {
        rate = "100Mbit",
        delay = { "250us", about = "one way, of each of two links" },
        threshold = { 10, about = "packets in the queue from which on all are marked" },
        seconds = { 1.5, about = "how long" },
    },
}

local function two_flows(algorithm)
    local mark = params.threshold * 1500
    local net = require "topology".dumbbell { left = 2, right = 2, access = { delay = params.delay },
        host = { sysctl = { tcp_congestion_control = algorithm, tcp_ecn = 1 } },
        bottleneck = { delay = params.delay, up = { rate = params.rate, queue = { kind = "red", ecn = true,
            min = mark, max = mark + 1, probability = 1, weight = 1, packets = 500 } } } }
    for i = 1, 2 do
        net.right[i]:serve { port = 80 }
        net.left[i]:bulk { to = net.right[i], port = 80 }
    end
    run("500ms")
    local sum, n, most = 0, 0, 0
    local before = net.right[1]:counter("IpExtInOctets") + net.right[2]:counter("IpExtInOctets")
    every("500us", function()
        local waiting = net.bottleneck:queue(net.router_left)
        sum, n, most = sum + waiting, n + 1, math.max(most, waiting)
    end)
    run(params.seconds - 0.5)
    local bytes = net.right[1]:counter("IpExtInOctets") + net.right[2]:counter("IpExtInOctets") - before
    return bytes * 8 / (params.seconds - 0.5) / params.rate, sum / n, most, net
end

local full = world("DCTCP", function()
    local use, mean, most, net = two_flows("dctcp")
    expect(use):above(0.97)
    expect(mean):below(2 * params.threshold)
    expect(net.left[1]:counter("RetransSegs")):equals(0)
    say("DCTCP: %.1f %% of the link, %.1f packets in the queue on average, at most %d.", 100 * use, mean, most)
    return use
end)

world("Reno with ECN", function()
    local use, mean, most = two_flows("reno")
    expect(use):below(full)
    say("Reno, which halves at a mark: %.1f %%, %.1f on average, at most %d.", 100 * use, mean, most)
end)

world("CUBIC, no marks", function()
    local net = require "topology".dumbbell { left = 1, right = 1, access = { delay = params.delay },
        bottleneck = { delay = params.delay, up = { rate = params.rate, queue = 100 } } }
    net.right[1]:serve { port = 80 }
    net.left[1]:bulk { to = net.right[1], port = 80 }
    run("500ms")
    local sum, n = 0, 0
    every("500us", function() sum, n = sum + net.bottleneck:queue(net.router_left), n + 1 end)
    run(params.seconds - 0.5)
    expect(sum / n):above(30)
    say("CUBIC and a queue of 100 without marks: %.1f on average.", sum / n)
end)
