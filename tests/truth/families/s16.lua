-- Closed ports, hosts that cannot be reached, ICMP errors, segments that belong to nothing.
local R = require "raw"

R.scenario {
    title = "Recordings s16",
    params = { kind = { "closed_port", choices = { "closed_port", "no_route", "icmp", "stray" } }, type = 3, code = 1,
        established = false },
}
R.world {}

if params.kind == "closed_port" then
    R.connect("A")
elseif params.kind == "no_route" then
    R.a:route("0.0.0.0/0", { delete = true })
    R.call("A", "connect 192.0.2.1", function() return R.a:connect("192.0.2.1", R.port) end)
    R.a:route("192.0.2.0/24", { unreachable = true })
    R.call("A", "connect 192.0.2.1 (unreachable route)", function() return R.a:connect("192.0.2.1", R.port) end)
elseif params.kind == "icmp" then
    local conn
    if params.established then
        conn = R.pair()
        conn:option("TCP_USER_TIMEOUT", 3000)
    end
    R.wire:script({ from = R.a }, function(p)
        if p.flags:find("SYN", 1, true) or params.established and p.len > 0 then
            R.icmp_about(p, params.type, params.code)
            return "drop"
        end
    end)
    if params.established then
        R.call("A", "send", function() return conn:send(100) end)
        R.call("A", "recv", function() return conn:recv(100) end)
    else
        R.connect("A", { options = { TCP_SYNCNT = 1 } })
    end
else
    R.b:listen(R.port, { backlog = 4 })
    local ten = ("x"):rep(10)
    local segments = {
        { "SYN", "S" }, { "ACK", ".", 7000 }, { "data ACK 10 B", "P.", 7000, ten }, { "FIN ACK", "F.", 7000 },
        { "FIN only", "F" }, { "SYN ACK", "S.", 7000 }, { "RST", "R" }, { "RST ACK", "R.", 7000 }, { "null", "" },
        { "SYN FIN", "SF" }, { "SYN with 10 B data", "S", nil, ten }, { "PSH only 10 B", "P", nil, ten },
    }
    for _, target in ipairs { { R.port + 7, "closed port" }, { R.port, "LISTEN port" } } do
        local sport = 41000
        for _, s in ipairs(segments) do
            sport = sport + 1
            if target[1] ~= R.port or s[1] ~= "SYN" then
                local r = R.raw("A", { sport = sport, dport = target[1], ts = false })
                r:send(s[2], { plain = true, seq = 1000, ack = s[3], data = s[4] })
                local replies = {}
                for _, p in ipairs(r:drain(.06)) do
                    local flags = R.letters(p.flags)
                    -- A SYN-ACK's own number is the server's choice.
                    replies[#replies + 1] = ("%s seq %s ack %d win %d len %d df %s id %d"):format(flags,
                        flags == "S." and "ISN" or p.raw_seq, p.raw_ack, p.win, p.len, p.df and "True" or "False", p.ip_id)
                end
                R.step { what = target[2] .. ": " .. s[1], replies = replies }
            end
        end
    end
end
R.finish()
