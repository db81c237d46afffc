/* Why those who are past a step did not do their part in it, for messages. */
#pragma once
#include "common/buffer.h"
#include "common/worker_set.h"
#include "coordinator/core/rooms/room.h"

#define CAUSES_GROUPS 4u

/* In the order in which they are told. */
enum cause {
    CAUSE_FAILED, /* ended the step badly: `text` says how */
    CAUSE_LOST,   /* ended for good, not in order: `text` says how */
    CAUSE_PASSED, /* ended the step */
    CAUSE_ENDED,  /* ended in order before it */
};

struct cause_group {
    enum cause cause;
    uint64_t step; /* CAUSE_LOST: that it was in */
    const struct text *text;
    struct worker_set workers;
};

struct causes {
    const struct room *room;
    uint64_t step;
    struct cause_group groups[CAUSES_GROUPS];
    size_t count;
    uint64_t others;
    uint64_t of_cause[CAUSE_ENDED + 1]; /* workers */
};

void causes_init(struct causes *causes, const struct room *room, uint64_t step);
void causes_finish(struct causes *causes);
/* Its worker is past the step. */
void causes_add(struct causes *causes, uint32_t seat);
uint64_t causes_count(const struct causes *causes);
/* "worker 4 ended step 3 without writing (pad.lua:31: assertion failed)"; `doing` is "writing". */
void causes_describe(const struct causes *causes, const char *doing, struct buffer *text);
/* The workers, at most LIMIT_MISSING of them. */
void causes_workers(const struct causes *causes, struct worker_set *workers);
