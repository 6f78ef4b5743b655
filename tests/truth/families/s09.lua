-- The accept queue: its capacity, and what befalls those who come too late.
local R = require "replay"

R.scenario {
    title = "Recordings s09",
    params = { kind = "clients", backlog = 2, clients = 6, together = false, abort = 0, accept_at = "4s", life = "8s",
        accepts = true, sends = true, cookies = 1 },
}
R.world { sysctl_b = { ["net.ipv4.tcp_abort_on_overflow"] = params.abort, ["net.ipv4.tcp_syncookies"] = params.cookies } }

local listener
local function client(i, speaks)
    R.a:spawn(function()
        local conn = R.call("A", "connect #" .. i, function()
            return R.a:connect(R.b, R.port, { port = 41000 + i, reuseaddr = true })
        end)
        if not conn or not speaks then return end
        if params.sends then
            sleep("500ms")
            R.call("A", "send #" .. i, function() return conn:send("data" .. i) end)
        end
        R.call("A", "recv #" .. i, function() return conn:recv(100) end)
    end)
end

local function accept_all()
    R.b:spawn(function()
        while true do
            local conn = R.call("B", "accept", function() return listener:accept() end)
            R.b:spawn(function()
                local data = conn:recv(100)
                if data and data ~= "" then conn:send("R" .. data) end
            end)
        end
    end)
end

if params.kind == "clients" then
    listener = R.b:listen(R.port, { backlog = params.backlog })
    for i = 0, params.clients - 1 do
        client(i, params.sends)
        if not params.together then sleep("60ms") end
    end
    sleep(math.min(params.accept_at, 2))
    if params.accept_at < params.life then
        sleep(math.max(0, params.accept_at - 2))
        accept_all()
        sleep(params.life - params.accept_at)
    else
        sleep(params.life - 2)
    end
elseif params.kind == "third_ack" then
    listener = R.b:listen(R.port, { backlog = 2 })
    for i = 0, 1 do
        client(i, false)
        sleep("80ms")
    end
    for i = 2, 4 do client(i, true) end
    local began = now()
    if params.accepts then
        sleep(params.accept_at)
        accept_all()
    end
    sleep(params.life - (now() - began))
else -- the listener closes
    R.wire:drop { from = R.a, match = function(p) return p.sport == 41002 and R.no_syn(p) end }
    listener = R.b:listen(R.port, { backlog = 8 })
    local conns = {}
    for i = 0, 2 do
        conns[i] = R.connect("A", { port = 41000 + i, reuseaddr = true }, "connect #" .. i)
    end
    conns[0]:send("x")
    sleep("100ms")
    R.call("B", "close listener", function() return listener:close() end)
    sleep("200ms")
    for i = 0, 2 do R.call("A", "recv #" .. i, function() return conns[i]:recv(10, { timeout = "2.5s" }) end) end
end
R.finish()
