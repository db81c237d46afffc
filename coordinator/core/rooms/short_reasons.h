/* Why workers that are past a step did not do their part in it, for messages. */
#pragma once
#include "common/buffer.h"
#include "common/worker_set.h"
#include "coordinator/core/rooms/room.h"

#define SHORT_REASONS_GROUPS 4u

/* In the order in which they are listed. */
enum cause {
    CAUSE_FAILED, /* the step failed: `text` is the error */
    CAUSE_LOST,   /* the worker ended, not normally: `text` is the reason */
    CAUSE_PASSED, /* the step ended */
    CAUSE_ENDED,  /* the worker ended normally before it */
};

struct cause_group {
    enum cause cause;
    uint64_t step; /* CAUSE_LOST: the step that it was in */
    const struct pool_string *text;
    struct worker_set workers;
};

struct short_reasons {
    const struct room *room;
    const uint64_t *lost; /* workers whose agent was lost, and that have ended by that: a bitset */
    uint64_t step;
    uint64_t of_loss; /* of those that failed or ended not normally: by the loss of their agent */
    struct cause_group groups[SHORT_REASONS_GROUPS];
    size_t count;
    uint64_t others;
    uint64_t of_cause[CAUSE_ENDED + 1]; /* workers */
};

void short_reasons_init(struct short_reasons *reasons, const struct room *room, uint64_t step,
                        const uint64_t *lost);
void short_reasons_finish(struct short_reasons *reasons);
/* Adds the worker of this seat, which must be past the step. */
void short_reasons_add(struct short_reasons *reasons, uint32_t seat);
uint64_t short_reasons_count(const struct short_reasons *reasons);
/* Whether a loss is the reason, and no failure of a script is another one. */
bool short_reasons_are_of_loss(const struct short_reasons *reasons);
/* "worker 4 ended step 3 without writing (pad.lua:31: assertion failed)"; `doing` is "writing". */
void short_reasons_describe(const struct short_reasons *reasons, const char *doing, struct buffer *text);
/* The workers, at most LIMIT_MISSING of them. */
void short_reasons_workers(const struct short_reasons *reasons, struct worker_set *workers);
