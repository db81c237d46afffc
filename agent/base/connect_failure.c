/* Why a connection could not be made. */
#include "agent/base/connect_failure.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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

int connect_failure_probe(void)
{
    int fd = open("/", O_PATH | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
        return 0;
    }
    return errno == EMFILE || errno == ENFILE ? errno : 0;
}

const char *connect_failure_advice(int number)
{
    switch (number) {
    case EADDRNOTAVAIL:
    case EADDRINUSE:
        return " (this machine has no free port left for that address: keep connections alive, let workers "
               "come "
               "from several addresses with --source, or use more agents)";
    case EMFILE:
    case ENFILE:
        return " (the limit of open files: see `ulimit -n`, or use more agents)";
    default:
        return "";
    }
}
