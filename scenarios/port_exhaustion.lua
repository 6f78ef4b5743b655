-- TIME-WAIT is said to exhaust ports. Whose? The side that closes first has it.
-- A server that closes first keeps its one port and is never blocked. A client
-- that closes first runs out of local ports to that one destination; another
-- destination port is free to use them all again.

scenario {
    title = "Who runs out of ports",
    about = "CLAIMS 6, 44, 46: TIME-WAIT and the range of local ports.",
    params = { first = { 40000, about = "of the client's port range" }, ports = { 4, about = "how many it has" } },
}

local range = ("%d %d"):format(params.first, params.first + params.ports - 1)

-- A client that connects `times` in a row; who closes first?
local function visits(client_first, times)
    local client = host("client", "10.0.0.1", { sysctl = { tcp_tw_reuse = 0 } })
    local server = host("server", "10.0.0.2")
    local default = client:sysctl("ip_local_port_range")
    client:sysctl("ip_local_port_range", range)
    link(client, server, { delay = "10ms" })
    for port = 80, 81 do
        server:spawn(function()
            local listener = server:listen(port)
            while true do
                local conn = listener:accept()
                if client_first then conn:recv_eof() end
                conn:close()
            end
        end)
    end
    local results = {}
    for i = 1, times do
        local conn, problem = client:connect(server, 80)
        results[i] = conn and "ok" or problem
        if conn then
            if not client_first then conn:recv_eof() end
            conn:close()
        end
        sleep("100ms")
    end
    return results, client, server, default
end

-- Left to itself Linux uses this range, not up to 61000; the RFC's is that of RFC 6335 §6.
for _, case in ipairs { { "linux", { 32768, 60999, 28232 } }, { "rfc", { 49152, 65535, 16384 } } } do
    local profile, whole = table.unpack(case)
    world("client closes first, " .. profile, { profile = profile }, function()
        local results, client, server, default = visits(true, params.ports + 1)
        expect(results[params.ports]):equals("ok")
        expect(results[params.ports + 1]):equals("EADDRNOTAVAIL")
        expect(client:count("TIME_WAIT")):equals(params.ports)
        expect(client:connect(server, 81)):as("another destination port works at once"):succeeds()
        local first, last = default:match("^(%d+)%s+(%d+)$")
        expect({ tonumber(first), tonumber(last), last - first + 1 }):as("the default range"):equals(whole)
        say("Client first, %s: connection %d failed with EADDRNOTAVAIL, port 81 could be reached; by default it has %d ports, %d to %d.",
            profile, params.ports + 1, whole[3], first, last)
    end)
end

world("server closes first", function()
    local results, client, server = visits(false, 3 * params.ports)
    for i, result in ipairs(results) do expect(result):as("visit " .. i):equals("ok") end
    expect(client:count("TIME_WAIT")):equals(0)
    expect(server:count("TIME_WAIT")):above(0)
    say("Server first: %d visits over %d ports, none refused: its TIME-WAIT entries are all on port 80.", 3 * params.ports,
        params.ports)
end)
