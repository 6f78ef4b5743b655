-- Each side must send a number and have it acknowledged: four messages. The
-- server's ACK and its SYN may share a segment, and so there are three. Sent
-- apart it works as well, for one segment more.

scenario {
    title = "A four-way handshake",
    about = "CLAIM 17: it works, and three is four with two merged.",
    params = { delay = "20ms" },
}

local function open(sysctl)
    local client = host("client", "10.0.0.1", { sysctl = sysctl })
    local server = host("server", "10.0.0.2", { sysctl = sysctl })
    local wire = link(client, server, { delay = params.delay })
    local accepted
    server:spawn(function()
        server:listen(80):accept()
        accepted = now()
    end)
    local conn = client:connect(server, 80)
    local connected = now()
    run("500ms")
    expect(conn):is_in("ESTABLISHED")
    expect(server:connections()[1]):is_in("ESTABLISHED")
    return wire, connected, accepted
end

world("three", function()
    local wire, connected = open()
    expect(wire:packets {}):count(3)
    expect(connected):near(2 * params.delay, "1ms")
end)

world("four", function()
    local wire, connected, accepted = open { ["counterfactual.four_way_handshake"] = true }
    local flags = {}
    for i, p in ipairs(wire:packets {}) do flags[i] = p.flags end
    expect(#flags):equals(4)
    expect(flags):equals { "SYN", "ACK", "SYN", "ACK" }
    expect(accepted):near(3 * params.delay, "2ms")
    say("SYN, ACK, SYN, ACK: connected after %s as ever, with one segment more.", time_text(connected))
end)
