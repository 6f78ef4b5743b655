-- A million SYNs at a listening server with cookies on, and honest users beside
-- them. No entry beyond the queue's bound is ever made, so memory does not grow
-- with the flood:
--
--   /usr/bin/time -v halfopen run scenarios/million_syns.lua --set syns=1000000 --no-folder
--
--   SYNs          1,000,000   2,000,000   4,000,000
--   seconds of CPU      1.6         3.3         7.2
--   MB at most           75          75          75

scenario {
    title = "A flood of SYNs, honest users beside it",
    about = "Cookies keep memory bounded, whatever the number of SYNs.",
    params = { syns = { 20000, about = "how many" }, rate = { 100000, about = "a second" }, users = 50 },
}

local attacker, crowd = host("attacker", "10.0.1.1"), host("crowd", "10.0.2.1")
local server = host("server", "10.0.3.1", { sysctl = { tcp_syncookies = 1 } })
link(attacker, server, { delay = "5ms" })
link(crowd, server, { delay = "5ms" })
server:route("10.77.0.0/16", { unreachable = true })
server:serve { port = 80, backlog = 128, request = 100, response = 1000 }
local flood = attacker:flood { to = server, port = 80, rate = params.rate, count = params.syns, spoof = "10.77.0.0/16" }
local lasts = params.syns / params.rate
local users = crowd:crowd { to = server, port = 80, rate = params.users / lasts, count = params.users, request = 100,
    response = 1000 }
run(lasts + 20)

expect(flood:sent()):equals(params.syns)
expect(users:counts().served):equals(params.users)
expect(server:peak("syn_queue", 80)):equals(129) -- 128 + 1, and not one more
expect(server:counter("SyncookiesSent")):at_least(0.99 * params.syns)
say("%d SYNs, %d answered by cookie, at most %d held; all %d users served, the slowest 1 %% in %.0f ms.", params.syns,
    server:counter("SyncookiesSent"), server:peak("syn_queue", 80), params.users, 1000 * users:latency(0.99))
