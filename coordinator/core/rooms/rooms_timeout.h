/* Waits that have timed out, and their messages. */
#pragma once
#include "common/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct reply;
struct rooms;
struct wait;
struct worker_set;

/* False if there are more than one settling may handle. */
bool rooms_end_timeouts(struct rooms *rooms, uint64_t now_ns);
/* Fills in the numbers of a reply to this wait. */
void rooms_fill_progress(const struct rooms *rooms, const struct wait *wait, struct reply *reply);
/* The workers that the wait lacks, at most LIMIT_MISSING of them; returns how many there are in total. */
uint64_t rooms_find_missing(const struct rooms *rooms, const struct wait *wait, struct worker_set *missing);
