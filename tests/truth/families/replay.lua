-- What the families of replayed recordings share: the two hosts, the relay
-- between them, calls that are timed, segments that a script plays. It says in
-- halfopen's words what the recordings' own program did; times begin with the
-- first packet there, so results carry absolute times and the comparer shifts.

local R = { calls = {}, inputs = require "inputs" }

-- What every family can be told beside its own parameters: what a variant may
-- change anywhere, and what the recording shows.
local ANYWHERE = {
    "sysctl", "sysctl_a", "sysctl_b", -- of both hosts, of one: "name=value;name=value"
    "options", "options_a", "options_b", -- of sockets, likewise: before the handshake; of an end, after it
    "delay", "mtu_a", "mtu_b",
}

function R.scenario(s)
    s.params = s.params or {}
    for _, name in ipairs(ANYWHERE) do
        if s.params[name] == nil then s.params[name] = "" end
    end
    s.params.uptime = 0 -- of the recorded kernel when the replay begins, in microseconds
    s.params.relay = "" -- what the relay did: "late;A>B: times of arrival;B>A: times of arrival"
    s.params.calls = "" -- when calls began: "A send:0.0417;..."
    s.params.injections = "" -- when the script injected
    s.params.ends = "" -- when the recording ended
    s.params.reads, s.params.writes = "", "" -- when B's reader and A's writer held their sockets
    scenario(s)
    R.inputs.read(params)
end

-- "name=value;name=value" as a table.
local function settings(text)
    local list = {}
    for name, value in text:gmatch("([^=;]+)=([^;]*)") do list[name] = tonumber(value) or value end
    return list
end

local function given(name) return params[name] ~= "" and params[name] or nil end

local function sysctls_of(both, own, given_own)
    local all = {}
    -- The recordings' kernel ran at 250 Hz.
    for _, list in ipairs { { kernel_hz = 250, kernel_uptime = params.uptime }, both or {}, own or {}, settings(params.sysctl),
        settings(given_own) } do
        for name, value in pairs(list) do all[name] = value end
    end
    return all
end

-- world{ delay =, rate =, sysctl =, sysctl_a =, sysctl_b =, mtu_a =, mtu_b =, mid =, icmp = }
-- A and B joined by one link, or, with `mid`, through a router whose middle
-- link has that MTU (and which is silent about what it drops if icmp = false).
function R.world(w)
    w = w or {}
    -- The relay delivered 0.1 ms late in the median, and the kernel took its time too.
    local delay = time(given("delay") or w.delay or "10ms") + 0.00015
    local cc = { ["net.ipv4.tcp_congestion_control"] = w.cc or "cubic" }
    local function options(own, given_own, mtu)
        local sysctl = sysctls_of(w.sysctl, own, given_own)
        for name, value in pairs(cc) do sysctl[name] = value end
        return { sysctl = sysctl, mtu = tonumber(mtu) }
    end
    R.a = host("A", "10.0.0.1", options(w.sysctl_a, params.sysctl_a, w.mtu_a or given("mtu_a")))
    R.b = host("B", "10.0.0.2", options(w.sysctl_b, params.sysctl_b, w.mtu_b or given("mtu_b")))
    if w.mid then return R.routed(w, delay) end
    local rate = w.rate
    if R.inputs.relay then delay, rate = 0, nil end
    R.wire = link(R.a, R.b, { name = "wire", delay = delay, rate = rate })
    R.wire = R.inputs.play(R.wire, R.wire, R.a, R.b)
    R.a:route("0.0.0.0/0", { iface = 0 })
    R.b:route("0.0.0.0/0", { iface = 0 })
end

local function call_text(ok, err)
    if ok == nil then return err or "ok" end
    if ok == true then return "ok" end
    if type(ok) == "string" then return ("bytes[%d]"):format(#ok) end
    if type(ok) == "userdata" then return "conn" end
    return tostring(ok)
end

-- Makes a call, notes what it returned and how long it took. The connection
-- itself as a result means success.
function R.call(side, op, fn, success)
    R.inputs.await(side .. " " .. op)
    local row = { side = side, op = op, began = now() }
    table.insert(R.calls, row)
    local results = table.pack(fn())
    row.elapsed = now() - row.began
    row.res = results[1] and success or call_text(results[1], results[2])
    if op:find("^connect") or op:find("connect") and row.res == "conn" then
        if row.res == "conn" then row.res = "ok" end
    end
    return table.unpack(results, 1, results.n)
end

-- A call that the scenario timed itself.
function R.note(side, op, res, began, elapsed)
    table.insert(R.calls, { side = side, op = op, res = res, began = began, elapsed = elapsed })
end

local function with_settings(options, text)
    local all = settings(text)
    for name, value in pairs(options or {}) do all[name] = value end
    return next(all) and all or nil
end

function R.connect(side, options, op)
    local from, to = R.a, R.b
    if side == "B" then from, to = R.b, R.a end
    options = options or {}
    local port = options.to_port or R.port
    options.to_port = nil
    options.options = with_settings(options.options, params.options)
    return R.call(side, op or "connect", function() return from:connect(to, port, options) end)
end

-- A connected pair: client's end, server's end, listener.
function R.pair(options)
    options = options or {}
    local listener = options.listener or
        R.b:listen(R.port, { backlog = options.backlog or 16, options = with_settings(options.options, params.options) })
    local server
    R.b:spawn(function() server = R.call("B", "accept", function() return listener:accept() end) end)
    sleep("20ms")
    local client = R.connect("A", { port = options.sport, reuseaddr = options.sport ~= nil or nil, options = options.options })
    local limit = now() + 3
    while not server and now() < limit do sleep("0.1ms") end
    for name, value in pairs(client and settings(params.options_a) or {}) do client:option(name, value) end
    for name, value in pairs(server and settings(params.options_b) or {}) do server:option(name, value) end
    return client, server, listener
end

-- Hands what was measured to the comparer.
function R.finish(settle)
    sleep(settle or "50ms")
    R.inputs.sleep_until(tonumber(params.ends) or 0)
    result("calls", R.calls)
    result("extra", R.extra or {})
end

-- A forged packet reaches an end at once, or after `arrives`: past the link's
-- delay, as the recordings' program wrote them into an end's device.
function R.inject(packet)
    packet.arrives = packet.arrives or 0
    R.wire:inject(packet)
end

-- A router's ICMP error about a packet of A, 5 ms after it was seen.
function R.icmp_about(packet, kind, code, after, mtu)
    R.inject { to = R.a, src = "10.0.0.254", dst = R.a, proto = "icmp", icmp_type = kind, icmp_code = code, mtu = mtu,
        about = packet, df = false, arrives = after or "5ms" }
end

function R.no_syn(packet) return not packet.flags:find("SYN", 1, true) end

R.port = 5101
return R
