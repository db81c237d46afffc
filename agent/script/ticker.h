/* A signal for each few milliseconds of processor time that the calling thread uses: what interrupts a script
 * wherever it is. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct limits;

/* Once for each thread's first script; counted. */
void ticker_start(void);
void ticker_stop(void);
/* Whether this thread has one: the kernel may refuse it. */
bool ticker_is_running(void);
/* Whom the ticks of this thread interrupt (limits_interrupt, from the signal's handler); NULL: nobody. */
void ticker_aim(struct limits *limits);
/* After a tick that had a target: the next one may come. */
void ticker_go_on(void);
/* Processor time of the calling thread. */
uint64_t ticker_thread_ns(void);
