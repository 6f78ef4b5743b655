-- SYN floods: how much the queue holds, for how long, and who still gets in.
local R = require "replay"

R.scenario {
    title = "Recordings s08",
    params = { backlog = 4, cookies = 1, n = 300, max_syn = 0, somaxconn = 0, life = "6s", legit = true, timestamps = true,
        kind = "flood", gap = "2.15ms" },
}
local sysctl = { ["net.ipv4.tcp_syncookies"] = params.cookies }
if params.max_syn > 0 then sysctl["net.ipv4.tcp_max_syn_backlog"] = params.max_syn end
if params.somaxconn > 0 then sysctl["net.core.somaxconn"] = params.somaxconn end
R.world { sysctl_b = sysctl }
R.extra = {}

local function spoofed(i, src, timestamps)
    local syn = { to = R.b, src = src, sport = 20000 + i % 10000, dport = R.port, flags = "syn", raw_seq = 1000 * i, win = 60000,
        mss = 1460 }
    if timestamps then
        syn.sack_ok, syn.tsval, syn.tsecr = true, 1000 + i, 0
        if params.kind == "flood" then syn.wscale = 7 end
    end
    R.wire:inject(syn)
end

-- Waits until the program injected its next segment, i of them after the first.
local function pace(i)
    local at = R.inputs.injections
    if not at then return sleep(params.gap) end
    R.inputs.zero = R.inputs.zero or now()
    if at[i + 2] then R.inputs.sleep_until(at[i + 2]) else sleep(params.gap) end
end

local listener = R.b:listen(R.port, { backlog = params.backlog })

local function serve(echo)
    R.b:spawn(function()
        while true do
            local conn = listener:accept()
            if not conn then return end
            if echo then
                R.b:spawn(function()
                    local data = conn:recv(100)
                    if data then conn:send(data) end
                end)
            end
        end
    end)
end

local function held()
    local states = {}
    for _, row in ipairs(R.b:sockets()) do
        local name = row.state == "SYN-RECEIVED" and "SYN_RECV" or row.state
        states[name] = (states[name] or 0) + 1
    end
    return states
end

-- Waits 3 s. A socket that has not connected by then goes on trying: the
-- recording program forgot it, and at some time its memory was collected, which
-- closed it (`lives` tells when).
local n_connects = 0
local function patient_connect()
    local op = "connect (3 s timeout)"
    R.inputs.await("A " .. op)
    local conn, began = nil, now()
    n_connects = n_connects + 1
    local ends = R.inputs.lives and (R.inputs.lives[n_connects] or 1000)
    R.a:spawn(function()
        conn = R.a:connect(R.b, R.port, { timeout = ends and ends - R.inputs.now() or "6.304s" })
        if conn and ends then
            R.inputs.sleep_until(ends)
            conn:close()
        end
    end)
    while not conn and now() - began < 3 do sleep("1ms") end
    R.note("A", op, conn and "ok" or "TIMEOUT", began, now() - began)
    return conn
end

if params.kind == "flood" then
    serve(true)
    sleep("50ms")
    for i = 0, params.n - 1 do
        spoofed(i, ("10.77.%d.%d"):format(i // 250, 1 + i % 250), params.timestamps)
        pace(i)
    end
    sleep("100ms")
    R.extra.held_after_flood = held()
    if params.legit then
        R.a:spawn(function()
            local conn = R.call("A", "legit connect", function() return R.a:connect(R.b, R.port, { options = { TCP_SYNCNT = 2 } }) end)
            if not conn then return end
            R.call("A", "legit send", function() return conn:send("hello") end)
            R.call("A", "legit recv", function() return conn:recv(100, { timeout = "3s" }) end)
        end)
    end
    sleep(params.life)
    R.extra.held_at_end = held()
elseif params.kind == "long" then
    R.b:spawn(function()
        local conn = R.call("B", "accept", function() return listener:accept() end)
        conn:close() -- the recording program's thread ended, and its socket with it
    end)
    for i = 0, 39 do
        spoofed(i, ("10.77.0.%d"):format(i + 1), true)
        pace(i)
    end
    sleep("300ms")
    R.connect("A")
    sleep("200ms")
elseif params.kind == "continuous" then
    serve(false)
    local stop = false
    R.b:spawn(function()
        local i = 0
        while not stop do
            spoofed(i, ("10.77.%d.%d"):format(i // 250 % 250, 1 + i % 250), true)
            pace(i)
            i = i + 1
        end
    end)
    sleep("1s")
    local before -- the recording program's socket of the last turn is closed when it makes the next
    for _ = 1, 6 do
        if before and not R.inputs.lives then before:close() end
        local conn = patient_connect()
        if conn then R.call("A", "send", function() return conn:send("x") end) end
        before = conn
        sleep("300ms")
    end
    stop = true
end
R.finish()
