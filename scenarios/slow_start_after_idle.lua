-- Two bursts, and a pause between them. The window that the first one earned: is
-- it worth anything after the silence?

scenario {
    title = "Slow start after idle",
    about = "RFC 5681 §4.1, RFC 2861: tcp_slow_start_after_idle, on and off.",
    params = {
        delay = { "50ms", about = "one way" },
        pause = { "3s", about = "between the bursts" },
        burst = { "300kB", about = "each" },
        restart = { 1, about = "tcp_slow_start_after_idle: set by the second world" },
    },
}

local function two_bursts()
    local client = host("client", "10.0.0.1", { sysctl = { tcp_slow_start_after_idle = params.restart } })
    local server = host("server", "10.0.0.2", { sysctl = { tcp_rmem = "4096 1000000 6000000" } })
    local wire = link(client, server, { rate = "50Mbit", delay = params.delay, queue = 300 })
    local ended = {}
    server:spawn(function()
        local theirs = server:listen(80):accept()
        for i = 1, 2 do
            theirs:skip(size(params.burst))
            ended[i] = now()
        end
    end)
    local conn = client:connect(server, 80)
    local function send()
        local began = now()
        client:spawn(function() conn:send(size(params.burst)) end)
        sleep(params.pause)
        return began
    end
    local first = send()
    local grown = conn:info().snd_cwnd
    local second = send()
    return { first = ended[1] - first, second = ended[2] - second, grown = grown, wire = wire, client = client,
        at_once = #wire:packets { from = client, match = "data", after = second, before = second + params.delay } }
end

world("on", { profile = "linux" }, function()
    local t = two_bursts()
    expect(t.client:counter("TCPSlowStartAfterIdle")):equals(1)
    expect(t.at_once):at_most(12) -- the initial window again
    expect(t.second):near(t.first, "30%")
    say("On: cwnd %d after the first burst, yet the second begins with %d segments; %.0f ms, then %.0f ms.", t.grown,
        t.at_once, t.first * 1000, t.second * 1000)
end)

world("off", { profile = "linux", restart = 0 }, function()
    local t = two_bursts()
    expect(t.client:counter("TCPSlowStartAfterIdle")):equals(0)
    expect(t.at_once):above(50)
    expect(t.second):below(0.7 * t.first)
    say("Off: the second begins with %d segments at once; %.0f ms, then %.0f ms.", t.at_once, t.first * 1000,
        t.second * 1000)
end)
