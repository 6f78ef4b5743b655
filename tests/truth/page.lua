-- Prints docs/fidelity.md from what truth.lua found and from the figure that
-- docs/packetdrill.md gives.

local recording = require "recording"

local M = {}

local TOPICS = {
    s01 = "a plain connection", s02 = "SYNs lost", s03 = "SYN-ACKs lost", s04 = "the third ACK lost", s05 = "old duplicates, challenge ACKs",
    s06 = "wrong segments in SYN-SENT", s07 = "the last ACK", s08 = "SYN floods", s09 = "the accept queue", s10 = "TIME-WAIT and ports",
    s11 = "ways to close", s12 = "keepalive", s13 = "half-close, FIN-WAIT-2, simultaneous open and close",
    s14 = "MSS, path MTU, fragments, UDP", s15 = "data: timers, recovery, acknowledging", s16 = "refused, unreachable, stray",
}

function M.print(found)
    print([[
# How faithful is it?

Two judges that nobody here wrote. This page is printed by `make fidelity`.

## A real kernel's recordings

Linux 6.18 was recorded between two network namespaces: packets, state transitions, results and durations of calls, counters.
`make truth` replays each recording as a scenario (`tests/truth/families/`, parameters in `tests/truth/variants.lua`) and compares:

- the packets that each end sent, connection by connection: direction, flags, relative sequence and acknowledgment numbers, length, options, DF;
  the window in SYN and RST, and elsewhere whether it is open;
- their times, relative to what the same end had last sent or received: the relay's lateness, and a slot of the kernel's timer wheel;
- the state transitions of every socket, the result and duration of every call, and the counters that the protocol's rules set.

Replays set `kernel_hz = 250`, so that timers wait for their slot of the wheel as the recorded kernel's did. Alike clients of a flood or of a
crowded listener are compared by what befell them, not by who it was.
]])
    print(("**%d of %d recordings come out equal: %d by all of the above, %d by less.**\n"):format(found.equal, found.n,
        found.equal - #found.loose, #found.loose))
    print("| family | about | equal |\n| --- | --- | --- |")
    local topics, order = {}, {}
    for family, f in pairs(found.families) do
        local key = family:match("^s%d+")
        if not topics[key] then
            topics[key] = { n = 0, equal = 0 }
            order[#order + 1] = key
        end
        topics[key].n, topics[key].equal = topics[key].n + f.n, topics[key].equal + f.equal
    end
    table.sort(order)
    for _, key in ipairs(order) do
        print(("| %s | %s | %d of %d |"):format(key, TOPICS[key] or "", topics[key].equal, topics[key].n))
    end
    print("\n### Equal by less\n")
    print("`bulk`: PSH and pure ACKs, but for the last of each direction, are not compared, for how many segments one ACK covered")
    print("hung on when the recording program's thread read. That these recordings agree says nothing of acknowledging.\n")
    print("| recording | what is left out |\n| --- | --- |")
    for _, l in ipairs(found.loose) do
        local out = { l[2] and "`bulk`" or nil }
        local keys = {}
        for key in pairs(l[3] or {}) do keys[#keys + 1] = key end
        table.sort(keys)
        for _, key in ipairs(keys) do out[#out + 1] = key end
        print(("| %s | %s |"):format(l[1], table.concat(out, ", ")))
    end
    print("\nSteps of raw segments compare all counters but TcpRetransSegs, TCPTimeouts and TCPSynRetrans, into which earlier steps leak.")
    print("\n### Known differences\n\nThe reasons are the likely ones; they are not proven.\n\n| recording | why |\n| --- | --- |")
    for _, d in ipairs(found.differences) do print(("| %s | %s |"):format(d[1], d[2])) end

    local text = recording.read_file("docs/packetdrill.md") or ""
    local kernel, all, ours = text:match("passes%s+(%d+)%s+of%s+(%d+),%s+halfopen%s+(%d+)")
    print([[

That a known difference is still there is checked: once it is gone, `make truth` fails until its line is struck out.

## packetdrill

The scripts of google/packetdrill under `gtests/net/tcp`, played by an unmodified packetdrill through its plug-in interface
([the door](packetdrill.md), with every script that fails and the reason).
]])
    if kernel then
        print(("**halfopen passes %s of %s; the real kernel of such a machine passes %s.**"):format(ours, all, kernel))
    end
    print([[

## Out of scope

Zero copy, splice, sendfile, SO_TIMESTAMPING, GRO, TCP-MD5 and TCP-AO, multipath, tcp_migrate_req, IPv6 (addresses have room for it). What
a network card's offloads or the scheduler add is not modelled; bursts that TCP hands down at once (GSO) are, for they decide where PSH stands.]])
end

return M
