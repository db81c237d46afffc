/* Waits in words, for the messages that people get to see. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/sync/wait.h"

struct barrier;
struct notifier;
struct room;
struct rooms;
struct worker_set;

/* What a reply, or two waits for the same thing in different rooms, have in common. */
struct wait_target {
    struct bytes name;
    uint64_t step;
    uint32_t nth;
};
struct wait_target wait_target(const struct wait *wait);

#define WAIT_TEXT_NOBODY UINT32_MAX

/* "pad@3", or "rush@3 (call 2)". */
void wait_text_name(struct buffer *text, struct bytes name, uint64_t step, uint32_t nth);
/* "the writer of pad@3", "barrier rush@3", "variable x to be set". */
void wait_text_target(struct buffer *text, const struct wait *wait);
/* How far the thing is: "3 of 4 have read"; nothing for what has no numbers. False if nothing. */
bool wait_text_progress(struct buffer *text, const struct rooms *rooms, const struct wait *wait);
/* "worker 4", "workers 0–3". */
void wait_text_workers(struct buffer *text, const struct worker_set *workers);

/* How many readers a notifier has: as many as were declared, else those that have read and the others that
 * could, or could have. The waiting worker in `seat` (or WAIT_TEXT_NOBODY) is none if it did not read. */
uint64_t wait_text_readers_total(const struct room *room, const struct notifier *notifier, uint32_t seat);
/* How many a barrier wants: as many as were declared, else all that can come or have come. */
uint64_t wait_text_parties(const struct room *room, const struct barrier *barrier);
