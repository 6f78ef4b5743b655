-- What the headers say: bytes are numbered, ACK names the byte expected next,
-- SYN and FIN take one number each, and TCP's payload has no length field of
-- its own. One short conversation, two connections, and a datagram for comparison.

scenario {
    title = "The basics, read off the wire",
    about = "CLAIMS 1, 2, 4, 5, 7, 10: numbers, flags, bytes and headers.",
    params = { request = "GET / please", answer = { 3000, about = "bytes" } },
}

local client = host("client", "10.0.0.1")
local server = host("server", "10.0.0.2")
local wire = link(client, server, { delay = "10ms" })
local request, answer = #params.request, params.answer

-- Two connections between the same hosts: only the client's port tells them apart.
server:spawn(function()
    local listener = server:listen(80)
    for _ = 1, 2 do
        local conn = listener:accept()
        server:spawn(function()
            conn:recv()
            conn:send(answer)
            conn:recv_eof()
            conn:close()
        end)
    end
end)
wire:duplicate { from = server, match = "data", nth = 2, by = "1ms" } -- the network may do that
local got = {}
for i = 1, 2 do
    client:spawn(function()
        local conn = client:connect(server, 80, { port = 40000 + i })
        conn:send(params.request:sub(1, 3)) -- two writes, one stream
        conn:send(params.request:sub(4))
        got[i] = conn:skip(answer)
        conn:close()
    end)
end
local udp, sink = client:udp(), server:udp(53)
udp:send("12345678", server, 53)
run("2min")

-- 4, 5: each connection has its own bytes, once, although one segment came twice.
expect(got[1]):equals(answer)
expect(got[2]):equals(answer)
expect(sink:recv()):equals("12345678")

-- 1: the SYN is number 0, the first byte 1; the ACK is the next byte expected.
local ours = wire:packets { from = client, match = { sport = 40001 } }
local theirs = wire:packets { from = server, match = { dport = 40001 } }
expect(theirs[1].ack):equals(1)
local fin
for _, p in ipairs(ours) do if p.flags:find("FIN") then fin = p end end
expect(fin.seq):equals(1 + request)
expect(fin.ack):equals(1 + answer)
expect(theirs:last().ack):equals(fin.seq + 1) -- the FIN took a number too

-- 2: only the first SYN has no ACK.
local without = 0
for _, p in ipairs(wire:packets { match = "tcp" }) do
    if not p.flags:find("ACK") then without = without + 1 end
end
expect(without):equals(2) -- one SYN for each connection

-- 7, 10: payload = IP length - IP header - TCP header. With timestamps (10 bytes
-- and 2 of padding) the TCP header is 32.
for _, p in ipairs(wire:packets { match = "data" }) do
    if p.proto == "tcp" then expect(p.ip_len - p.len):equals(20 + 20 + 12) end
end
local datagram = wire:packets { match = "udp" }:first()
expect(datagram.ip_len - datagram.len):equals(20 + 8) -- the UDP header has 8

say("%d bytes of request moved the client's numbers from 1 to %d, its FIN to %d; %d segments without ACK: the two SYNs.",
    request, fin.seq, fin.seq + 1, without)
