-- One client sends, one server reads: the shape of most scenarios about loss
-- and congestion.
--
--   local transfer = require "transfer"
--   local t = transfer { bytes = "60kB", lose = { 11, 13 }, client = { tcp_sack = 0 }, link = { delay = "20ms" } }
--   say("%d segments again, done after %s.", #t.repeats, time_text(t.took))
--
-- Keys: bytes; client and server (sysctls of each), options (of the client's
-- socket), link; lose (which data segments, counted as they are sent), fates (a
-- function that is given the table below, before anything moves), after (how
-- long to go on when all was read).
-- Fields of what it returns: client, server, wire, conn, data, repeats (packets),
-- began, took (from the first byte given to the last one read; nil: not in an
-- hour), ended (the end of took). The connection stays open.

local known = { bytes = 1, client = 1, server = 1, options = 1, link = 1, lose = 1, fates = 1, after = 1 }

return function(options)
    for key in pairs(options) do
        if not known[key] then error("transfer: the key \"" .. tostring(key) .. "\" is not known", 2) end
    end
    local t = { client = host("client", "10.0.0.1", { sysctl = options.client }),
        server = host("server", "10.0.0.2", { sysctl = options.server }) }
    t.wire = link(t.client, t.server, options.link or { rate = "10Mbit", delay = "20ms" })
    for _, n in ipairs(options.lose or {}) do
        t.wire:drop { from = t.client, match = "data", nth = n }
    end
    if options.fates then options.fates(t) end
    local bytes, done = size(options.bytes), false
    t.server:spawn(function()
        local theirs = t.server:listen(80):accept()
        theirs:skip(bytes)
        t.ended, done = now(), true
    end)
    t.conn = t.client:connect(t.server, 80, { options = options.options })
    t.began = now()
    t.client:spawn(function() t.conn:send(bytes) end)
    for _ = 1, 36000 do
        if done then break end
        run("100ms")
    end
    run(options.after or "1s")
    t.took = t.ended and t.ended - t.began
    t.data = t.wire:packets { from = t.client, match = "data" }
    t.repeats = t.wire:packets { from = t.client, match = "retransmission" }
    return t
end
