-- TCP over small links: MSS, path MTU discovery with and without ICMP, probing, fragments.
local R = require "bulk"

R.scenario {
    title = "Recordings s14: TCP",
    params = { kind = { "bulk", choices = { "bulk", "forged_icmp" } }, mid = 0, icmp = true, bytes = 20000, wait = "1s",
        probing = -1, mtu_b = 1500, maxseg = 0, df = true, second = false, fragment_lost = false },
}
R.world { mid = params.mid > 0 and params.mid or nil, icmp = params.icmp, mtu_b = params.mtu_b,
    sysctl = params.probing >= 0 and { ["net.ipv4.tcp_mtu_probing"] = params.probing } or nil }
R.extra = {}

if params.kind == "bulk" then
    local options = {}
    if params.maxseg > 0 then options.TCP_MAXSEG = params.maxseg end
    if not params.df then options.IP_MTU_DISCOVER = 0 end
    if params.fragment_lost then
        local segments, lost = 0, false
        R.middle:script({ from = R.r1 }, function(p)
            if p.frag_offset == 0 and p.mf then segments = segments + 1 end
            if segments == 4 and p.frag_offset > 0 and p.mf and not lost then
                lost = true
                return "drop"
            end
        end)
    end
    local client, server, listener = R.pair { options = options }
    local got = R.reader(server, not params.second)
    sleep("100ms")
    R.call("A", "send " .. params.bytes, function() return R.inputs.send(client, params.bytes) and params.bytes end)
    local began = now()
    while now() - began < params.wait and got.bytes < params.bytes do sleep("1ms") end
    sleep("110ms") -- 100 ms, and half of the 20 ms at which the recordings' program looked
    R.extra.received = got.bytes
    R.extra.IP_MTU = client:option("IP_MTU")
    if not params.second then
        client:close()
        listener:close()
    else
        R.b:listen(R.port + 1, { backlog = 4 })
        R.call("A", "second connect (PMTU cached)", function() return R.a:connect(R.b, R.port + 1) end)
    end
else
    local client = R.pair()
    local last
    R.wire:script({ from = R.a }, function(p) if p.len > 0 then last = p end end)
    local function mtu() R.call("A", "IP_MTU", function() return client:option("IP_MTU") end) end
    client:send(1000)
    sleep("100ms")
    R.icmp_about(last, 3, 4, 0, 600)
    sleep("100ms")
    mtu()
    client:send(1000)
    sleep("3ms")
    R.icmp_about(last, 3, 4, 0, 100)
    sleep("100ms")
    mtu()
    client:send(3000)
    sleep("200ms")
end
R.finish()
