-- tcp_tw_reuse lets connect() take a port out of TIME-WAIT: for outgoing
-- connections alone, with timestamps, and after a second. The new incarnation's
-- ISN lies beyond all that the old one sent.

scenario {
    title = "TIME-WAIT, reused",
    about = "CLAIMS 47, 48: what tcp_tw_reuse allows.",
    params = {
        reuse = { 0, about = "set by each world: tcp_tw_reuse" },
        timestamps = { 1, about = "set by each world: tcp_timestamps" },
        age = { "1s", about = "tcp_tw_reuse_delay" },
    },
}

local function second_visit(after)
    local client = host("client", "10.0.0.1",
        { sysctl = { ip_local_port_range = "40000 40000", tcp_tw_reuse = params.reuse, tcp_timestamps = params.timestamps,
            tcp_tw_reuse_delay = math.floor(1000 * params.age) } })
    local server = host("server", "10.0.0.2")
    link(client, server, { delay = "10ms" })
    server:serve { port = 80 }
    client:connect(server, 80):close()
    sleep("50ms")
    expect(client:count("TIME_WAIT")):equals(1)
    sleep(client:connections()[1]:entered("TIME_WAIT") + time(after) - now())
    local conn, problem = client:connect(server, 80)
    return conn and "ok" or problem, client
end

local cases = {
    { "0, late", 0, 1, "1.5s", "EADDRNOTAVAIL" },
    { "1, after 0.2 s", 1, 1, "200ms", "EADDRNOTAVAIL" },
    { "1, after 0.999 s", 1, 1, "999ms", "EADDRNOTAVAIL" },
    { "1, after 1.001 s", 1, 1, "1001ms", "ok" },
    { "1, no timestamps", 1, 0, "1.5s", "EADDRNOTAVAIL" },
    { "2, late", 2, 1, "1.5s", "EADDRNOTAVAIL" }, -- 2: on the loopback only
}
for _, case in ipairs(cases) do
    world("tcp_tw_reuse = " .. case[1], { reuse = case[2], timestamps = case[3] }, function()
        local result, client = second_visit(case[4])
        expect(result):equals(case[5])
        expect(client:counter("TWRecycled")):equals(case[5] == "ok" and 1 or 0)
    end)
end
say("tcp_tw_reuse = 1, with timestamps: EADDRNOTAVAIL when TIME-WAIT is 0.999 s old, connected when it is 1.001 s.")
say("0, 1 without timestamps, and 2 (on the loopback only): EADDRNOTAVAIL after 1.5 s too.")
