-- A fast path with a long way: what is under way is a megabyte. The window must be
-- as large, and the receiver finds out how large by watching its reader.

local transfer = require "transfer"

scenario {
    title = "The receive buffer tunes itself",
    about = "tcp_rmem, tcp_moderate_rcvbuf, SO_RCVBUF, tcp_wmem: throughput is window over round trip.",
    params = {
        rate = "100Mbit",
        delay = { "50ms", about = "one way" },
        bytes = { "20MB", about = "to send" },
    },
}

local bdp = params.rate / 8 * 2 * params.delay

local function bulk(options)
    options.bytes, options.link = params.bytes, { rate = params.rate, delay = params.delay, queue = 2000 }
    options.after = 0
    local t = transfer(options)
    return t, size(params.bytes) * 8 / t.took / 1e6, t.conn:info()
end

local tuned = world("tuned", { profile = "linux" }, function()
    local _, speed, info = bulk {}
    expect(info.snd_wnd):above(bdp)
    expect(info.rwnd_limited):below(0.1)
    say("Tuned: the window grew to %.1f MB, %.1f times what the path holds; %.1f Mbit/s.", info.snd_wnd / 1e6,
        info.snd_wnd / bdp, speed)
    return speed
end)

world("tcp_moderate_rcvbuf = 0", { profile = "linux" }, function()
    local _, speed, info = bulk { server = { tcp_moderate_rcvbuf = 0 } }
    expect(info.snd_wnd):at_most(131072)
    expect(speed):near(info.snd_wnd * 8 / (2 * params.delay) / 1e6, "15%") -- a window a round trip
    expect(info.rwnd_limited / info.busy_time):above(0.9)
    expect(tuned):above(4 * speed)
    say("Not tuned: a window of %d bytes; %.1f Mbit/s, as window over round trip says.", info.snd_wnd, speed)
end)

world("SO_RCVBUF", { profile = "linux" }, function()
    -- Chosen once, doubled for the overhead, and never tuned again.
    local t, speed, info = bulk { fates = function(t) t.server:sysctl("tcp_rmem", "4096 425984 425984") end }
    expect(info.snd_wnd):at_most(425984)
    expect(t.client:counter("TCPTimeouts")):equals(0)
    say("A buffer of 416 KiB: %.1f Mbit/s.", speed)
end)

world("no window scale", { profile = "linux" }, function()
    local _, speed, info = bulk { server = { tcp_window_scaling = 0 } }
    expect(info.snd_wnd):at_most(65535)
    say("Without window scaling 64 KiB is all there is: %.1f Mbit/s.", speed)
end)
