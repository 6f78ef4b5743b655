-- A datagram of 4000 bytes makes three fragments. One is lost: the others wait
-- 30 s (ipfrag_time; RFC 1122 says 60 to 120), then are dropped; the sender hears
-- of it by ICMP (11, 1), but only if the first fragment was among those that came.

scenario {
    title = "One fragment lost",
    about = "CLAIM 22: reassembly waits, and gives up.",
    params = { bytes = 4000, lost = { 2, about = "which fragment" } },
}

local function lose()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    wire:drop { from = client, match = "fragment", nth = params.lost }
    local socket = server:udp(53)
    client:udp():send(params.bytes, server, 53)
    run("90s")
    return wire, server, socket
end

for _, case in ipairs { { "linux", 30, 2 }, { "rfc", 60, 2 }, { "linux", 30, 1 } } do
    world(string.format("%s, fragment %d", case[1], case[3]), { profile = case[1], lost = case[3] }, function()
        local wire, server, socket = lose()
        expect(wire:packets { match = "fragment" }):count(3)
        expect(socket:recv { timeout = "1s" }):fails("TIMEOUT")
        expect(server:counter("ReasmTimeout")):equals(1)
        local told = wire:packets { from = server, match = "icmp" }
        if case[3] == 1 then
            expect(told):none() -- nobody knows whose datagram it was
            say("The first fragment lost: not even an ICMP.")
        else
            expect(told):count(1)
            expect(told):all { icmp_type = 11, icmp_code = 1 }
            expect(told:first().at):near(case[2], "50ms")
            say("%s: ICMP \"reassembly time exceeded\" after %s.", case[1], time_text(told:first().at))
        end
    end)
end
