-- The path stops for half a second, as a radio link does at a handover, and loses
-- nothing. The timeout was wrong: who finds out, and how soon?

local transfer = require "transfer"

scenario {
    title = "A spurious timeout",
    about = "RFC 5682 (F-RTO), RFC 3522 and 4015 (Eifel): a delay that looks like a loss.",
    params = {
        delay = { "20ms", about = "one way" },
        pause = { "500ms", about = "how long the path holds everything" },
        bytes = { "600kB", about = "to send" },
    },
}

local function held_up(sysctl)
    return transfer { bytes = params.bytes, client = sysctl, link = { rate = "10Mbit", delay = params.delay },
        fates = function(t)
            after("180ms", function()
                local hold = t.wire:hold { from = t.client }
                sleep(params.pause)
                hold:cancel()
                t.wire:release(t.client)
            end)
        end }
end

local function report(name, t)
    say("%s: %d again; all there after %.0f ms.", name, #t.repeats, t.took * 1000)
end

world("F-RTO", { profile = "linux" }, function()
    local t = held_up { tcp_timestamps = 0, tcp_early_retrans = 0 }
    expect(t.client:counter("TCPTimeouts")):equals(1)
    expect(t.client:counter("TCPSpuriousRTOs")):equals(1)
    expect(t.repeats):count(1)
    expect(t.conn:info().snd_cwnd):at_least(20) -- given back
    report("F-RTO: new data after the first repair, and its ACKs tell", t)
end)

world("Eifel", { profile = "linux" }, function()
    local t = held_up { tcp_frto = 0, tcp_early_retrans = 0 }
    expect(t.client:counter("TCPTimeouts")):equals(1)
    expect(t.client:counter("TCPLossUndo")):equals(1)
    expect(t.repeats):count(1)
    report("Eifel: the first ACK echoes the original's timestamp", t)
end)

world("neither", { profile = "linux" }, function()
    local t = held_up { tcp_frto = 0, undo = 0, tcp_timestamps = 0, tcp_early_retrans = 0 }
    expect(t.client:counter("TCPTimeouts")):equals(1)
    expect(t.repeats):count(10, 200)
    expect(t.conn:info().dsack_dups):above(5) -- the receiver had them all
    report("Neither: everything again from one segment on", t)
end)
