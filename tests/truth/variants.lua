-- One line a recording: the family that replays it and its parameters. An
-- unseen variant is one more line.
--   ignore: what the README of the recordings leaves to buffer accounting or
--           to the machine that recorded (with the reason beside it)
--   writer_waits: the sender fills its buffer, and its thread is part of the search (fit.lua)
--   known:  a difference that is understood, with its reason
--   out_of_scope: a reason

local steps = require "steps"

local all = {}

local function family(name)
    return function(list)
        for recording, row in pairs(list) do
            row.name, row.family, row.timed = recording, name, true
            row.threads = name == "s14" or name == "s15"
            all[#all + 1] = row
        end
    end
end

family "s01" { s01_plain = {} }

family "s02" {
    s02_syn_all_lost = {},
    s02_syn_all_lost_linear0 = { set = { linear = 0 } },
    s02_syn_retries2 = { set = { retries = 2 } },
    s02_syn_syncnt3_linear0 = { set = { syncnt = 3, linear = 0 } },
    s02_syn_user_timeout = { set = { user_timeout = 2500 } },
    s02_syn_lost1_ts1 = { set = { lost = 1, transfer = true } },
    s02_syn_lost2_ts1 = { set = { lost = 2, transfer = true } },
    s02_syn_lost1_ts0 = { set = { lost = 1, timestamps = 0, transfer = true } },
    s02_syn_lost2_ts0 = { set = { lost = 2, timestamps = 0, transfer = true } },
}

family "s03" {
    s03_synack_all_lost_raw = {},
    s03_synack_retries2_raw = { set = { retries = 2, wait = "9s" } },
    s03_synack_all_lost_real = { set = { kind = "all_lost" } },
    s03_synack_lost1 = { set = { kind = "lost1" } },
}

family "s04" {
    s04_third_ack_lost_client_data = {},
    s04_third_ack_lost_server_first = { set = { kind = "server_first" } },
    s04_third_ack_and_data_lost = { set = { kind = "and_data_lost", lost = 2 } },
    s04_third_ack_lost_client_closes = { set = { kind = "client_closes" } },
    s04_third_ack_lost_always_idle = { set = { kind = "always_idle" } },
}

family "s08" {
    s08_flood_b1_c0 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 1, cookies = 0 } },
    s08_flood_b1_c1 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 1, cookies = 1 } },
    s08_flood_b1_c2 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 1, cookies = 2 } },
    s08_flood_b4_c0 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 4, cookies = 0 } },
    s08_flood_b4_c1 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 4, cookies = 1 } },
    s08_flood_b4_c2 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 4, cookies = 2 } },
    s08_flood_b128_c0 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 128, cookies = 0 } },
    s08_flood_b128_c1 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 128, cookies = 1 } },
    s08_flood_b128_c2 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 128, cookies = 2 } },
    s08_flood_maxsyn16_c0 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 128, cookies = 0, max_syn = 16 } },
    s08_flood_maxsyn16_c1 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 128, cookies = 1, max_syn = 16 } },
    s08_flood_somax8_c0 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 1000, cookies = 0, somaxconn = 8 } },
    s08_flood_somax8_c1 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 1000, cookies = 1, somaxconn = 8 } },
    s08_flood_somax8_listen0_c0 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 0, cookies = 0 } },
    s08_flood_maxsyn512_c0 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 512, cookies = 0, max_syn = 512, n = 600 } },
    s08_flood_nots_c2 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 4, cookies = 2, timestamps = false } },
    s08_flood_lifetime_c0 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 4, cookies = 0, n = 40, life = "70s", legit = false } },
    s08_flood_lifetime_b128_c0 = { gap = true, anonymous = "^10%.77%.", set = { backlog = 128, cookies = 0, n = 100, life = "70s", legit = false } },
    s08_flood_lifetime_b128_c1_overflow = { gap = true, anonymous = "^10%.77%.", set = { backlog = 128, cookies = 1, n = 300, life = "70s", legit = false } },
    s08_flood_continuous_c0 = {
        gap = true, anonymous = "^10%.77%.", set = { kind = "continuous", backlog = 16, cookies = 0 } },
    s08_flood_continuous_c1 = { gap = true, anonymous = "^10%.77%.", set = { kind = "continuous", backlog = 16, cookies = 1 } },
    s08_flood_b4_c0_long = { gap = true, anonymous = "^10%.77%.", set = { kind = "long", backlog = 4, cookies = 0 } },
}

family "s08_cookie" {
    s08_cookie_bad_ack = { extra = steps.cookie },
}

family "s09" {
    s09_seq_b0 = { set = { backlog = 0, clients = 4 } },
    s09_seq_b1 = { set = { backlog = 1, clients = 5 } },
    s09_seq_b2 = { set = { backlog = 2, clients = 6 } },
    s09_sim_b1 = { anonymous = "^10%.0%.0%.1:410", set = { backlog = 1, clients = 6, together = true } },
    s09_sim_b2 = { anonymous = "^10%.0%.0%.1:410", set = { backlog = 2, clients = 6, together = true } },
    s09_sim_b2_abort = { anonymous = "^10%.0%.0%.1:410", set = { backlog = 2, clients = 6, together = true, abort = 1 } },
    s09_seq_b2_abort = { set = { backlog = 2, clients = 6, abort = 1 } },
    s09_sim_b2_never = { anonymous = "^10%.0%.0%.1:410", set = { together = true, life = "72s", accept_at = "80s" } },
    s09_sim_b2_never_idle = { anonymous = "^10%.0%.0%.1:410", set = { together = true, life = "72s", accept_at = "80s", sends = false } },
    s09_sim_b2_syncookies0 = { anonymous = "^10%.0%.0%.1:410", set = { together = true, cookies = 0 } },
    s09_listener_close = { set = { kind = "listener_close" } },
    s09_third_ack_idle_never = { anonymous = "^10%.0%.0%.1:410", set = { kind = "third_ack", sends = false, accepts = false, life = "75s" } },
    s09_third_ack_data_never = { anonymous = "^10%.0%.0%.1:410", set = { kind = "third_ack", accepts = false, life = "75s" } },
    s09_third_ack_idle_accept4 = { anonymous = "^10%.0%.0%.1:410", set = { kind = "third_ack", sends = false, life = "12s" } },
    s09_third_ack_data_accept4 = { anonymous = "^10%.0%.0%.1:410", set = { kind = "third_ack", life = "12s" } },
    s09_third_ack_abort = { anonymous = "^10%.0%.0%.1:410", set = { kind = "third_ack", abort = 1, life = "8s" } },
}

family "s05" {
    s05_old_syn_listen = {},
    s05_old_syn_before_new = { set = { kind = "beside", delays_new = "60ms" } },
    s05_old_syn_before_new_close = { set = { kind = "beside", settle = "1.6s" } },
    s05_old_syn_before_new_inwindow = { set = { kind = "beside", behind = 1000, settle = "1.6s" } },
    s05_old_syn_after_new = { set = { kind = "beside", arrives = "15ms" } },
}

family "s05_raw" {
    s05_synrecv_raw_ts = { steps = true, extra = steps.synrecv },
    s05_synrecv_raw_nots = { set = { ts = false }, steps = true, extra = steps.synrecv },
    s05_established = { set = { kind = "established" }, steps = true, extra = steps.established },
    s05_challenge_ratelimit = { set = { kind = "ratelimit" } },
    s05_timewait_ts = { set = { kind = "timewait" }, steps = true, extra = steps.timewait },
    s05_timewait_nots = { set = { kind = "timewait", ts = false }, steps = true, extra = steps.timewait },
    s10_rfc1337 = { set = { kind = "timewait", rfc1337 = 1 }, steps = true, extra = steps.timewait },
}

family "s06" {
    s06_synsent = { steps = true, extra = steps.synsent },
    s06_synsent_rst = { set = { resets = true } },
}

family "s07" {
    s07_last_ack_lost_forever = {},
    s07_final_ack_lost_once = { set = { kind = "lost_once" }, extra = steps.time_wait_left },
    s07_tw_timer_restart = { set = { kind = "tw_restart" }, extra = steps.time_wait_left },
    s07_fin_gets_rst = { set = { kind = "fin_gets_rst" } },
    s07_syn_at_last_ack = { set = { kind = "syn_at_last_ack" } },
    s07_last_ack_raw = { set = { kind = "last_ack_raw" }, steps = true, extra = steps.last_ack },
}

family "s10" {
    s10_reuse0_ts0 = { set = { reuse = 0, timestamps = 0 }, extra = steps.reuse },
    s10_reuse0_ts1 = { set = { reuse = 0, timestamps = 1 }, extra = steps.reuse },
    s10_reuse1_ts0 = { set = { reuse = 1, timestamps = 0 }, extra = steps.reuse },
    s10_reuse1_ts1 = { set = { reuse = 1, timestamps = 1 }, extra = steps.reuse },
    s10_reuse2_ts0 = { set = { reuse = 2, timestamps = 0 }, extra = steps.reuse },
    s10_reuse2_ts1 = { set = { reuse = 2, timestamps = 1 }, extra = steps.reuse },
    s10_reuse1_server_still_tw = { set = { kind = "server_still_tw" } },
    s10_ports_exhausted = { set = { kind = "exhausted" } },
    s10_port_choice = { set = { kind = "choice" }, extra = steps.port_choice },
    s10_tw_buckets = { set = { kind = "buckets" }, extra = steps.buckets },
    s10_server_tw_rebind = { set = { kind = "server_rebind" } },
    s10_bind_tw_immediate = { set = { kind = "bind_immediate" } },
}

family "s11" {
    s11_linger0 = {},
    s11_linger0_blocked_reader = { set = { kind = "linger0_blocked_reader" } },
    s11_close_unread = { set = { kind = "close_unread" } },
    s11_data_after_close = { set = { kind = "data_after_close" } },
    s11_linger2_ok = { set = { kind = "linger2_ok" } },
    s11_linger2_blackout = { set = { kind = "linger2_blackout" } },
    s11_pending_rst_vs_data = { set = { kind = "pending_rst" } },
}

family "s12" {
    s12_ka_alive = {},
    s12_ka_unreachable = { set = { kind = "unreachable" } },
    s12_ka_rebooted = { set = { kind = "rebooted" } },
    s12_ka_unacked_data = { set = { kind = "unacked_data" } },
    s12_ka_user_timeout = { set = { kind = "user_timeout", count = 10, user_timeout = 4500 } },
    s12_ka_icmp = { set = { kind = "icmp" } },
}

family "s13" {
    s13_finwait2_orphan = {},
    s13_finwait2_shutdown_only = { set = { kind = "shutdown_only" } },
    s13_finwait2_fin_late = { set = { kind = "fin_late" } },
    s13_finwait2_data = { set = { kind = "finwait2_data" } },
    s13_fin_timeout_5 = { set = { kind = "fin_timeout", fin_timeout = 5 } },
    s13_fin_timeout_5_timewait = { set = { kind = "fin_timeout_timewait", fin_timeout = 5 } },
    s13_fin_lost_orphan = { set = { kind = "fin_lost_orphan" } },
    s13_half_close = { set = { kind = "half_close" } },
    s13_shut_rd = { set = { kind = "shut_rd" } },
    s13_simul_close = { set = { kind = "simul_close" } },
    s13_simul_close_acklost = { set = { kind = "simul_close_acklost" } },
    s13_simul_open = { set = { kind = "simul_open" } },
    s13_simul_open_stagger = { set = { kind = "simul_open", stagger = 6 } },
    s13_self_connect = { set = { kind = "self_connect" } },
}

local writer = "the writer waits for room in the send buffer; when his thread went on decides where his bursts end. That is likely, not shown: the search over reader and writer was short, or stopped before its end"

family "s14" {
    s14_pmtud_1000 = { set = { mid = 1000, second = true }, extra = steps.bulk },
    s14_pmtud_576 = { set = { mid = 576, bytes = 8000 }, extra = steps.bulk },
    s14_pmtud_300 = { set = { mid = 300, bytes = 4000, wait = "4s" }, extra = steps.bulk },
    s14_blackhole_mtup0 = { set = { mid = 1000, icmp = false, probing = 0, wait = "30s" }, extra = steps.bulk },
    s14_blackhole_mtup1 = { set = { mid = 1000, icmp = false, probing = 1, wait = "100s" }, extra = steps.bulk },
    s14_blackhole_mtup1_1200 = { set = { mid = 1200, icmp = false, probing = 1, wait = "60s" }, extra = steps.bulk },
    s14_mtup2 = { writer_waits = true, known = writer, set = { probing = 2, bytes = 300000, wait = "10s" }, extra = steps.bulk },
    s14_mss_small_server = { set = { mtu_b = 600, bytes = 5000 }, extra = steps.bulk },
    s14_mss_maxseg = { set = { maxseg = 536, bytes = 5000 }, extra = steps.bulk },
    s14_tcp_dontdf_ok = { set = { mid = 576, df = false }, extra = steps.bulk },
    s14_tcp_dontdf_fraglost = { set = { mid = 576, df = false, fragment_lost = true }, extra = steps.bulk },
    s14_forged_icmp = { set = { kind = "forged_icmp" } },
}

family "s14_udp" {
    s14_udp4000_ok = { set = { wait = "1s" } },
    s14_udp4000_lost_mid = { set = { lost = 1 } },
    s14_udp4000_lost_first = { set = { lost = 0 } },
    s14_udp4000_lost_last = { set = { lost = 2 } },
    s14_udp1400_router_frag = { set = { bytes = 1400, mid = 576, wait = "1s" } },
    s14_udp_df = { set = { kind = "df", mid = 1000 } },
}

family "s15" {
    s15_fastrexmit_sack = { set = { lost = "5" } },
    s15_fastrexmit_nosack = { set = { lost = "5", sack = 0 } },
    s15_fastrexmit_sack_reno = { set = { lost = "5", cc = "reno" } },
    s15_fastrexmit_nosack_reno = { set = { lost = "5", cc = "reno", sack = 0 } },
    s15_two_lost_sack = { set = { lost = "12 15" } },
    s15_two_lost_nosack = { set = { lost = "12 15", sack = 0 } },
    s15_tlp_last = { set = { lost = "10", total = 14480 } },
    s15_tlp_last3 = { set = { lost = "8-10", total = 14480 } },
    s15_tlp_single = { set = { lost = "1", total = 100 } },
    s15_tlp_single_warm = { set = { lost = "1", total = 100, prime = 30000 } },
    s15_no_tlp_rto = { set = { lost = "10", total = 14480, early_retrans = 0 } },
    s15_all_lost_rto = { set = { lost = "1-10", total = 28960 } },
    s15_all_lost_rto_nosack = { set = { lost = "1-10", total = 28960, sack = 0 } },
    s15_all_lost_notlp = { set = { lost = "1-10", total = 28960, early_retrans = 0 } },
    s15_rexmit_lost = { set = { kind = "rexmit_lost" } },
    s15_reorder_small = { set = { late = "5", late_by = "3ms" } },
    s15_reorder_big = { set = { late = "5", late_by = "20ms" } },
    s15_reorder_twice = { set = { late = "5 35", late_by = "3ms", total = 100000 } },
    s15_frto = { set = { late = "1-10", late_by = "590ms", total = 28960 } },
    s15_frto_notlp = { set = { late = "1-11", late_by = "590ms", total = 28960, early_retrans = 0 } },
    s15_frto_path = { set = { kind = "frto_path", early_retrans = 0 } },
    s15_frto_path_nots = { set = { kind = "frto_path", early_retrans = 0, timestamps = 0, prime = 3000 } },
    s15_lost_few_dupacks = { set = { lost = "9", total = 14480 } },
    s15_tlp_then_data = { set = { kind = "tlp_then_data" } },
    s15_retries2_default = { set = { kind = "blackout" } },
    s15_retries2_5 = { set = { kind = "blackout", retries2 = 5 } },
    s15_user_timeout = { set = { kind = "blackout", user_timeout = 3000 } },
    s15_zero_window_answered = { set = { kind = "zero_window_answered" } },
    s15_zero_window_silent = { set = { kind = "zero_window_silent", retries2 = 6 } },
    s15_zero_window_app_closed = { set = { kind = "zero_window_app_closed" } },
    s15_window_update = { set = { kind = "window_update" } },
    s15_delack_small_oneway = { set = { kind = "delack_small_oneway" } },
    s15_delack_noread = { set = { kind = "delack_noread" } },
    s15_delack_pingpong = { set = { kind = "delack_pingpong" } },
    s15_delack_bulk = { writer_waits = true, known = writer, set = { kind = "delack_bulk", total = 400000 } },
    s15_delack_bulk_fixedbuf = { writer_waits = true, known = writer, set = { kind = "delack_bulk", total = 600000, rcvbuf = 65536 } },
    s15_quickack_off = { set = { kind = "quickack_off" } },
    s15_nagle_on = { set = { kind = "nagle" } },
    s15_nagle_off = { set = { kind = "nagle", nodelay = true } },
    s15_bulk_cubic = { writer_waits = true, known = writer, set = { kind = "bulk_cubic" } },
    s15_idle_restart = { writer_waits = true, known = writer, set = { kind = "idle_restart" } },
    s15_urg = { set = { kind = "urg" } },
}

family "s16" {
    s16_closed_port = {},
    s16_no_route = { set = { kind = "no_route" } },
    s16_icmp_net_unreach = { set = { kind = "icmp", code = 0 } },
    s16_icmp_host_unreach = { set = { kind = "icmp", code = 1 } },
    s16_icmp_proto_unreach = { set = { kind = "icmp", code = 2 } },
    s16_icmp_port_unreach = { set = { kind = "icmp", code = 3 } },
    s16_icmp_admin = { set = { kind = "icmp", code = 13 } },
    s16_icmp_ttl = { set = { kind = "icmp", type = 11, code = 0 } },
    s16_icmp_est_host_unreach = { set = { kind = "icmp", code = 1, established = true } },
    s16_icmp_est_port_unreach = { set = { kind = "icmp", code = 3, established = true } },
    s16_stray = { set = { kind = "stray" }, extra = steps.stray },
}

table.sort(all, function(a, b) return a.name < b.name end)
return all
