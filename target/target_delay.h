/* Connections that wait for a while without blocking a thread. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "common/timers.h"

#include <microhttpd.h>

struct delays;

/* Embedded in the waiting request; must not move until the connection is resumed. */
struct delay {
    struct timer timer;
    struct MHD_Connection *connection;
};

/* Starts the thread that resumes them. */
MUST_CHECK struct delays *delays_new(struct error *error);
/* Suspends `connection` for `milliseconds`; then libmicrohttpd calls its handler again. Call only from within
 * that handler. False, and nothing is suspended, after delays_stop. */
MUST_CHECK bool delays_suspend(struct delays *delays, struct delay *delay, struct MHD_Connection *connection,
                               uint64_t milliseconds);
/* Resumes all connections and suspends no more, as the daemon requires before it stops. */
void delays_stop(struct delays *delays);
/* Call after delays_stop and after the daemon has ended. */
void delays_free(struct delays **delays);
