-- A line with much downstream and little upstream. A download needs upstream too, for
-- its ACKs: while an upload fills the slow direction's buffer they wait behind it, the
-- sender hears of what arrived half a second late, and the download starves. A queue
-- that gives the ACKs a turn of their own (FQ-CoDel) cures it.

scenario {
    title = "The slow way back",
    about = "ACKs that wait behind an upload, on an asymmetric link.",
    params = { down = "20Mbit", up = "512kbit", buffer = { 100, about = "packets upstream: 2.3 s" }, seconds = 16 },
}

local cases = {
    { name = "download-alone" },
    { name = "with-upload", uploads = true },
    { name = "with-fq_codel", uploads = true, queue = { kind = "fq_codel" } },
}
for i, c in ipairs(cases) do
    c.home, c.web = host("home" .. i), host("web" .. i)
    local modem = router("modem" .. i)
    link(c.home, modem, { delay = "500us" })
    c.line = link(modem, c.web, { name = c.name, delay = "15ms", queue = { packets = 200 },
        up = { rate = params.up, queue = c.queue or params.buffer }, down = { rate = params.down } })
    c.home:serve { port = 80 }
    c.web:serve { port = 80 }
    c.web:bulk { to = c.home, port = 80, start = "1s" }
    if c.uploads then c.home:bulk { to = c.web, port = 80 } end
    c.modem = modem
end
run(params.seconds)

for _, c in ipairs(cases) do
    local from, seconds = 4, params.seconds - 4
    local down = c.line:packets { from = c.web, match = "data", after = from, fate = "arrived" }:sum("len") * 8 / seconds
    local up = c.line:packets { from = c.modem, match = "data", after = from, fate = "arrived" }:sum("len") * 8 / seconds
    local acks, wait = c.line:packets { from = c.modem, match = "ack", after = from, fate = "arrived" }, 0
    for _, p in ipairs(acks) do wait = wait + p.arrived_at - p.at - 0.015 end
    c.down, c.up, c.wait = down / 1e6, up / 1e6, wait / #acks
    result(c.name, { down_mbit = c.down, up_mbit = c.up, ack_wait = c.wait })
    say("%-15s down %5.2f Mbit/s, up %.2f; an ACK waits %4.0f ms", c.name, c.down, c.up, 1000 * c.wait)
end
local alone, beside, fair = table.unpack(cases)
expect(alone.down):above(0.85 * params.down / 1e6)
expect(beside.down):below(0.5 * alone.down)
expect(beside.wait):above("300ms")
expect(fair.down):above(1.5 * beside.down)
expect(fair.wait):below(beside.wait / 3)
expect(fair.up):above(0.2 * params.up / 1e6)
