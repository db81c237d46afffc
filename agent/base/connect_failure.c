/* Why a connection could not be made. */
#include "agent/base/connect_failure.h"

#include <errno.h>

enum connect_failure connect_failure_of(int number)
{
    switch (number) {
    case ECONNREFUSED:
        return CONNECT_REFUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
        return CONNECT_UNREACHABLE;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return CONNECT_LOCAL_LIMIT;
    default:
        return CONNECT_OTHER;
    }
}

const char *connect_failure_advice(int number)
{
    switch (number) {
    case EADDRNOTAVAIL:
    case EADDRINUSE:
        return " (this machine has no free port left for that address: keep connections alive, or use more "
               "agents)";
    case EMFILE:
    case ENFILE:
        return " (the limit of open files: see `ulimit -n`)";
    default:
        return "";
    }
}
