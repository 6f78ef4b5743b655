-- What fit.lua found, so that nobody has to search again: for each recording
-- the plan of the threads' calls (the letters are explained there) and, where
-- the kernel's ticks matter, the uptime in microseconds with which the replay
-- begins. `SEARCH=1 tests/truth/run NAME` searches anew.
return {
    s03_synack_all_lost_real = { uptime = 243500 },
    s08_flood_continuous_c0 = { uptime = 136250 },
    s14_blackhole_mtup1 = { plan = "RRRRRRRRRRRRRL.URRRRRRRRRRRRRRRRRL..URRRR" },
    s14_pmtud_1000 = { plan = "RRRL....URRRRRRRRRRRRRRRRR" },
    s15_all_lost_rto = { plan = "RRRRNNLUNNNNNNRRRRNR" },
    s15_fastrexmit_nosack = { plan = "RRRRRRRRRRRRRRRRRRRNRNNNNNNNRRRNNNNNRRRRRR" },
    s15_fastrexmit_sack = { plan = "RRRLFURRRRRRRRRRRRRNRNNRNNNNNRRRRNNNNNNRRR" },
    s15_fastrexmit_sack_reno = { plan = "RRNNNRRRRRRRRRRRRRRNRRRRRRRRRRRRRRRRRNNRNR" },
    s15_frto = { plan = "RRRRNNLUNNNNNNRRRRRR" },
    s15_no_tlp_rto = { plan = "RRL..UNNRR" },
    s15_reorder_big = { plan = "RNNNNNRRRL.VUNNNL....UNNNNNL.UNRNNNNNNNRRRR" },
    s15_tlp_single_warm = { plan = "RRNNNNNNNRNNNL.UNNNRRR" },
    s15_two_lost_nosack = { plan = "RRRRNL.WRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR" },
    s15_zero_window_answered = { plan = "RRRRRRRRNRRRRRRRNNNRRRRRRR", uptime = 2200 },
}
