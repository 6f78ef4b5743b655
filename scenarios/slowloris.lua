-- Slowloris: clients that never finish their request. Their connections are
-- as real as anybody's, so no SYN queue and no cookie keeps them out; what runs
-- out is the server's workers, each of which waits for the next few bytes.
--
--   halfopen run scenarios/slowloris.lua --set timeout=30s    too patient: rate * timeout > workers

scenario {
    title = "Slowloris: requests that never end",
    about = "CLAIMS 6, 29: a trickle of bytes occupies every worker; what a timeout changes.",
    params = {
        workers = { 20, about = "connections that the server serves at once" },
        backlog = { 16, about = "of the listener" },
        slow = { 2, about = "slow connections a second" },
        every = { "10s", about = "between two bytes of a slow request" },
        timeout = { "5s", about = "how long a request may take, in the world that has a bound" },
        bound = { "0s", about = "set by each world" },
        seconds = { 120, about = "how long all this lasts" },
    },
}

local function visited(attacked)
    local attacker, crowd = host("attacker", "10.0.1.1"), host("crowd", "10.0.2.1")
    local server = host("server", "10.0.3.1")
    local lair = link(attacker, server, { delay = "10ms" })
    link(crowd, server, { delay = "10ms" })
    local httpd = server:serve { port = 80, backlog = params.backlog, workers = params.workers, request = 100,
        response = 1000, timeout = params.bound }
    if attacked then
        attacker:crowd { to = server, port = 80, rate = params.slow, poisson = false, request = 100, response = 1000,
            trickle = 1, trickle_every = params.every, stop = params.seconds }
    end
    local users = crowd:crowd { to = server, port = 80, rate = 10, request = 100, response = 1000, patience = "3s",
        stop = params.seconds }
    run(params.seconds)
    local sent = lair:packets { from = attacker }
    return server, httpd:counts(), users:counts(), sent:sum("ip_len") * 8 / params.seconds
end

-- What the crowd got once the attack had had time to work: all of it, if there was no attack.
local function share(users) return users.served / (users.served + users.failed) end

world("nobody attacks", function()
    local _, httpd, users = visited(false)
    expect(share(users)):equals(1)
    expect(httpd.most_open):below(params.workers)
    say("Nobody attacks: %d users served, at most %d of %d workers at once.", users.served, httpd.most_open, params.workers)
end)

world("attacked", function()
    local server, httpd, users, rate = visited(true)
    expect(httpd.most_open):equals(params.workers)
    expect(server:peak("accept_queue", 80)):equals(params.backlog + 1)
    expect(server:counter("SyncookiesSent")):equals(0) -- no SYN queue was ever full
    expect(server:counter("ListenOverflows")):above(0)
    expect(share(users)):below(0.2)
    expect(rate):below(20000)
    say("Attacked with %.1f kbit/s: all %d workers wait for slow requests, %d more connections fill the accept queue; "
        .. "%.0f %% of the users are served.", rate / 1000, params.workers, params.backlog + 1, 100 * share(users))
end)

world("attacked, with a timeout", { bound = params.timeout }, function()
    local _, httpd, users = visited(true)
    -- Little's law: rate x timeout of the workers are held, whoever comes.
    expect(httpd.timed_out):above(0.9 * params.slow * (params.seconds - params.timeout))
    expect(params.slow * params.timeout < params.workers and share(users) or 1):equals(1)
    say("With %s for a request: %d slow ones were closed, %g x %s = %.0f workers are held by the rest; %.0f %% are served.",
        time_text(params.timeout), httpd.timed_out, params.slow, time_text(params.timeout), params.slow * params.timeout,
        100 * share(users))
end)
