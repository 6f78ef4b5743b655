/* What must hold of TCP whenever it is at rest, between two events: the counts
 * of recovery agree with the send queue, a timer runs for whatever waits,
 * memory is accounted to the byte, the lists and tables agree with each other.
 * For the long random tests, and for any test that wants to be sure.
 */
#ifndef HALFOPEN_TESTS_SUPPORT_TCP_CHECK_H
#define HALFOPEN_TESTS_SUPPORT_TCP_CHECK_H

#include "models/tcp/tcp_internal.h"

/* What is wrong (g_free), or NULL. */
char *tcp_check_conn(const TcpConn *conn);
char *tcp_check_host(const Host *host); /* all of its connections, and its tables */

/* Every socket has been closed and all time has passed: nothing may be left. */
char *tcp_check_nothing_left(const Host *host);
char *tcp_check_pools_are_empty(const Net *net); /* of all hosts, and that of packets */

#endif
