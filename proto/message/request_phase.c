/* What the phases of a request are called. */
#include "proto/message/request_phase.h"

#include <assert.h>

const char *request_phase_name(enum request_phase phase)
{
    static const char *const names[] = {
        [REQUEST_BLOCKED] = "blocked",     [REQUEST_LOOKUP] = "lookup",
        [REQUEST_CONNECT] = "connect",     [REQUEST_TLS] = "tls",
        [REQUEST_SENDING] = "sending",     [REQUEST_WAITING] = "waiting",
        [REQUEST_RECEIVING] = "receiving",
    };
    static_assert(sizeof names / sizeof *names == REQUEST_PHASE_COUNT, "each phase has a name");

    return names[phase];
}
