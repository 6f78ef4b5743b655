-- TIME_WAIT and local ports: reuse, bind, exhaustion, buckets.
local R = require "replay"

R.scenario {
    title = "Recordings s10",
    params = { kind = { "reuse", choices = { "reuse", "server_still_tw", "exhausted", "choice", "buckets", "server_rebind",
        "bind_immediate" } }, reuse = 2, timestamps = 1 },
}
local sysctl_a = {}
if params.kind == "reuse" then
    sysctl_a = { ["net.ipv4.tcp_tw_reuse"] = params.reuse, ["net.ipv4.ip_local_port_range"] = "40000 40000" }
elseif params.kind == "server_still_tw" then
    sysctl_a = { ["net.ipv4.tcp_tw_reuse"] = 1, ["net.ipv4.ip_local_port_range"] = "40000 40000" }
elseif params.kind == "exhausted" then
    sysctl_a = { ["net.ipv4.ip_local_port_range"] = "40000 40003" }
elseif params.kind == "buckets" then
    sysctl_a = { ["net.ipv4.tcp_max_tw_buckets"] = 2 }
end
R.world { sysctl = { ["net.ipv4.tcp_timestamps"] = params.timestamps }, sysctl_a = sysctl_a }
R.extra = {}

-- One connection that the client closes first: its port; nil and the error if it could not be made.
local accepted = {}
local function serve(listener)
    R.b:spawn(function()
        while true do
            local conn = listener:accept()
            if not conn then return end
            table.insert(accepted, conn)
        end
    end)
end

local function close_one(sport)
    local client, err = R.connect("A", { port = sport, reuseaddr = sport ~= nil or nil })
    if not client then return nil, err end
    while #accepted == 0 do sleep("0.1ms") end
    local port = client:port()
    client:close()
    sleep("60ms")
    table.remove(accepted, 1):close()
    sleep("60ms")
    return port
end

local function dump(where)
    local list = {}
    for _, row in ipairs(where:sockets()) do
        if row.state ~= "LISTEN" then
            list[#list + 1] = ("%s %s:%d"):format((row.state:gsub("-", "_")), row.local_address, row.local_port)
        end
    end
    table.sort(list)
    return list
end

-- bind() and connect() are one call here: which of the two failed tells its error.
local function bind_connect(bind_op, connect_op, to_port, options)
    options.port = options.port or 40000
    local began = now()
    local conn, err = R.a:connect(R.b, to_port, options)
    local in_use = err == "EADDRINUSE"
    R.note("A", bind_op, in_use and err or "ok", began, 0)
    if not in_use then R.note("A", connect_op, conn and "ok" or err, began, now() - began) end
    if conn then conn:close() end
end

if params.kind == "reuse" then
    serve(R.b:listen(R.port, { backlog = 16 }))
    close_one()
    R.extra.tw = dump(R.a)
    sleep("100ms")
    local port, err = close_one()
    R.extra.reconnect_0_2s = port or err
    sleep("1.3s")
    port, err = close_one()
    R.extra.reconnect_1_5s = port or err
    sleep("1.3s")
    for reuseaddr = 0, 1 do
        bind_connect("bind 40000 SO_REUSEADDR=" .. reuseaddr, "connect", R.port, { reuseaddr = reuseaddr == 1 })
    end
    R.b:listen(R.port + 1, { backlog = 4 })
    R.call("A", "connect to another server port from the same single port", function() return R.a:connect(R.b, R.port + 1) end)
elseif params.kind == "server_still_tw" then
    serve(R.b:listen(R.port, { backlog = 16 }))
    close_one()
    sleep("1.2s")
    close_one()
elseif params.kind == "exhausted" then
    R.b:listen(R.port, { backlog = 16 })
    for i = 0, 5 do R.connect("A", {}, "connect #" .. i) end
    R.call("A", "bind(0) #explicit", function() return R.a:listen(0) end)
elseif params.kind == "choice" then
    R.b:listen(R.port, { backlog = 64 })
    R.extra.ports, R.extra.bind0_ports = {}, {}
    for i = 1, 12 do R.extra.ports[i] = R.a:connect(R.b, R.port):port() end
    for i = 1, 6 do R.extra.bind0_ports[i] = R.a:listen(0):port() end
elseif params.kind == "buckets" then
    serve(R.b:listen(R.port, { backlog = 16 }))
    for i = 0, 4 do
        close_one(41000 + i)
        R.extra["after_" .. i + 1] = dump(R.a)
    end
elseif params.kind == "server_rebind" then
    local function pair(listener, port, options)
        local client = R.a:connect(R.b, port, options)
        return client, listener:accept()
    end
    for first = 0, 1 do
        local port = R.port + first
        local listener = R.b:listen(port, { backlog = 4, reuseaddr = first == 1 })
        local client, server = pair(listener, port)
        server:close()
        sleep("60ms")
        client:close()
        sleep("60ms")
        listener:close()
        sleep("50ms")
        for again = 0, 1 do
            local op = ("first listener REUSEADDR=%d; new bind SO_REUSEADDR=%d"):format(first, again)
            local new, err = R.b:listen(port, { backlog = 4, reuseaddr = again == 1 })
            R.note("B", op, new and "ok" or err, now(), 0)
            if new then
                R.note("B", "listen", "ok", now(), 0)
                new:close()
            end
        end
    end
    local last
    for first = 0, 1 do
        local port = R.port + 10 + first
        local listener = R.b:listen(port, { backlog = 4 })
        if last then last:close() end
        last = listener
        local client, server = pair(listener, port, { port = 40000 + first, reuseaddr = first == 1 })
        client:close()
        sleep("60ms")
        server:close()
        sleep("1.2s")
        for again = 0, 1 do
            local op = ("client: first socket REUSEADDR=%d; new bind to its TIME_WAIT port SO_REUSEADDR=%d"):format(first, again)
            bind_connect(op, "connect to the same server port", port, { port = 40000 + first, reuseaddr = again == 1 })
        end
    end
else -- bind_immediate
    local i, last = 0, nil
    for _, reuse in ipairs { 2, 0 } do
        for _, ts in ipairs { 1, 0 } do
            R.a:sysctl("net.ipv4.tcp_tw_reuse", reuse)
            R.a:sysctl("net.ipv4.tcp_timestamps", ts)
            local port = R.port + i
            i = i + 1
            local listener = R.b:listen(port, { backlog = 4 })
            if last then last:close() end
            last = listener
            local client = R.a:connect(R.b, port, { port = 40000 + i, reuseaddr = true })
            local server = listener:accept()
            client:close()
            sleep("60ms")
            server:close()
            sleep("60ms")
            local began = now()
            local _, err = R.a:connect(R.b, port, { port = 40000 + i, reuseaddr = true })
            R.note("A", "bind", err == "EADDRINUSE" and err or "ok", began, 0)
            if err ~= "EADDRINUSE" then
                R.note("A", ("connect tw_reuse=%d ts=%d"):format(reuse, ts), err or "ok", began, now() - began)
            end
        end
    end
end
R.finish()
