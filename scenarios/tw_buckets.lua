-- Past tcp_max_tw_buckets "all TIME-WAIT sockets are destroyed", it is said. In
-- truth the old entries stay; a new close finds no room and goes without.

scenario {
    title = "Too many TIME-WAIT entries",
    about = "CLAIMS 45, 50: tcp_max_tw_buckets.",
    params = { buckets = 2, visits = 5 },
}

local client = host("client", "10.0.0.1", { sysctl = { tcp_max_tw_buckets = params.buckets } })
local server = host("server", "10.0.0.2")
local wire = link(client, server, { delay = "10ms" })
server:spawn(function()
    local listener = server:listen(80)
    while true do
        local conn = listener:accept()
        conn:recv_eof()
        sleep("30ms")
        conn:close()
    end
end)
for i = 1, params.visits do
    client:connect(server, 80):close()
    sleep("200ms")
    expect(client:count("TIME_WAIT")):as("entries after visit " .. i):equals(math.min(i, params.buckets))
end
expect(client:counter("TCPTimeWaitOverflow")):equals(params.visits - params.buckets)
-- who went without has forgotten: the server's FIN is answered with RST
expect(wire:packets { from = client, match = "rst" }):count(params.visits - params.buckets)
say("%d entries stayed, %d closes went without TIME-WAIT; their servers' FINs got RST.", params.buckets,
    client:counter("TCPTimeWaitOverflow"))
