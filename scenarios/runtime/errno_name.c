#include <errno.h>
#include <glib.h>

#include "scenarios/runtime/bind.h"
#include "scenarios/runtime/process.h"

static const struct {
    int number;
    const char *name;
} names[] = {
#define E(name)                                                                                    \
    {                                                                                              \
        name, #name                                                                                \
    }
    E(EPERM),        E(EINTR),           E(EIO),          E(EBADF),
    E(EAGAIN),       E(ENOMEM),          E(EACCES),       E(EFAULT),
    E(EBUSY),        E(EINVAL),          E(EPIPE),        E(EDESTADDRREQ),
    E(EMSGSIZE),     E(ENOPROTOOPT),     E(EPROTO),       E(EOPNOTSUPP),
    E(EADDRINUSE),   E(EADDRNOTAVAIL),   E(ENETDOWN),     E(ENETUNREACH),
    E(ENETRESET),    E(ECONNABORTED),    E(ECONNRESET),   E(ENOBUFS),
    E(EISCONN),      E(ENOTCONN),        E(ESHUTDOWN),    E(ETIMEDOUT),
    E(ECONNREFUSED), E(EHOSTDOWN),       E(EHOSTUNREACH), E(EALREADY),
    E(EINPROGRESS),  E(ENOENT),          E(ENONET),       E(ERANGE),
    E(EDOM),         E(EPROTONOSUPPORT), E(ENFILE),       E(EMFILE),
    E(ENOTSOCK),     E(ENODEV),          E(ENOPROTOOPT),
#undef E
};

const char *
errno_name(int positive_errno)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i].number == positive_errno)
            return names[i].name;
    return "EUNKNOWN";
}

int
push_failure(lua_State *L, int negative_errno)
{
    return process_push_failure(L, errno_name(-negative_errno));
}
