-- A host with two interfaces, two ways to a server: a short one through one router and a
-- long one through two. Routes are computed, shortest first; the longest prefix wins, and
-- a route set by hand goes before a computed one. When the short way's cable is pulled
-- the packets go into the void until somebody sets another route.

scenario {
    title = "Two ways",
    about = "Several interfaces, computed and static routes, longest prefix, and an outage.",
    params = { cut_at = "5s", noticed = { "3s", about = "until the operator sets the other route" } },
}

local user, server = host("user", { "10.0.1.1", "10.0.2.1" }), host("server", { "10.0.9.1", "10.0.8.1" })
local short, long1, long2 = router("short"), router("long1"), router("long2")
local first = link(user, short, { delay = "5ms" })
local second = link(user, long1, { delay = "5ms" })
local last = link(short, server, { delay = "5ms" })
link(long1, long2, { delay = "5ms" })
link(long2, server, { delay = "5ms" })

local function via(packets) return #packets > 0 end
server:serve { port = 80, request = 10, response = 10 }

-- Round trip of one request, and by which interface it left.
local function ask()
    sleep("500ms")
    local began = now()
    local conn, problem = user:connect(server, 80, { timeout = "10s" })
    if not conn then return nil, problem end
    conn:send(10)
    conn:recv()
    conn:close()
    return now() - began, via(first:packets { from = user, after = began }), via(second:packets { from = user, after = began })
end

local took, by_first, by_second = ask()
expect(took):near("40ms", "1ms") -- two round trips of 20 ms
expect(by_first):is_true()
expect(by_second):is_false()

user:route("10.0.9.1/32", { iface = 1 }) -- by hand: the long way
took, by_first, by_second = ask()
expect(by_first):is_false()
expect(by_second):is_true()
expect(took):near("50ms", "1ms") -- there 15 ms, back 10: the server still answers the short way
say("Computed route: 40 ms for a request; by hand over the long way: %s, for the answers come the short way.", time_text(took))

user:route("10.0.9.1/32", { iface = 0 }) -- the later one counts: back to the short way
expect(user:route("10.9.0.0/16", { unreachable = true })):is_nil()
expect(user:connect("10.9.1.1", 80)):fails("EHOSTUNREACH")

-- The cable of the short way is pulled, both ways.
run_until(params.cut_at)
local pulled = now()
last:cut()
first:cut()
after(params.noticed, function()
    user:route("10.0.9.1/32", { iface = 1 })
    server:route("10.0.1.1/32", { iface = 1 })
end)
took = ask()
expect(took):between(params.noticed - 0.5, params.noticed + 2)
expect(now() - pulled):above(params.noticed)
say("The short way was cut: the next request took %s, the SYN was repeated until another route was set.", time_text(took))
