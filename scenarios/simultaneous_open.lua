-- Two ends connect to each other at once. No server, no listener: SYNs cross,
-- each side answers SYN+ACK with the ISN it already chose, and one connection
-- comes of it. Several simulators refuse this; RFC 9293 figure 8 demands it.

scenario {
    title = "Simultaneous open",
    about = "Four segments, two SYN-RECEIVEDs, one connection.",
    params = { apart = { "0ms", about = "by how much B is later" }, delay = "10ms" },
}

local a, b = host("a", "10.0.0.1"), host("b", "10.0.0.2")
local wire = link(a, b, { delay = params.delay })

local ends = {}
a:spawn(function() ends.a = a:connect(b, 5000, { port = 4000 }) end)
b:spawn(function()
    sleep(params.apart)
    ends.b = b:connect(a, 4000, { port = 5000 })
end)
run("1s")

for _, side in ipairs { a, b } do
    expect(side:connections()[1]):passed_only("CLOSED", "SYN_SENT", "SYN_RECEIVED", "ESTABLISHED")
    expect(wire:packets { from = side, match = "syn" }):count(1)
    expect(wire:packets { from = side, match = "syn+ack" }):count(1)
end
local syn, syn_ack = wire:packets { from = a, match = "syn" }:first(), wire:packets { from = a, match = "syn+ack" }:first()
expect(syn_ack.raw_seq):equals(syn.raw_seq) -- the same ISN, not a second one

ends.a:send("hello")
expect(ends.b:recv()):equals("hello")
say("Both were ESTABLISHED after %s, with one ISN each.", time_text(a:connections()[1]:entered("ESTABLISHED")))
