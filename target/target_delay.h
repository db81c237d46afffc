/* Connections that wait for a while without holding up a thread. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "common/timers.h"

#include <microhttpd.h>

struct delays;

/* Embedded in the request that waits; must stay where it is until the connection goes on. */
struct delay {
    struct timer timer;
    struct MHD_Connection *connection;
};

/* Starts the thread that wakes them. */
MUST_CHECK struct delays *delays_new(struct error *error);
/* Suspends `connection` until `milliseconds` have passed: then libmicrohttpd calls its handler again. Only
 * from within that handler. False, and nothing suspended, once delays_stop was called. */
MUST_CHECK bool delays_suspend(struct delays *delays, struct delay *delay, struct MHD_Connection *connection,
                               uint64_t milliseconds);
/* Lets all go on now and suspends no more, as the daemon wants it before it stops. */
void delays_stop(struct delays *delays);
/* After delays_stop and after the daemon has ended. */
void delays_free(struct delays **delays);
