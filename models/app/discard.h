/* Reading without looking: what native applications do with received bytes. */
#ifndef HALFOPEN_MODELS_APP_DISCARD_H
#define HALFOPEN_MODELS_APP_DISCARD_H

#include "models/tcp/tcp.h"

/* Takes up to max bytes that are there. How many; 0 at EOF; -EAGAIN when
 * nothing is there; or the connection's error. */
int64_t app_discard(TcpConn *conn, size_t max);

#endif
