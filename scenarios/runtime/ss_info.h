/* The second line of `ss -ti`: TCP_INFO in the words and order of iproute2. */
#ifndef HALFOPEN_RUNTIME_SS_INFO_H
#define HALFOPEN_RUNTIME_SS_INFO_H

#include <glib.h>

#include "models/tcp/tcp.h"

void ss_append_info(GString *text, const TcpConn *conn); /* a line, with its end */

#endif
