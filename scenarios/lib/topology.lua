-- Shapes that come up again and again:
--
--   local topology = require "topology"
--   local net = topology.dumbbell { left = 3, right = 3, bottleneck = { rate = "10Mbit", delay = "20ms" } }
--   net.left[1]:connect(net.right[1], 80)
--
-- Hosts are named left1, left2, ...; addresses count up by themselves. Every
-- helper returns a table of hosts, routers and links.

local topology = {}

local function read(options, known, call)
    for key in pairs(options or {}) do
        if not known[key] then error(call .. ": the key \"" .. tostring(key) .. "\" is not known", 3) end
    end
    return options or {}
end

local function new_host(name, net, i, options)
    return host(name .. i, string.format("10.%d.%d.%d", net, i // 250, i % 250 + 1), options)
end

-- left hosts - router - bottleneck - router - right hosts.
-- Keys: left, right (how many), access (link of each host), bottleneck, host (options of each).
function topology.dumbbell(options)
    options = read(options, { left = 1, right = 1, access = 1, bottleneck = 1, host = 1 }, "dumbbell")
    local net = { left = {}, right = {}, access = {} }
    net.router_left, net.router_right = router("router_left"), router("router_right")
    net.bottleneck = link(net.router_left, net.router_right, options.bottleneck)
    local access = options.access or { delay = "1ms" }
    for i = 1, options.left or 1 do
        net.left[i] = new_host("left", 1, i, options.host)
        net.access[#net.access + 1] = link(net.left[i], net.router_left, access)
    end
    for i = 1, options.right or 1 do
        net.right[i] = new_host("right", 2, i, options.host)
        net.access[#net.access + 1] = link(net.router_right, net.right[i], access)
    end
    return net
end

-- client - router1 - router2 - ... - server. Keys: routers (how many), link
-- (of every hop), links (a list: the options of each hop), host.
function topology.chain(options)
    options = read(options, { routers = 1, link = 1, links = 1, host = 1 }, "chain")
    local net = { routers = {}, links = {} }
    net.client = host("client", "10.0.1.1", options.host)
    net.server = host("server", "10.0.2.1", options.host)
    local last = net.client
    for i = 1, options.routers or 1 do
        net.routers[i] = router("router" .. i)
        net.links[i] = link(last, net.routers[i], options.links and options.links[i] or options.link)
        last = net.routers[i]
    end
    local n = #net.links + 1
    net.links[n] = link(last, net.server, options.links and options.links[n] or options.link)
    return net
end

-- hosts around one router. Keys: hosts (how many), link, host.
function topology.star(options)
    options = read(options, { hosts = 1, link = 1, host = 1 }, "star")
    local net = { hosts = {}, links = {}, router = router("router") }
    for i = 1, options.hosts or 2 do
        net.hosts[i] = new_host("host", 1, i, options.host)
        net.links[i] = link(net.hosts[i], net.router, options.link)
    end
    return net
end

-- A tree of routers with hosts at its leaves. Keys: depth (levels of routers),
-- fanout, link, host.
function topology.tree(options)
    options = read(options, { depth = 1, fanout = 1, link = 1, host = 1 }, "tree")
    local net = { hosts = {}, routers = {}, links = {} }
    local function grow(parent, level)
        for _ = 1, options.fanout or 2 do
            local child
            if level >= (options.depth or 2) then
                child = new_host("host", 1, #net.hosts + 1, options.host)
                net.hosts[#net.hosts + 1] = child
            else
                child = router("router" .. #net.routers + 1)
                net.routers[#net.routers + 1] = child
                grow(child, level + 1)
            end
            net.links[#net.links + 1] = link(parent, child, options.link)
        end
    end
    net.root = router("root")
    grow(net.root, 1)
    return net
end

return topology
