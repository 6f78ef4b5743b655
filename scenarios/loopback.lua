-- A program that talks to its own host: IP hands the packets back, no link sees them.
-- It is TCP all the same: handshake, ports, TIME-WAIT. The loopback's MTU is 65,535, so
-- MSS is 65,495 and a page that would take three segments elsewhere goes in one.

scenario {
    title = "To oneself",
    about = "127.0.0.1: a whole TCP without a wire.",
    params = { page = 4000 },
}

local host = host("host", "10.0.0.1")
host:spawn(function()
    local conn = host:listen(80):accept()
    conn:recv()
    conn:send(params.page)
    conn:recv_eof()
    conn:close()
end)
local conn = host:connect("127.0.0.1", 80)
conn:send("page, please")
expect(conn:skip(params.page)):equals(params.page)
conn:close()
expect(host:connect(host, 81)):fails("ECONNREFUSED") -- its own address is no other place
run("1s")

local packets = host:packets { match = { dport = 80 } }
expect(packets:first().mss):equals(65535 - 40)
expect(packets:first().link):is_nil()
expect(host:packets { match = { sport = 80, len = { 1, 65495 } } }):count(1)
expect(conn:history()):passed("FIN_WAIT_2", "TIME_WAIT") -- TIME-WAIT here too
say("%d packets, none on a link: MSS %d, the page of %d bytes in one segment, and TIME-WAIT like anywhere.",
    #host:packets {}, packets:first().mss, params.page)
