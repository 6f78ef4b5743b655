#include "models/app/discard.h"

int64_t
app_discard(TcpConn *conn, size_t max)
{
    Payload parts[16];
    int64_t total = 0;

    while (max > 0) {
        size_t n_parts = G_N_ELEMENTS(parts);
        int64_t n = tcp_recv(conn, max, 0, parts, &n_parts);

        if (n <= 0)
            return total > 0 ? total : n;
        total += n;
        max -= (size_t)n;
    }
    return total;
}
