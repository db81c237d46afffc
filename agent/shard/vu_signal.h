/* Tasks of one worker that wait for something that another one of its tasks does. A signal is a number of the
 * caller's; nobody owns it, so nothing has to be freed. */
#pragma once
#include <stdint.h>

struct vu;

/* A number that no other signal of the campaign has. */
uint64_t vu_signal_new(struct vu *vu);
/* The wait that follows (WAIT_SIGNAL) ends with vu_signal_give, or at this instant (0: it has no limit). */
void vu_signal_await(struct vu *vu, uint64_t signal, uint64_t due_ns);
/* Wakes all of the worker that wait for it. */
void vu_signal_give(const struct vu *vu, uint64_t signal);
