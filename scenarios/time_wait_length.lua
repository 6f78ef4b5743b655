-- How long is TIME-WAIT? An old copy of the server's FIN tells: while the entry
-- stands the copy is answered with an ACK, and the wait begins anew; once it
-- has gone, with RST. Linux waits 60 s whatever the sysctls say; RFC 9293 §3.4.2
-- takes two MSL of two minutes each.

scenario {
    title = "How long TIME-WAIT lasts",
    about = "CLAIMS 37, 38, 39: two MSL, begun anew by a repeated FIN.",
    params = {
        early = { "1s", about = "so long before its end the first copy comes" },
        late = { "6s", about = "so long after its end the second" },
        when = { "0s", about = "set by each world" },
        fin_timeout = { "60s", about = "tcp_fin_timeout: often taken for it" },
    },
}

-- The client closes first; `when` later a copy of the server's FIN arrives. What answers it?
local function closed()
    local client = host("client", "10.0.0.1", { sysctl = { tcp_fin_timeout = params.fin_timeout } })
    local server = host("server", "10.0.0.2")
    local wire = link(client, server, { delay = "10ms" })
    server:serve { port = 80 }
    local fin = wire:copy { from = server, match = "fin", nth = 1 }
    wire:drop { from = server, match = "rst" } -- so that nothing but time ends the wait
    client:connect(server, 80):close()
    run("100ms")
    local began = client:connections()[1]:entered("TIME_WAIT")
    at(began + params.when, function() fin:inject() end)
    run(began + params.when + 400)
    local answer = wire:packets { from = client, after = began + params.when }:first()
    return answer and answer.flags, client:connections()[1]:spent("TIME_WAIT")
end

for _, case in ipairs { { "linux", 60 }, { "rfc", 240 } } do
    local profile, length = table.unpack(case)
    local before, anew = world(profile .. ", just before its end", { profile = profile, when = length - params.early },
        function()
            local answer, waited = closed()
            expect(answer):equals("ACK")
            expect(waited):near(2 * length - params.early, "100ms") -- all of it again
            return answer, waited
        end)
    local after = world(profile .. ", after its end", { profile = profile, when = length + params.late }, function()
        local answer, waited = closed()
        expect(answer):equals("RST")
        expect(waited):near(length, "100ms")
        return answer
    end)
    say("%s: a FIN %s after the first gets %s, and TIME-WAIT ends after %s in all; one after %s gets %s.", profile,
        time_text(length - params.early), before, time_text(math.floor(anew + 0.5)), time_text(length + params.late), after)
end

world("linux, tcp_fin_timeout = 5", { profile = "linux", fin_timeout = 5, when = 30 }, function()
    local answer = closed()
    expect(answer):equals("ACK") -- it is another clock, that of an orphan in FIN-WAIT-2
    say("tcp_fin_timeout = 5 s changes nothing: after 30 s TIME-WAIT still answers %s.", answer)
end)
