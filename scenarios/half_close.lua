-- Closing is two closings. The client has said all it has to say and sends its
-- FIN; it still reads. EOF is queued behind the data, like a last byte.

scenario {
    title = "Half-close",
    about = "CLAIMS 33, 34: FIN closes one direction; the other goes on.",
    params = { replies = 5, pause = "200ms" },
}

local client, server = host("client", "10.0.0.1"), host("server", "10.0.0.2")
local wire = link(client, server, { delay = "10ms" })
local server_saw, client_got = {}, 0

server:spawn(function()
    local conn = server:listen(80):accept()
    server_saw[1] = #conn:recv(1000)
    server_saw[2] = #conn:recv(1000) -- EOF comes after the data, not instead of it
    for _ = 1, params.replies do
        conn:send(1000)
        sleep(params.pause)
    end
    conn:close()
end)

local conn = client:connect(server, 80)
conn:send(100)
conn:shutdown("write")
local sent, problem = conn:send("more")
repeat
    local data = conn:recv()
    client_got = client_got + #data
until data == ""
conn:close()
run("1s")

expect(server_saw):equals { 100, 0 }
expect(sent, problem):fails("EPIPE")
expect(client_got):equals(1000 * params.replies)
expect(client:connections()[1]):passed("FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT")
expect(server:connections()[1]):passed("CLOSE_WAIT", "LAST_ACK", "CLOSED")
expect(client:connections()[1]:spent("FIN_WAIT_2")):at_least(params.pause * (params.replies - 1))
expect(wire:packets { match = "fin" }):count(2)
say("The client closed its half and still got %d bytes in FIN-WAIT-2.", client_got)
