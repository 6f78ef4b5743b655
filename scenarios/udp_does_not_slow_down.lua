-- A TCP and a UDP of constant rate share a bottleneck. When it is full TCP gives
-- way, UDP does not: it loses what does not fit and sends the rest as before.

scenario {
    title = "UDP does not slow down",
    about = "CLAIM 8: who gives way at a full link.",
    params = { link_rate = "5Mbit", udp_rate = "4Mbit", seconds = 20 },
}

local net = require "topology".dumbbell { left = 2, right = 2,
    bottleneck = { rate = params.link_rate, delay = "10ms", queue = 50 } }
net.right[1]:serve { port = 80 }
net.left[1]:bulk { to = net.right[1], port = 80 }
net.right[2]:udp(53)
local udp = net.left[2]:udp_flow { to = net.right[2], port = 53, rate = params.udp_rate, bytes = 1400,
    start = params.seconds / 2, stop = params.seconds }

-- Mbit/s that crossed the bottleneck between two times.
local function rate(match, from, to)
    local bytes = net.bottleneck:packets { from = net.router_left, match = match, after = from, before = to,
        fate = "arrived" }:sum("ip_len")
    return bytes * 8 / (to - from) / 1e6
end

run(params.seconds + 1)
local half, all = params.seconds / 2, params.seconds
local alone, beside, other = rate("tcp", 2, half), rate("tcp", half + 2, all), rate("udp", half + 2, all)
expect(alone):above(0.9 * params.link_rate / 1e6)
expect(other):above(0.8 * params.udp_rate / 1e6)
expect(beside):below(0.4 * params.link_rate / 1e6) -- what UDP left over
expect(udp:sent()):near(params.udp_rate * half / 8 / 1428, "1%") -- never slower
say("TCP alone %.1f Mbit/s; beside a UDP of %.1f it fell to %.1f.", alone, other, beside)
