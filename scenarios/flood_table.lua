-- How many honest users are served under a SYN flood? A table over the flood's
-- rate, SYN cookies off, on and always, and the listener's backlog.
--
--   scripts/flood-table        draws it: docs/pictures/flood_table.svg

scenario {
    title = "Who is served under a SYN flood",
    about = "The share of honest users served: flood rate x cookies x backlog.",
    params = {
        seconds = { 20, about = "how long flood and users last" },
        users = { 5, about = "honest connections a second" },
        patience = { "3s", about = "of a user" },
        rate = { 0, about = "set by each world: SYNs a second" },
        cookies = { 0, about = "set by each world: tcp_syncookies" },
        backlog = { 0, about = "set by each world" },
    },
}

local function share_served()
    local attacker, crowd = host("attacker", "10.0.1.1"), host("crowd", "10.0.2.1")
    local server = host("server", "10.0.3.1", { sysctl = { tcp_syncookies = params.cookies } })
    link(attacker, server, { delay = "10ms" })
    link(crowd, server, { delay = "10ms" })
    server:route("10.77.0.0/16", { unreachable = true }) -- the spoofed never answer
    server:serve { port = 80, backlog = params.backlog, request = 100, response = 1000 }
    if params.rate > 0 then
        attacker:flood { to = server, port = 80, rate = params.rate, spoof = "10.77.0.0/16", stop = params.seconds }
    end
    local users = crowd:crowd { to = server, port = 80, rate = params.users, request = 100, response = 1000,
        patience = params.patience, start = "1s", stop = params.seconds }
    run(params.seconds + 5)
    local counts = users:counts()
    return counts.served / counts.started
end

local RATES = { 0, 1, 2, 5, 10, 20, 50, 100, 200, 500 } -- SYNs a second

-- An entry of a crowded queue is given up at its third timeout, 7 s old: so many
-- SYNs a second keep the queue full.
local function enough(backlog) return (backlog + 1) / 7 end

local names = { [0] = "off", "on", "always" }
local served = {}
for _, backlog in ipairs { 16, 128, 1024 } do
    for cookies = 0, 2 do
        local row = {}
        for _, rate in ipairs(RATES) do
            local share = world(string.format("%d SYNs per s, cookies %s, backlog %d", rate, names[cookies], backlog),
                { rate = rate, cookies = cookies, backlog = backlog }, share_served)
            row[#row + 1] = { rate = rate, share = share }
        end
        served[#served + 1] = { backlog = backlog, cookies = names[cookies], row = row }

        expect(row[1].share):as("without a flood all are served"):equals(1)
        if cookies > 0 then
            for _, cell in ipairs(row) do
                expect(cell.share):as("with cookies all are served, " .. cell.rate .. " SYNs/s"):equals(1)
            end
        else -- what is held for 7 to 63 s fills the queue, the sooner the smaller it is
            expect(row[#row].share):as("without cookies few are"):below(0.2)
            for i = 2, #row do
                expect(row[i].share):as("the harder the flood, the fewer"):at_most(row[i - 1].share + 0.05)
                local what = ("%d SYNs/s at backlog %d"):format(row[i].rate, backlog)
                if row[i].rate < enough(backlog) / 2 then expect(row[i].share):as(what):equals(1) end
                if row[i].rate > enough(backlog) * 2 then expect(row[i].share):as(what):below(0.75) end
            end
        end
        local cells = {}
        for i, cell in ipairs(row) do cells[i] = string.format("%3.0f %%", 100 * cell.share) end
        if #served == 1 then
            local heads = {}
            for i, rate in ipairs(RATES) do heads[i] = string.format("%5d", rate) end
            say("%-28s %s", "served, at SYNs a second:", table.concat(heads, " "))
        end
        say("backlog %4d, cookies %-7s %s", backlog, names[cookies], table.concat(cells, " "))
    end
end
say("Cookies off, a queue of 17, 129 or 1025 is kept full by %.1f, %.1f or %.1f SYNs a second: its entries live 7 s.",
    enough(16), enough(128), enough(1024))
result("served", served)
