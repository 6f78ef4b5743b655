-- An ICMP error reaches TCP: does the connection end? RFC 1122 calls some errors soft,
-- a path that may come back, and some hard: nobody there. By RFC 9293 a soft one never
-- ends a connection, a hard one should. Linux does neither: while it connects, any
-- error ends it, so that connect() need not wait; once it is open none does, for
-- anyone can forge one (RFC 5927). What is kept in mind is told when it times out.

scenario {
    title = "ICMP errors, soft and hard",
    about = "What each error does to a connection that opens, and to one that is open.",
}

local errors = {
    { 3, 0, "net unreachable", "soft" },
    { 3, 1, "host unreachable", "soft" },
    { 3, 2, "protocol unreachable", "hard" },
    { 3, 3, "port unreachable", "hard" },
    { 3, 5, "source route failed", "soft" },
    { 3, 13, "administratively prohibited", "-" },
    { 11, 0, "TTL exceeded", "soft" },
    { 11, 1, "reassembly timed out", "soft" },
    { 4, 0, "source quench", "ignored" },
}

local function pair()
    local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
    return client, server, link(client, server, { delay = "10ms" })
end

-- The first SYN, or the first data, is lost and answered by the error.
local function complain(wire, match, err)
    wire:watch({ from = "client", match = match, count = 1 }, function(packet)
        wire:inject { to = "client", src = "10.0.0.254", proto = "icmp", icmp_type = err[1], icmp_code = err[2],
            about = packet }
    end)
    wire:drop { from = "client", match = match, count = 1 }
end

local function opening(err)
    local client, server, wire = pair()
    complain(wire, "syn", err)
    server:listen(80)
    local conn, problem = client:connect(server, 80)
    return conn and "opens" or problem, now()
end

local function open(err)
    local client, server, wire = pair()
    server:serve { port = 80 }
    local conn = client:connect(server, 80)
    complain(wire, "data", err)
    conn:send("data")
    run("3s")
    return conn:state() == "ESTABLISHED" and "lives" or conn:error() or conn:state()
end

say("%-28s %-8s %-14s %-14s %-14s %-14s", "", "", "linux opens", "linux is open", "rfc opens", "rfc is open")
for _, err in ipairs(errors) do
    local row = {}
    for _, profile in ipairs { "linux", "rfc" } do
        local what = string.format("%s, %d/%d", profile, err[1], err[2])
        local first, took = world(what .. ", opening", { profile = profile }, function() return opening(err) end)
        local second = world(what .. ", open", { profile = profile }, function() return open(err) end)
        row[#row + 1], row[#row + 2] = first, second
        local ends_opening = err[4] ~= "ignored" and (profile == "linux" or err[4] ~= "soft")
        if ends_opening then
            expect(first):as(what .. " ends what is opening"):matches("^E")
            expect(took):below("100ms")
        else
            expect(first):as(what .. " does not end what is opening"):equals("opens")
            expect(took):above("1s") -- by the SYN's repetition
        end
        if profile == "rfc" and err[4] == "hard" then
            expect(second):as(what .. " ends what is open"):matches("^E")
        else
            expect(second):as(what .. " is a hint to what is open"):equals("lives")
        end
    end
    say("%-28s %-8s %-14s %-14s %-14s %-14s", err[3], err[4], table.unpack(row))
    result(string.format("%d/%d", err[1], err[2]), row)
end
