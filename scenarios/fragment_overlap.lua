-- Fragments that overlap: which bytes count, the first or the last? RFC 791 lets the
-- later ones win, systems differed, and attackers hid ports from firewalls in the
-- difference. Linux does what RFC 5722 asks of IPv6: an overlap ends the datagram. What
-- only repeats bytes that have come is ignored.

scenario {
    title = "Fragments that overlap",
    about = "Repeated, overlapping, contradicting: what reassembly keeps and what it throws away.",
    params = { bytes = 4000 },
}

-- A datagram of 4000 bytes makes fragments 0-1480, 1480-2960 and 2960-4008. The last is
-- late, so that something comes between: a forged one, [offset, offset + len).
local function try(offset, len, more)
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    local socket = server:udp(53)
    wire:delay { match = "fragment", nth = 3, by = "5ms" }
    if offset == "twice" then
        wire:duplicate { match = "fragment", nth = 2 }
    elseif offset then
        wire:watch({ match = "fragment", nth = 2 }, function(packet)
            wire:inject { to = server, proto = "udp", src = client, dst = server, ip_id = packet.ip_id,
                frag_offset = offset, len = len, mf = more }
        end)
    end
    client:udp():send(params.bytes, server, 53)
    run("1s")
    local got = socket:recv { timeout = 0 }
    return { got = got and #got or 0, joined = server:counter("ReasmOKs"), failed = server:counter("ReasmFails"),
        overlaps = server:counter("IpExtReasmOverlaps"), refused = #wire:packets { fate = "refused" },
        bad_sums = server:counter("UdpInCsumErrors") + server:counter("UdpInErrors") }
end

local clean = world("as sent", function() return try() end)
expect(clean.got):equals(params.bytes)

local twice = world("one came twice", function() return try("twice") end)
expect(twice.got):equals(params.bytes)
expect(twice.overlaps):equals(0)
expect(twice.refused):equals(1)

local within = world("within what has come", function() return try(1000, 800, true) end)
expect(within.got):equals(params.bytes)
expect(within.overlaps):equals(0)
expect(within.refused):equals(1)
say("A fragment that came twice, or that lies within what has come, is ignored: %d bytes delivered.", within.got)

local over = world("over an edge", function() return try(2800, 800, true) end)
expect(over.got):equals(0)
expect(over.overlaps):equals(1)
expect(over.failed):above(0)
say("One that lies over an edge, with bytes that came and bytes that did not: all is thrown away, nothing delivered.")

local ends = world("another end", function() return try(2960, 80, false) end)
expect(ends.got):equals(0)
expect(ends.joined):equals(1) -- IP is content with a last fragment, whoever sent it ...
expect(ends.bad_sums):above(0) -- ... UDP is not
say("A forged last fragment completes the datagram before the true one comes; UDP's checks refuse what IP joined.")
