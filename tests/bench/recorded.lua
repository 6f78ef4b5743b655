-- What recording costs: one bulk flow of which everything is recorded, or nothing.
scenario {
    title = "A bulk flow to be recorded",
    about = "Played by tests/bench/run with a folder and without.",
    -- 40,811 packets, each in two captures: below the 100,000 that a folder's captures hold
    params = { length = "400ms" },
}

local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
link(client, server, { rate = "1Gbit", delay = "5ms" })
server:serve { port = 80 }
client:bulk { to = server, port = 80 }
run(params.length)
