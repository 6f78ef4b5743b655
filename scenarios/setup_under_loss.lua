-- How long does connect() take when the network loses segments? In one run that is
-- luck; over many seeds it is a distribution:
--
--   halfopen batch scenarios/setup_under_loss.lua --seeds 1-200
--   halfopen batch scenarios/setup_under_loss.lua --seeds 1-200 --set loss=1%,10%,30% --profile linux,rfc -q

scenario {
    title = "Setting up a connection over a lossy link",
    about = "A lost SYN or SYN-ACK costs a second at least: before the first RTT, the timer can only guess.",
    params = { delay = { "20ms", about = "one way" }, loss = { "10%", about = "of all segments, each way" } },
}

local client = host("client", "10.0.0.1")
local server = host("server", "10.0.0.2")
local wire = link(client, server, { delay = params.delay, loss = params.loss })
local setup, failure -- one of them

server:spawn(function() server:listen(80):accept() end)
client:spawn(function()
    local conn
    conn, failure = client:connect(server, 80)
    if conn then setup = now() end
end)

run("5min") -- who gives up has done so by then

local syns = wire:packets { from = client, match = "syn" }
result("syns", #syns)
if setup then
    result("setup", setup)
    local opening = wire:packets { from = server, match = "syn+ack", fate = "arrived" }:first()
    expect(setup):equals(opening.arrived_at) -- the first SYN-ACK that comes through ends it
    if #syns == 1 and opening.at < 1 then
        expect(setup):near(2 * params.delay, "1us") -- nothing lost: one RTT
    else
        expect(setup):at_least(1 + 2 * params.delay) -- RFC 6298 2.1: the first timer is a second
    end
    say("connect() returned after %s: %d SYN, the first SYN-ACK came through at %s.", time_text(setup), #syns,
        time_text(opening.arrived_at))
else
    local extra = client:sysctl("tcp_syn_linear_timeouts") -- Linux: those before the timer begins to double
    expect(#syns):equals(1 + extra + client:sysctl("tcp_syn_retries"))
    say("connect() gave up with %s after %d SYN.", failure, #syns)
end
