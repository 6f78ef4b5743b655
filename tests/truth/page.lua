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

local INPUTS = [[

### What replays are given

A recording depends on more than its scenario says: a relay that was a little late with each packet, threads that ran a few microseconds
before or after a packet came, a kernel whose ticks of 4 ms stood somewhere. None of it is TCP, all of it is input to TCP. A replay plays
the scenario with a relay that is always 0.15 ms late and threads that run at once; where that differs, it is given what the recorded
machine did, in this order, and is then compared in full all the same (with the threads' calls known, the window in every segment too, to
the last unit):

1. **the relay's times**: every packet arrives when the recording says that it was delivered, calls and injections begin when they
   began. Read off the recording, nothing to choose.
2. **ticks**: how long the kernel had been up (`kernel_uptime`). The recorded retransmissions show where the ticks of 4 ms and the slots
   of 32 ms stood; of the 8 places where a slot of 256 ms can then stand, the one with which everything is equal.
3. **the threads' calls**: after each arriving packet, whether reader and writer were at work. It is not recorded, so it is searched for
   (`tests/truth/fit.lua`), one letter a packet; a plan is kept only if with it both ends send segment by segment exactly what they
   sent: flags, numbers, SACK blocks, lengths, windows. A call reads at once and is done (R), is not there (N), begins (L) and holds its
   socket (`.`), processes its backlog (F) and returns (U, W, V): the letters are explained in that file. No call holds a socket for more
   than 1 ms; a reader reads only what has come.

That a plan exists shows that the recorded outcome is one that our TCP has for an admissible input, not that this input was the real one.
It could well not exist: with the receive buffer measured as we had it, the search for s15_fastrexmit_sack came no further than 23 of 42
arrivals, and with the memory of fragments counted as we had it, that for s14_tcp_dontdf_ok (now equal as played) ended at the first. `SEARCH=1 tests/truth/run NAME` searches anew; what was found is kept in `tests/truth/plans.lua`.
]]

local HARDEST = [[

### The five differences that were hardest to remove

- **One ACK for three segments in the midst of quick ACKs** (s15_no_tlp_rto and eight more). Not a matter of counting: the reader's call
  held the socket, the segments waited in its backlog, and Linux defers their ACKs until the call lets go
  (`net.ipv4.tcp_backlog_ack_defer`). The backlog counts against the receive buffer until it is empty, which the windows of these ACKs
  show. Modelled (`models/tcp/backlog.c`), tested.
- **The receive buffer grew a round trip too early** (s15_fastrexmit_sack; s15_delack_bulk had it too). We measured the user's rate at the end of
  recv(); Linux does so after each segment taken, by the clock of the last segment that came, and subtracts what still waits: many
  segments taken at once, as after a filled hole, prove nothing. Fixed in `recv.c` and `rcvbuf.c`, tested.
- **A tail loss probe that crossed the delayed ACK** (s15_zero_window_answered). Not the phase of jiffies alone, as was thought: the
  timestamp of B's ACK says that it left at 0.0852 s, the relay read it at 0.0884 s, 3.2 ms late, and delivered it after A's timer had fired
  at 0.0972 s. With the relay's times and the ticks where the recording has them it is equal.
- **SYN-ACKs that came and did not come** (s03_synack_all_lost_real, s08_flood_continuous_c0). Timers of both ends end at the same
  nominal time and share a slot of the timer wheel or do not. The tracepoint shows where the slots of 32 ms stood; with
  `kernel_uptime` set to that, every SYN-ACK is where the kernel's was. In the flood the recording program also kept sockets that
  we had closed.
- **Windows that only shrank** (s14_tcp_dontdf_ok). A segment that arrived in three fragments occupies three allocations, 3840 bytes
  instead of 2304, and so takes away from the window. Modelled (`Packet.memory`), tested.
]]

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
    print(("**%d of %d recordings come out equal in all of the above: %d as they are played, %d given more of what the recorded"):format(
        found.equal, found.n, found.equal - #found.given, #found.given))
    print("machine did ([below](#what-replays-are-given)).**\n")
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
    print(INPUTS)
    print("| recording | given | reader and writer |\n| --- | --- | --- |")
    for _, g in ipairs(found.given) do print(("| %s | %s | %s |"):format(g[1], g[2].words, g[2].plan and "`" .. g[2].plan .. "`" or "")) end
    print(HARDEST)
    print("### Known differences\n")
    if #found.differences == 0 then print("None.") else print("| recording | why |\n| --- | --- |") end
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
