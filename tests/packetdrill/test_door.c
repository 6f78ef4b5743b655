/* The plug-in for packetdrill, loaded as packetdrill loads it, plays a few
 * exchanges: time, threads, settings. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/support/drill.h"

static void
time_moves_when_it_is_asked_for_and_when_it_is_slept(void)
{
    Drill drill = drill_open("");
    long long first = drill_now(&drill);

    g_assert_cmpint(drill_now(&drill), >, first);
    CALL(&drill, usleep, 250000);
    g_assert_cmpint(drill_now(&drill), >=, first + 250000);
    g_assert_cmpint(drill_now(&drill), <, first + 250010);
    drill_close(&drill);
}

static void
a_passive_open_data_and_a_close(void)
{
    Drill drill = drill_open("");
    int listener = drill_listen(&drill, 8080);
    Segment out = drill_handshake(&drill, 8080);
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    char bytes[100];

    int fd = CALL(&drill, accept, listener, (struct sockaddr *)&peer, &len);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(ntohs(peer.sin_port), ==, 40000);
    g_assert_cmphex(ntohl(peer.sin_addr.s_addr), ==, REMOTE);

    out.flags = PSH | ACK;
    out.len = 10;
    drill_send(&drill, out);
    drill_expect(&drill, ACK, 0);
    int unread = 0;
    g_assert_cmpint(CALL(&drill, ioctl, fd, FIONREAD, &unread), ==, 0);
    g_assert_cmpint(unread, ==, 10);
    g_assert_cmpint(CALL(&drill, read, fd, bytes, sizeof bytes), ==, 10);
    g_assert_cmpmem(bytes, 10, "xxxxxxxxxx", 10);

    g_assert_cmpint(CALL(&drill, write, fd, "hello", 5), ==, 5);
    Segment data = drill_expect(&drill, PSH | ACK, 5);
    g_assert_cmpuint(data.ack, ==, 1011);
    out.flags = ACK;
    out.len = 0;
    out.seq += 10;
    out.ack = data.seq + 5;
    drill_send(&drill, out);

    g_assert_cmpint(CALL(&drill, close, fd), ==, 0);
    g_assert_cmpint(CALL(&drill, close, fd), ==, -1);
    g_assert_cmpint(errno, ==, EBADF);
    drill_expect(&drill, FIN | ACK, 0);
    drill_close(&drill);
}

static void
a_syn_is_retransmitted_a_second_later(void)
{
    Drill drill = drill_open("");
    struct sockaddr_in remote = drill_address(REMOTE, 8080);
    int fd = CALL(&drill, socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);

    g_assert_cmpint(CALL(&drill, fcntl, fd, F_GETFL), ==, O_RDWR | O_NONBLOCK);
    g_assert_cmpint(CALL(&drill, connect, fd, (struct sockaddr *)&remote, sizeof remote), ==, -1);
    g_assert_cmpint(errno, ==, EINPROGRESS);
    Segment first = drill_expect(&drill, SYN, 0);
    Segment second = drill_expect(&drill, SYN, 0);
    g_assert_cmpint(second.at_us - first.at_us, >=, 1000000);
    g_assert_cmpint(second.at_us - first.at_us, <, 1010000);
    g_assert_cmpuint(second.seq, ==, first.seq);

    Segment out = { .sport = 8080, .dport = first.sport, .flags = RST | ACK };
    out.ack = first.seq + 1;
    drill_send(&drill, out);
    int error = 0;
    socklen_t len = sizeof error;
    g_assert_cmpint(CALL(&drill, getsockopt, fd, SOL_SOCKET, SO_ERROR, &error, &len), ==, 0);
    g_assert_cmpint(error, ==, ECONNREFUSED);
    drill_close(&drill);
}

typedef struct Blocked {
    Drill *drill;
    int fd, result;
    long long returned_at;
    gint has_begun; /* atomic */
} Blocked;

static gpointer
read_in_another_thread(gpointer arg)
{
    Blocked *blocked = arg;
    char bytes[100];

    g_atomic_int_set(&blocked->has_begun, 1);
    blocked->result = (int)CALL(blocked->drill, read, blocked->fd, bytes, sizeof bytes);
    blocked->returned_at = drill_now(blocked->drill);
    return NULL;
}

static void
a_read_blocked_in_another_thread_returns_when_data_come(void)
{
    Drill drill = drill_open("");
    int listener = drill_listen(&drill, 8080);
    Segment out = drill_handshake(&drill, 8080);
    Blocked blocked = { .drill = &drill };

    blocked.fd = CALL(&drill, accept, listener, NULL, NULL);
    GThread *thread = g_thread_new("blocked", read_in_another_thread, &blocked);
    while (!g_atomic_int_get(&blocked.has_begun))
        g_thread_yield();
    g_usleep(20000); /* real time: lets it reach its wait; if it does not, data are there first */
    CALL(&drill, usleep, 500000);
    long long sent_at = drill_now(&drill);
    out.flags = PSH | ACK;
    out.len = 7;
    drill_send(&drill, out);
    CALL(&drill, usleep, 500000);
    g_thread_join(thread);
    g_assert_cmpint(blocked.result, ==, 7);
    g_assert_cmpint(blocked.returned_at, <=, sent_at + 2);
    drill_close(&drill);
}

static void
epoll_and_poll_see_data_once_at_the_edge(void)
{
    Drill drill = drill_open("");
    Segment out;
    int fd = drill_accept(&drill, &out);
    int epoll = CALL(&drill, epoll_create, 1);
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = fd };
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };

    g_assert_cmpint(CALL(&drill, epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event), ==, 0);
    g_assert_cmpint(CALL(&drill, epoll_wait, epoll, &event, 1, 0), ==, 0);
    g_assert_cmpint(CALL(&drill, poll, &pollfd, 1, 0), ==, 0);
    out.flags = PSH | ACK;
    out.len = 7;
    for (unsigned i = 0; i < 2; i++) {
        drill_send(&drill, out);
        g_assert_cmpint(CALL(&drill, epoll_wait, epoll, &event, 1, 0), ==, 1);
        g_assert_cmpint(event.data.fd, ==, fd);
        g_assert_cmpint(CALL(&drill, epoll_wait, epoll, &event, 1, 0), ==, 0);
        g_assert_cmpint(CALL(&drill, poll, &pollfd, 1, 0), ==, 1);
        out.seq += 7;
    }
    drill_close(&drill);
}

static void
sysctls_come_from_files_and_counters_go_there(void)
{
    g_autofree char *folder = g_dir_make_tmp("door-XXXXXX", NULL);
    g_autofree char *flags = g_strdup_printf("sysctls=%s", folder);
    g_autofree char *path = g_build_filename(folder, "net", "ipv4", "tcp_sack", NULL);
    g_autofree char *counters = g_build_filename(folder, "counters", NULL);
    g_autofree char *text = NULL;
    g_autofree char *command = g_strdup_printf("rm -r '%s'", folder);

    Drill drill = drill_open(flags);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "1");
    g_assert_true(g_file_set_contents(path, "0x0\n", -1, NULL));
    drill_listen(&drill, 8080);
    drill_handshake(&drill, 8080);
    g_clear_pointer(&text, g_free);
    g_assert_true(g_file_get_contents(counters, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "TcpPassiveOpens 1\n"));
    drill_close(&drill);
    g_assert_cmpint(system(command), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/packetdrill/" #claim, claim)
    ADD(time_moves_when_it_is_asked_for_and_when_it_is_slept);
    ADD(a_passive_open_data_and_a_close);
    ADD(a_syn_is_retransmitted_a_second_later);
    ADD(a_read_blocked_in_another_thread_returns_when_data_come);
    ADD(epoll_and_poll_see_data_once_at_the_edge);
    ADD(sysctls_come_from_files_and_counters_go_there);
#undef ADD
    return g_test_run();
}
