/* Waits whose time is over, and what is said of them. */
#pragma once
#include "common/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct reply;
struct rooms;
struct wait;
struct worker_set;

/* False if there are more than this settling may do. */
bool rooms_end_timeouts(struct rooms *rooms, uint64_t now_ns);
/* The numbers that belong to a reply to this wait. */
void rooms_fill_progress(const struct rooms *rooms, const struct wait *wait, struct reply *reply);
/* Whom the wait lacks, at most LIMIT_MISSING of them; gives back how many there are. */
uint64_t rooms_find_missing(const struct rooms *rooms, const struct wait *wait, struct worker_set *missing);
