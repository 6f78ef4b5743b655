-- UDP datagrams larger than the link.
local R = require "bulk"

R.scenario {
    title = "Recordings s14: UDP",
    params = { kind = { "fragments", choices = { "fragments", "df" } }, bytes = 4000, lost = -1, mid = 0, wait = "32s" },
}
R.world { mid = params.mid > 0 and params.mid or nil }

if params.kind == "fragments" then
    local receiver = R.b:udp(R.port)
    local n = 0
    local wire = params.mid > 0 and R.middle or R.wire
    wire:script({ from = params.mid > 0 and R.r1 or R.a }, function(p)
        if p.proto ~= "udp" then return end
        n = n + 1
        if n - 1 == params.lost and (p.mf or p.frag_offset > 0) then return "drop" end
    end)
    local sender = R.a:udp()
    sender:option("IP_MTU_DISCOVER", 0)
    R.call("A", "sendto " .. params.bytes, function() return sender:send(params.bytes, R.b, R.port) end)
    R.call("B", "recvfrom", function()
        local data, err = receiver:recv { timeout = params.wait }
        return data and true, err
    end, "datagram")
    R.call("A", "SO_ERROR", function() return sender:error() or 0 end)
    sleep("200ms")
else
    local receiver = R.b:udp(R.port)
    local sender = R.a:udp()
    R.call("A", "IP_MTU_DISCOVER default", function() return sender:option("IP_MTU_DISCOVER") end)
    sender:connect(R.b, R.port)
    for i = 0, 2 do
        R.call("A", ("send 1400 #%d"):format(i), function() return sender:send(1400) end)
        sleep("100ms")
    end
    for _ = 1, 2 do R.call("B", "recv", function() return receiver:recv { timeout = "500ms" } end) end
    local second = R.a:udp()
    second:option("IP_MTU_DISCOVER", 2)
    second:connect(R.b, R.port)
    R.call("A", "PMTUDISC_DO send 1400", function() return second:send(1400) end)
end
R.finish()
