-- SO_REUSEPORT: several listeners on one port, each with queues of its own. A
-- connection goes to one of them by the hash of its four-tuple, whatever the
-- others could take: a listener whose program sleeps loses its share.

scenario {
    title = "Several listeners on one port",
    about = "SO_REUSEPORT: shares of the connections, and queues apart.",
    params = {
        listeners = { 4, about = "with SO_REUSEPORT" },
        backlog = { 15, about = "of each" },
        clients = { 400, about = "connections, one after the other" },
        asleep = { 0, about = "set by each world: how many of the listeners never accept" },
    },
}

local function shared()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    link(client, server, { delay = "5ms" })
    local taken = {}
    for i = 1, params.listeners do
        local listener = server:listen(80, { backlog = params.backlog, options = { SO_REUSEPORT = 1 } })
        taken[i] = 0
        if i > params.asleep then
            server:spawn(function()
                while listener:accept() do taken[i] = taken[i] + 1 end
            end)
        end
    end
    local crowd = client:crowd { to = server, port = 80, rate = 200, count = params.clients, poisson = false,
        stays_idle = true, patience = "500ms" }
    run(params.clients / 200 + 1)
    return taken, crowd:counts(), server
end

world("all awake", function()
    local taken, counts = shared()
    local mean, total = params.clients / params.listeners, 0
    for i = 1, params.listeners do
        expect(taken[i]):as("the share of listener " .. i):near(mean, 5 * math.sqrt(mean))
        total = total + taken[i]
    end
    expect(total):equals(params.clients)
    expect(counts.connected):equals(params.clients)
    say("All awake: %d connections, %s of them to each listener.", total, table.concat(taken, ", "))
end)

world("one asleep", { asleep = 1 }, function()
    local taken, counts, server = shared()
    local lost = params.clients - counts.connected
    expect(taken[1]):equals(0)
    -- Its share fills its own accept queue, and the rest of it is refused though three others wait.
    expect(server:peak("accept_queue", 80)):at_least(params.backlog + 1)
    expect(server:counter("ListenOverflows")):at_least(lost)
    expect(lost):near(params.clients / params.listeners - params.backlog - 1, 5 * math.sqrt(params.clients / params.listeners))
    say("One asleep: its %d wait for ever in its own queue, %d more clients get nothing, while three programs wait for work.",
        params.backlog + 1, lost)
end)
