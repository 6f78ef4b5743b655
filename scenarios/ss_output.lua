-- What ss -tanoi prints of one connection, at the moments of its life that move the
-- fields: opening, idle, sending, repairing, blocked by the reader, closed.

scenario {
    title = "A life, as ss shows it",
    about = "host:ss() and conn:info(): the fields that ss -tanoi prints, and what moves them.",
    params = {
        delay = { "20ms", about = "one way" },
        congestion = { "cubic", about = "its algorithm: bbr and dctcp tell more" },
    },
}

local client = host("client", "10.0.0.1", { profile = "linux",
    sysctl = { tcp_congestion_control = params.congestion, tcp_syn_linear_timeouts = 0 } })
local server = host("server", "10.0.0.2", { profile = "linux", sysctl = { tcp_rmem = "4096 300000 300000" } })
local wire = link(client, server, { rate = "10Mbit", delay = params.delay, queue = 100 })
local reads = true
server:spawn(function()
    local theirs = server:listen(80):accept()
    while true do
        while not reads do sleep("10ms") end
        if theirs:recv(20000) == "" then break end
    end
    sleep("500ms")
    theirs:close()
end)

-- The socket's line and the fields under it; both are also said in the log.
local shown = {}
local function show(moment)
    local text = client:ss():gsub("^State[^\n]*\n", "")
    log("%s\n%s", moment, text)
    shown[#shown + 1] = moment .. ": " .. (text:match("timer:%b()") or "no timer")
    return text
end

local first_syn = wire:drop { from = client, match = "syn", count = 2 }
client:spawn(function()
    sleep("1.5s")
    local text = show("the SYN was lost")
    expect(text):matches("SYN%-SENT +0 +1 ")
    expect(text):contains("timer:(on,")
    expect(text):contains("backoff:1")
    expect(text):contains("retrans:1/1")
end)
local conn = client:connect(server, 80, { options = { SO_KEEPALIVE = true } })
expect(first_syn:count()):equals(2)
sleep("100ms")
local text = show("open")
expect(text):matches("ESTAB +0 +0 ")
expect(text):contains("timer:(keepalive,")
expect(text):contains(" ts sack " .. params.congestion .. " wscale:3,10 rto:")

client:spawn(function() conn:send(3000000) end)
sleep("600ms")
text = show("sending")
for _, field in ipairs { "rtt:", "bytes_sent:", "bytes_acked:", "unacked:", "delivery_rate ", "pacing_rate ", "busy:", "minrtt:40" } do
    expect(text):contains(" " .. field)
end
expect(text):contains("timer:(on,")

wire:drop { from = client, match = "data", count = 1 }
while conn:info().retrans == 0 do sleep("5ms") end
text = show("repairing")
expect(text):contains(" sacked:")
expect(text):matches(" retrans:%d+/%d+")
expect(text):contains(" ssthresh:")

sleep("500ms")
reads = false
sleep("1s")
text = show("the reader stopped")
expect(text):contains("timer:(persist,")
expect(text):contains(" notsent:")
expect(text):matches(" rwnd_limited:%d+ms%(%d+%.%d%%%)")

reads = true
sleep("10s")
conn:shutdown()
sleep("200ms")
text = show("shut down")
expect(text):matches("FIN%-WAIT%-2")
sleep("1s")
conn:close()
expect(show("closed")):matches("TIME%-WAIT +0 +0 [^\n]*timer:%(timewait,")
say("%s.", table.concat(shown, "; "))
