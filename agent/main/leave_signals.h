/* SIGTERM and SIGINT of an agent: the first one asks it to leave, a second one to leave without a goodbye. If
 * its threads do not end, the process ends half a second after the second one, or at a third one, with 128
 * plus the number of the signal. One per process. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <uv.h>

struct leave_signals;

/* `on_leave` comes on the loop's thread, once for each of the first two. */
MUST_CHECK struct leave_signals *leave_signals_open(uv_loop_t *loop, bool is_interrupt_ignored,
                                                    void (*on_leave)(void *context), void *context);
/* The memory goes with the loop's close callback. */
void leave_signals_close(struct leave_signals **signals);
