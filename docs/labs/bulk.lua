-- A bulk transfer through a bottleneck: the scenario of the fourth lab.
--
--   halfopen run docs/labs/bulk.lua --plot
--   halfopen run docs/labs/bulk.lua --set lose=40 --set megabytes=0.1 --plot

scenario {
    title = "A bulk transfer",
    about = "Loss recovery and congestion control.",
    params = {
        rate = { "10Mbit", about = "of the bottleneck" },
        delay = { "20ms", about = "one way" },
        queue = { 50, about = "packets in front of the bottleneck" },
        lose = { 0, about = "which data segment is lost; 0: none" },
        burst = { 1, about = "how many in a row" },
        cc = { "cubic", about = "cubic, reno, bbr, dctcp" },
        sack = { 1, about = "tcp_sack" },
        tlp = { 3, about = "tcp_early_retrans; 0: no tail loss probe" },
        megabytes = { 10.0, about = "to send" },
    },
}

local client = host("client", "10.0.0.1",
    { sysctl = { tcp_congestion_control = params.cc, tcp_sack = params.sack, tcp_early_retrans = params.tlp } })
local server = host("server", "10.0.0.2")
local wire = link(client, server, { rate = params.rate, delay = params.delay, queue = params.queue })

server:serve { port = 80 }
client:bulk { to = server, port = 80, bytes = math.floor(params.megabytes * 1000000) }
if params.lose > 0 then
    wire:drop { from = client, match = "data", nth = { params.lose, params.lose + params.burst - 1 } }
end

run("30s")

local data = wire:packets { from = client, match = "data" }
local lost = wire:packets { from = client, fate = "lost" }
expect(client:connections()[1]:entered("FIN_WAIT_1")):exists() -- all was sent
say("%d data segments, %d lost, %d retransmitted, %d timeouts, %d tail loss probes; the last was sent at %s.",
    #data, #lost, client:counter("RetransSegs"), client:counter("TCPTimeouts"), client:counter("TCPLossProbes"),
    time_text(data:last().at))
