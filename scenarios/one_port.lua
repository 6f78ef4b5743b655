-- "65,535 ports, so at most 65,535 connections." A connection is its four-tuple: one
-- listening port serves every address and port that may call it, 2^32 x 2^16 = 2^48 in
-- IPv4. What runs out first is the caller's ports towards that one destination, or
-- descriptors and memory.

scenario {
    title = "One port, many connections",
    about = "CLAIMS 5, 6: what tells connections apart, what bounds them, and what one costs.",
    params = {
        callers = { 4, about = "hosts that call" },
        ports = { 500, about = "ephemeral ports that each has" },
    },
}

local server = host("server", "10.0.9.1", { sysctl = { somaxconn = 65535 } })
local middle = router("middle")
link(middle, server, { delay = "2ms" })
server:serve { port = 80, backlog = 4096 }
server:serve { port = 81, backlog = 4096 }

local empty = server:memory()

local range = "40000 " .. 40000 + params.ports - 1
local callers = {}
for i = 1, params.callers do
    callers[i] = host("caller" .. i, "10.0." .. i .. ".1", { sysctl = { ip_local_port_range = range } })
    link(callers[i], middle, { delay = "1ms" })
    callers[i]:crowd { to = server, port = 80, rate = 2000, count = params.ports, stays_idle = true }
end
run("2s")

local n = params.callers * params.ports
local each = (server:memory() - empty) / n
expect(server:count("ESTABLISHED")):equals(n) -- all of them on port 80
for i = 1, params.callers do
    expect(callers[i]:connect(server, 80)):fails("EADDRNOTAVAIL") -- no port of its own is left towards that one ...
    expect(callers[i]:connect(server, 81)):exists() -- ... but the same ports do for another
end
run("10ms") -- the last final ACK

local seen, different = {}, 0
for _, row in ipairs(server:sockets()) do
    if row.state == "ESTABLISHED" then
        local key = row.local_port .. " " .. row.remote_address .. " " .. row.remote_port
        if not seen[key] then different = different + 1 end
        seen[key] = true
    end
end
expect(different):equals(n + params.callers)
expect(each):below(1024)
say("%d callers with %d ports each: %d connections on one port, told apart by address and port of the caller.",
    params.callers, params.ports, n)
say("The next connect() of each failed with EADDRNOTAVAIL, towards port 81 it did not. IPv4 would allow 2^48 = %d.", 1 << 48)
say("An idle connection takes %.0f bytes of this simulator: 2^48 of them %.0f PB.", each,
    each * 2.0 ^ 48 / 1e15)
result("bytes_each", each)
