-- 2^32 numbers last 34 s at 1 Gbit/s, 3.4 s at 10. A segment that was held up so
-- long has a number that fits again, one turn later. PAWS looks at its timestamp.
-- To keep the run short, the held segment is given the number of the next turn.

scenario {
    title = "No PAWS: numbers come round again",
    about = "CLAIM 48: what timestamps protect.",
    params = { held = { "40s", about = "how long the network kept the old segment" }, checks = true },
}

local function wrapped()
    local sysctl = { ["counterfactual.no_paws"] = not params.checks }
    local client = host("client", "10.0.0.1")
    local server = host("server", "10.0.0.2", { sysctl = sysctl })
    local wire = link(client, server, { delay = "10ms" })
    local listener = server:listen(80)
    local conn = client:connect(server, 80)
    local peer = listener:accept()
    conn:send("old") -- the segment whose twin comes back
    sleep("100ms")
    local old = wire:packets { from = client, match = "data" }:first()
    peer:recv()
    sleep(params.held)
    conn:send("new")
    sleep("100ms")
    peer:recv()
    wire:inject { to = server, like = conn, flags = "psh+ack", data = "old", tsval = old.tsval, tsecr = old.tsecr }
    sleep("100ms")
    return peer:recv { timeout = "100ms" }, server
end

world("with PAWS", function()
    local text, server = wrapped()
    expect(text):is_nil()
    expect(server:counter("PAWSEstab")):equals(1)
    say("PAWS: a timestamp %s old, refused.", time_text(params.held))
end)

world("without PAWS", { checks = false }, function()
    local text, server = wrapped()
    expect(text):equals("old")
    expect(server:counter("PAWSEstab")):equals(0)
    say("Without: bytes of the turn before were read as new.")
end)
