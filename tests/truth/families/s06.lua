-- Segments that do not fit arrive in SYN_SENT.
local R = require "raw"

R.scenario { title = "Recordings s06", params = { resets = false, steps_at = "" } }
R.world {}
R.step_times(params.steps_at)
local r = R.raw("B", { sport = R.port, dport = 40000 })
R.a:spawn(function() R.connect("A", { port = 40000, reuseaddr = true }) end)
local syn = r:recv()
local iss = syn.raw_seq

local function step(what, flags, o)
    R.await_step()
    o.ack = o.ack and iss + o.ack
    r:send(flags, o)
    local replies = {}
    for _, p in ipairs(r:drain(.06)) do
        replies[#replies + 1] = ("%s seq-iss %d ack %d"):format(R.letters(p.flags), R.u32(p.raw_seq - iss), p.raw_ack)
    end
    R.step { what = what, replies = replies, states = R.states(R.a) }
end

if params.resets then
    r:send("R.", { seq = 0, ack = iss + 1 })
else
    step("SYN-ACK ack=iss (too low)", "S.", { seq = 7000, ack = 0 })
    step("SYN-ACK ack=iss+1000 (too high)", "S.", { seq = 7000, ack = 1000 })
    step("SYN-ACK ack=iss-5000 (old)", "S.", { seq = 7000, ack = -5000 })
    step("ACK ack=iss+1000", ".", { seq = 7000, ack = 1000 })
    step("ACK ack=iss+1 (no SYN)", ".", { seq = 7000, ack = 1 })
    step("RST with ack=iss+1000", "R.", { seq = 7000, ack = 1000 })
    step("RST without ACK", "R", { seq = 7000 })
    step("FIN-ACK ack=iss+1", "F.", { seq = 7000, ack = 1 })
    step("SYN-ACK ok ack but wrong tsecr", "S.", { seq = 7000, ack = 1, plain = true, mss = 1460, sack_ok = true, tsval = 123,
        tsecr = R.u32(syn.tsval + 100000) })
    step("SYN-ACK right", "S.", { seq = 7000, ack = 1 })
end
sleep("200ms")
R.finish()
