-- Cookies that nobody was given, and good ones that come late.
local R = require "raw"

R.scenario { title = "Recordings s08: cookies", params = {} }
R.world { sysctl_b = { ["net.ipv4.tcp_syncookies"] = 2 } }
R.b:listen(R.port, { backlog = 16 })

local function step(what, r, ack)
    local before, replies = R.b:counters(), {}
    r:send(".", { seq = 1001, ack = ack })
    for _, p in ipairs(r:drain(.1)) do replies[#replies + 1] = R.letters(p.flags) end
    local counters = {}
    for name, value in pairs(R.counters_since(R.b, before)) do
        if name:find("^TcpE") then counters[name] = value end
    end
    R.step { what = what, replies = replies, counters = counters, states = R.states(R.b) }
end

local r = R.raw("A", { sport = 40001 })
r:send("S", { seq = 1000 })
local syn_ack = r:recv()
step("bogus ack", r, syn_ack.raw_seq + 12345)
sleep("1s")
step("valid ack after 1 s", r, syn_ack.raw_seq + 1)
local r2 = R.raw("A", { sport = 40002, ts = false })
r2:send("S", { seq = 1000 })
syn_ack = r2:recv()
sleep("190s")
step("valid ack after 190 s", r2, syn_ack.raw_seq + 1)
R.finish()
