-- A plain connection: request of 100 bytes, reply of 3000, the client closes.
local R = require "replay"

R.scenario { title = "Recording s01", params = {} }
R.world {}

local listener = R.b:listen(R.port, { backlog = 16 })
R.b:spawn(function()
    local conn = R.call("B", "accept", function() return listener:accept() end)
    R.call("B", "recv", function() return conn:recv(4096) end)
    R.call("B", "send 3000", function() return conn:send(3000) end)
    R.call("B", "recv", function() return conn:recv(4096) end)
    R.call("B", "close", function() return conn:close() end)
end)
sleep("50ms")
local conn = R.connect("A")
R.call("A", "send 100", function() return conn:send(100) end)
local n = 0
while n < 3000 do n = n + #R.call("A", "recv", function() return conn:recv(4096) end) end
sleep("100ms")
R.call("A", "close", function() return conn:close() end)
sleep("62.5s")
R.finish()
