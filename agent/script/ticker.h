/* A signal for every few milliseconds of processor time that the calling thread uses: it interrupts a script
 * wherever it is. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct limits;

/* Call once per script of the thread; it counts references. */
void ticker_start(void);
void ticker_stop(void);
/* Whether this thread has one: the kernel may refuse it. */
bool ticker_is_running(void);
/* The limits that ticks of this thread interrupt (limits_interrupt, called in the signal handler); NULL:
 * none. */
void ticker_aim(struct limits *limits);
/* Call after a tick that had a target, to arm the next one. */
void ticker_go_on(void);
/* Processor time of the calling thread. */
uint64_t ticker_thread_ns(void);
