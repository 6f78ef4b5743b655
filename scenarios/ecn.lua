-- A router that would drop a packet may mark it instead, if the ends have agreed.
-- The receiver says so until the sender has heard, and nothing is sent again.

scenario {
    title = "Explicit congestion notification",
    about = "RFC 3168: marks for losses; ECT, CE, ECE and CWR; the fallback when a SYN with ECN is not answered.",
    params = {
        rate = "10Mbit",
        delay = { "20ms", about = "one way" },
        ecn = { 1, about = "tcp_ecn: set by each world" },
    },
}

local function through_codel()
    local client = host("client", "10.0.0.1", { sysctl = { tcp_ecn = params.ecn } })
    local server = host("server", "10.0.0.2")
    local wire = link(client, server, { rate = params.rate, delay = params.delay,
        queue = { kind = "codel", packets = 1000, ecn = true } })
    server:serve { port = 80 }
    client:bulk { to = server, port = 80, bytes = 5000000 }
    run("6s")
    return client, server, wire
end

world("with", function()
    local client, server, wire = through_codel()
    local marked = server:counter("IpExtInCEPkts")
    local told = wire:packets { from = server, match = function(p) return p.flags == "ACK+ECE" end }
    local heard = wire:packets { from = client, match = function(p) return p.flags:find("CWR") and p.len > 0 end }
    expect(wire:packets { from = client, match = "syn" }:first().flags):equals("SYN+ECE+CWR")
    expect(marked):above(3)
    expect(client:counter("RetransSegs")):equals(0)
    expect(told):some()
    expect(heard):some()
    expect(#heard):at_most(marked) -- once a round trip, however many marks
    say("With ECN: %d marks, %d ACKs with ECE, %d reductions said by CWR, nothing sent again.",
        marked, #told, #heard)
end)

world("without", { ecn = 0 }, function()
    local client, _, wire = through_codel()
    local lost = wire:packets { from = client, fate = "lost" }
    expect(lost):some()
    expect(client:counter("RetransSegs")):at_least(#lost)
    say("Without: %d losses, %d segments sent again.", #lost, client:counter("RetransSegs"))
end)

-- Some boxes drop a SYN with bits that they don't know (RFC 3168 §6.1.1.1).
world("a box that drops such SYNs", function()
    local client = host("client", "10.0.0.1", { sysctl = { tcp_ecn = params.ecn } })
    local server = host("server", "10.0.0.2")
    local wire = link(client, server, { delay = params.delay })
    wire:drop { from = client, match = function(p) return p.flags:find("SYN") and p.flags:find("ECE") end }
    server:serve { port = 80 }
    local began = now()
    expect(client:connect(server, 80)):succeeds()
    local syns = wire:packets { from = client, match = "syn" }
    expect(syns[1].flags):equals("SYN+ECE+CWR")
    expect(syns:last().flags):equals("SYN")
    say("A box that drops SYNs with ECN: try %d goes without it; connected after %.0f ms.", #syns,
        (now() - began) * 1000)
end)
