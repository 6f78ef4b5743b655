-- Honest users, in the ways that they come. The same load a second fills the
-- accept queue or does not, as they arrive evenly, by chance (Poisson), or
-- all at once as a trace has it. And a connection that is kept for the next
-- request saves handshakes, packets and TIME-WAIT.

scenario {
    title = "An honest crowd",
    about = "CLAIMS 28, 29, 45: arrivals, queues, and what keep-alive saves.",
    params = {
        rate = { 80, about = "users a second" },
        accepts = { 100, about = "connections a second that the application takes" },
        backlog = { 16, about = "of the listener" },
        seconds = { 20, about = "how long they come" },
        requests = { 8, about = "of one user, in the second part" },
        think = { "200ms", about = "mean pause between two of them" },
    },
}

local function place(serve)
    local crowd, server = host("crowd", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(crowd, server, { delay = "10ms" })
    serve.port, serve.backlog = 80, serve.backlog or params.backlog
    serve.request, serve.response = 100, "10KiB"
    server:serve(serve)
    return crowd, server, wire
end

-- Users as `how` says, at an application that is a little faster than they are.
local function arrivals(how)
    local crowd, server = place { accepts_per_s = params.accepts }
    how.to, how.port, how.request, how.response = server, 80, 100, "10KiB"
    how.stop = params.seconds
    local users = crowd:crowd(how)
    run(params.seconds + 20)
    return server, users:counts(), users
end

local function told(name, server, counts, users)
    say("%-8s %4d users, at most %2d in the accept queue, %3d SYNs dropped; median %.0f ms, slowest 1 %% %.0f ms.", name, counts.started,
        server:peak("accept_queue", 80), server:counter("ListenOverflows"), 1000 * users:latency(0.5),
        1000 * users:latency(0.99))
end

world("evenly", function()
    local server, counts, users = arrivals { rate = params.rate, poisson = false }
    expect(counts.served):equals(counts.started)
    expect(counts.started):equals(params.rate * params.seconds)
    expect(server:peak("accept_queue", 80)):at_most(2)
    expect(server:counter("ListenOverflows")):equals(0)
    told("Evenly:", server, counts, users)
end)

world("by chance", function()
    local server, counts, users = arrivals { rate = params.rate, poisson = true }
    expect(counts.served):equals(counts.started)
    expect(counts.started):near(params.rate * params.seconds, 5 * math.sqrt(params.rate * params.seconds))
    expect(server:peak("accept_queue", 80)):above(4) -- chance alone makes queues
    told("Poisson:", server, counts, users)
end)

world("as a trace has it", function()
    local times = {} -- a second's worth of users within a tenth of it
    for second = 0, params.seconds - 1 do
        for i = 0, params.rate - 1 do times[#times + 1] = second + i * 0.1 / params.rate end
    end
    local server, counts, users = arrivals { arrivals = times }
    expect(counts.started):equals(params.rate * params.seconds)
    expect(server:peak("accept_queue", 80)):equals(params.backlog + 1)
    expect(server:counter("ListenOverflows")):above(0)
    told("Trace:", server, counts, users)
end)

-- ---- one connection for each request, or one for all ------------------------------

local function visit(connections, requests)
    local crowd, server, wire = place { backlog = 1024 }
    local users = crowd:crowd { to = server, port = 80, rate = 50 * connections, poisson = false, count = 100 * connections,
        requests = requests, think = params.think, request = 100, response = "10KiB" }
    run("40s")
    return { counts = users:counts(), packets = #wire:packets {}, waits = crowd:peak("time_wait"), users = users }
end

local apart = world("a connection for each request", function() return visit(params.requests, 1) end)
local kept = world("keep-alive", function() return visit(1, params.requests) end)
expect(apart.counts.requests_done):equals(100 * params.requests)
expect(kept.counts.requests_done):equals(100 * params.requests)
expect(apart.waits):equals(100 * params.requests)
expect(kept.waits):equals(100)
expect(kept.packets):below(apart.packets)
say("%d requests: apart %d connections, %d packets, %d in TIME-WAIT; kept alive %d connections, %d packets, %d in TIME-WAIT.",
    100 * params.requests, apart.counts.started, apart.packets, apart.waits, kept.counts.started, kept.packets, kept.waits)
