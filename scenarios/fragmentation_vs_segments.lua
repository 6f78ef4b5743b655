-- Why MSS exists. The same transfer over the same lossy link, once as segments
-- that fit its MTU, once as large segments without DF that a router cuts into
-- fragments. IP repairs nothing: one fragment lost, and the whole segment must
-- come again. With loss p a fragment, n fragments fail with 1 - (1 - p)^n.

scenario {
    title = "Segments that fit, and fragments",
    about = "CLAIM 22: goodput and bytes retransmitted, side by side; fragment_table has the curves.",
    params = {
        loss = { 0.01, about = "of each packet on the narrow link" },
        narrow = { 576, about = "its MTU" },
        bytes = "2MB",
        cuts = { false, about = "set by each world: let the router cut" },
    },
}

local function transfer()
    local client, server = host("client", "10.0.1.1", { sysctl = { ip_no_pmtu_disc = params.cuts and 1 or 0 } }),
        host("server", "10.0.2.1")
    local middle, far = router("near"), router("far")
    link(client, middle, { delay = "1ms" })
    local wire = link(middle, far, { delay = "8ms", rate = "100Mbit", mtu = params.narrow, up = { loss = params.loss } })
    link(far, server, { delay = "1ms" })
    local done
    server:spawn(function()
        server:listen(80):accept():skip(params.bytes)
        done = now()
    end)
    local conn = client:connect(server, 80, { options = { TCP_MAXSEG = params.cuts and 1460 or params.narrow - 40 } })
    conn:send(params.bytes)
    run("10min")
    local resent = client:packets { from = client, match = "retransmission" }:sum("len")
    local sent = client:packets { from = client, match = "data" }
    return { goodput = params.bytes * 8 / (done or 600) / 1e6, resent = resent, share = resent / sent:sum("len"),
        fragments = server:counter("ReasmReqds"), n = params.cuts and 3 or 1, wire = wire }
end

local function theory(n) return 1 - (1 - params.loss) ^ n end

local fit = world("segments", function()
    local w = transfer()
    expect(w.fragments):equals(0)
    expect(w.share):between(0.5 * theory(1), 2 * theory(1))
    return w
end)

local cut = world("fragments", { cuts = true }, function()
    local w = transfer()
    expect(w.fragments):above(params.bytes / 1448)
    expect(w.share):between(0.6 * theory(3), 1.7 * theory(3))
    return w
end)

expect(cut.resent):above(1.5 * fit.resent)
result("goodput_mbit", { segments = fit.goodput, fragments = cut.goodput })
result("resent_bytes", { segments = fit.resent, fragments = cut.resent })
say("Segments: %.2f Mbit/s, %d bytes sent again (%.1f %%, theory %.1f).", fit.goodput, fit.resent, 100 * fit.share,
    100 * theory(1))
say("Fragments: %.2f Mbit/s, %d bytes sent again (%.1f %%, theory %.1f).", cut.goodput, cut.resent, 100 * cut.share,
    100 * theory(3))
say("Three times the bytes for nothing. Yet it was faster: a window is counted in segments, and these are larger (fragment_table).")
