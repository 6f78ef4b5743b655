-- A port scan: one segment for each port, and silence says as much as an
-- answer. RFC 9293 §3.10.7 makes the difference: a closed port answers
-- everything but RST; a listener answers SYN and ACK, and nothing else.
--
--   halfopen run scenarios/port_scan.lua --set ports=1000

scenario {
    title = "What a port scan learns",
    about = "SYN, FIN, NULL, Christmas and ACK scans: open, closed or filtered, without and with a firewall.",
    params = {
        ports = { 100, about = "scanned, from port 1" },
        firewall = { "none", about = "set by each world", choices = { "none", "silent", "rejects" } },
    },
}

local OPEN, ALLOWED = { 22, 80, 99 }, 80 -- who listens; what the firewall lets in

local KINDS = { "syn-scan", "fin-scan", "null-scan", "xmas-scan", "ack-scan" }

-- What an attacker makes of an answer, or of none.
local VERDICTS = {
    ["syn-scan"] = { ["SYN+ACK"] = "open", RST = "closed", none = "filtered" },
    ["fin-scan"] = { RST = "closed", none = "open or filtered" },
    ["null-scan"] = { RST = "closed", none = "open or filtered" },
    ["xmas-scan"] = { RST = "closed", none = "open or filtered" },
    ["ack-scan"] = { RST = "unfiltered", none = "filtered" },
}

-- Scans a server in all five ways, one after the other; returns how many ports got which verdict.
local function scanned()
    local attacker, server, middle = host("attacker", "10.0.1.1"), host("server", "10.0.2.1"), router("middle")
    local outside = link(attacker, middle, { delay = "5ms" })
    local inside = link(middle, server, { delay = "5ms" })
    for _, port in ipairs(OPEN) do server:listen(port) end
    if params.firewall ~= "none" then
        middle:firewall { inside = inside, rejects = params.firewall == "rejects" }:allow("tcp", ALLOWED)
    end
    for i, kind in ipairs(KINDS) do
        attacker:flood { kind = kind, to = server, port = 1, ports = params.ports, count = params.ports, rate = 1000,
            sport = 40000 + i, start = i * (2 + params.ports / 1000) }
    end
    run(6 * (2 + params.ports / 1000))

    local answers, seen = {}, {}
    for _, p in ipairs(outside:packets { to = attacker, match = "tcp" }) do
        answers[p.dport - 40000 .. ":" .. p.sport] = p.flags:gsub("RST%+ACK", "RST")
    end
    for i, kind in ipairs(KINDS) do
        seen[kind] = {}
        for port = 1, params.ports do
            local verdict = VERDICTS[kind][answers[i .. ":" .. port] or "none"] or "puzzling"
            seen[kind][verdict] = (seen[kind][verdict] or 0) + 1
        end
    end
    return seen, server
end

local n, closed = params.ports, params.ports - #OPEN
local QUIET = { closed = closed, ["open or filtered"] = #OPEN } -- FIN, NULL, Christmas: an open port is silent
local NOTHING, REFUSED = { ["open or filtered"] = n }, { closed = n }

local EXPECTED = {
    none = { ["syn-scan"] = { open = #OPEN, closed = closed }, ["fin-scan"] = QUIET, ["null-scan"] = QUIET,
        ["xmas-scan"] = QUIET, ["ack-scan"] = { unfiltered = n } },
    silent = { ["syn-scan"] = { open = 1, filtered = n - 1 }, ["fin-scan"] = NOTHING, ["null-scan"] = NOTHING,
        ["xmas-scan"] = NOTHING, ["ack-scan"] = { filtered = n } },
    rejects = { ["syn-scan"] = { open = 1, closed = n - 1 }, ["fin-scan"] = REFUSED, ["null-scan"] = REFUSED,
        ["xmas-scan"] = REFUSED, ["ack-scan"] = { unfiltered = n } },
}

local function words(seen)
    local list = {}
    for _, verdict in ipairs { "open", "closed", "unfiltered", "filtered", "open or filtered", "puzzling" } do
        if seen[verdict] then list[#list + 1] = ("%d %s"):format(seen[verdict], verdict) end
    end
    return table.concat(list, ", ")
end

local told = {} -- the Linux server's; the RFC's is expected to be the same
for _, profile in ipairs { "linux", "rfc" } do
    for _, firewall in ipairs { "none", "silent", "rejects" } do
        world(("%s, firewall: %s"):format(profile, firewall), { profile = profile, firewall = firewall }, function()
            local seen, server = scanned()
            for _, kind in ipairs(KINDS) do
                expect(seen[kind]):as(kind):equals(EXPECTED[firewall][kind])
                told[kind .. firewall] = words(seen[kind])
            end
            -- The scanner's own kernel knows of no connection and resets what its SYN half opened.
            expect(server:counter("EmbryonicRsts")):equals(seen["syn-scan"].open)
            expect(server:count("SYN_RECEIVED")):equals(0)
        end)
    end
end
say("%d ports, %d open.  %-30s %-26s %s", n, #OPEN, "no firewall", "drops all but port " .. ALLOWED,
    "rejects all but port " .. ALLOWED)
for _, kind in ipairs(KINDS) do
    say("%-21s %-30s %-26s %s", kind, told[kind .. "none"], told[kind .. "silent"], told[kind .. "rejects"])
end
