-- How many half-open connections does a listener hold? Textbooks say
-- "tcp_max_syn_backlog". Linux says: the backlog plus one; and, with cookies
-- off, no more than three quarters of tcp_max_syn_backlog plus one, for the last
-- quarter is kept for peers that are known to exist.

scenario {
    title = "What the SYN queue holds",
    about = "CLAIMS 24, 26, 32: the capacity of the queue of half-open connections.",
    params = {
        syns = { 1000, about = "spoofed SYNs, all within a second" },
        retries = { 5, about = "tcp_synack_retries: how long an entry lives" },
    },
}

-- Floods a listener and returns how many entries it held at most.
local function held(name, backlog, sysctl)
    sysctl.tcp_synack_retries = params.retries
    return world(name, function()
        local attacker = host("attacker", "10.0.0.1")
        local server = host("server", "10.0.0.2", { sysctl = sysctl })
        link(attacker, server, { delay = "10ms" })
        server:route("0.0.0.0/0", { via = attacker:address() })
        server:serve { port = 80, backlog = backlog }
        attacker:flood { to = server, port = 80, rate = params.syns, count = params.syns, spoof = "10.77.0.0/16" }
        run("900ms") -- before anything is sent again or aged
        return server:peak("syn_queue", 80)
    end)
end

for _, backlog in ipairs { 0, 1, 4, 128 } do
    expect(held("backlog " .. backlog, backlog, { tcp_syncookies = 0 })):equals(backlog + 1)
end
expect(held("somaxconn 8", 1000, { tcp_syncookies = 0, somaxconn = 8 })):equals(9)
expect(held("tcp_max_syn_backlog 16", 128, { tcp_syncookies = 0, tcp_max_syn_backlog = 16 })):equals(13)
expect(held("tcp_max_syn_backlog 64", 128, { tcp_syncookies = 0, tcp_max_syn_backlog = 64 })):equals(49)
expect(held("tcp_max_syn_backlog 512", 512, { tcp_syncookies = 0, tcp_max_syn_backlog = 512 })):equals(385)
local with_cookies = held("16, cookies on", 128, { tcp_syncookies = 1, tcp_max_syn_backlog = 16 })
expect(with_cookies):equals(129) -- with cookies the sysctl does not bind

-- How long one entry lives: SYN-ACKs at 0, 1, 3, 7, 15, 31 s, then dropped at 63 s, without a word.
world("lifetime", function()
    local silent = host("silent", "10.0.0.1", { raw = true })
    local server = host("server", "10.0.0.2", { sysctl = { tcp_synack_retries = params.retries } })
    local wire = link(silent, server, { delay = "10ms" })
    server:listen(80)
    silent:send_raw { dst = server, sport = 1234, dport = 80, flags = "syn", mss = 1460 }
    run("3min")
    local request = server:connections()[1]
    local times, wait = {}, 0
    for i = 0, params.retries do
        times[i + 1] = wait
        wait = wait + 2 ^ i
    end
    expect(wire:packets { from = server, match = "syn+ack" }):sent_at(times, "20ms")
    expect(request):passed_only("LISTEN", "SYN_RECEIVED", "CLOSED")
    expect(request:spent("SYN_RECEIVED")):near(wait, "20ms")
    expect(wire:packets { from = server, match = "rst" }):none()
    say("An entry nobody completes lives %s.", time_text(request:spent("SYN_RECEIVED")))
end)

say("Held: backlog + 1. With cookies off also at most 13 of 16, 49 of 64, 385 of 512; with cookies on %d of 16.", with_cookies)
