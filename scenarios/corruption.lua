-- A bit flips on the way. The checksum of TCP and UDP is a sum of 16-bit words: it
-- finds every single flipped bit, and the segment comes again. It does not find two
-- words that changed places, nor what a broken router computes a fresh checksum for:
-- then wrong bytes are delivered, in order, with nobody the wiser.

scenario {
    title = "Corruption, seen and not seen",
    about = "CLAIM 3: data arrive error-free? The checksum has 16 bits.",
    params = { text = "pay 100 to Alice", flips = { "2%", about = "of packets with a flipped bit, in the last world" },
        bytes = "1MB" },
}

local data_at = 20 + 20 + 12 -- IP, TCP, timestamps

local function send_over(damage)
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    if damage then
        damage.from, damage.match, damage.count = client, "data", 1
        wire:corrupt(damage)
    end
    local got
    server:spawn(function() got = server:listen(80):accept():recv() end)
    client:spawn(function() client:connect(server, 80):send(params.text) end)
    run("5s")
    return { got = got, caught = server:counter("TcpInCsumErrors"), again = client:counter("TcpRetransSegs") }
end

local seen = world("one bit", function() return send_over { byte = data_at + 4, xor = 8 } end)
expect(seen.got):equals(params.text)
expect(seen.caught):equals(1)
expect(seen.again):at_least(1)
say("One bit flipped: the checksum caught it, %d retransmission, \"%s\" arrived.", seen.again, seen.got)

-- "pay 100 to Alice": the 16-bit words at 4 ("10") and 6 ("0 ") change places.
local swapped = world("two words swapped", function() return send_over { byte = data_at + 4, swap = data_at + 6 } end)
expect(swapped.got):equals("pay 0 10to Alice")
expect(swapped.caught):equals(0)
say("Two words swapped: the sum is the same, and \"%s\" was delivered.", swapped.got)

local mended = world("a router that mends checksums", function()
    return send_over { byte = data_at + 4, xor = 8, fix_checksum = true }
end)
expect(mended.got):equals("pay 900 to Alice")
expect(mended.caught):equals(0)
say("One bit flipped in a router's memory, the checksum computed after it: \"%s\".", mended.got)

world("UDP without a checksum", function()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    wire:corrupt { from = client, match = "udp", byte = 20 + 8 + 4, xor = 8 }
    local sink = server:udp(53)
    client:udp():send(params.text, server, 53)
    client:udp(0, { checksum = false }):send(params.text, server, 53)
    run("1s")
    expect(server:counter("UdpInCsumErrors")):equals(1)
    expect(sink:recv { timeout = 0 }):equals("pay 900 to Alice")
    expect(sink:recv { timeout = 0 }):fails("TIMEOUT")
    say("UDP: with a checksum the datagram was dropped, without one (RFC 768 allows it) \"pay 900\" got through.")
end)

world("a noisy line", function()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "5ms", rate = "10Mbit", up = { corrupt = params.flips } })
    local stream
    server:spawn(function()
        local conn = server:listen(80):accept()
        stream = conn:skip(params.bytes)
    end)
    client:spawn(function() client:connect(server, 80):send(params.bytes) end)
    run("60s")
    local flipped = 0
    for _, p in ipairs(wire:packets { from = client }) do if p.is_corrupted then flipped = flipped + 1 end end
    local caught = server:counter("TcpInCsumErrors") + server:counter("IpExtInCsumErrors")
    expect(stream):equals(params.bytes)
    expect(flipped):above(5)
    expect(caught):equals(flipped)
    say("A noisy line: %d packets with a flipped bit, %d caught (%d by IP's own checksum), all %d bytes arrived.", flipped,
        caught, server:counter("IpExtInCsumErrors"), stream)
end)
