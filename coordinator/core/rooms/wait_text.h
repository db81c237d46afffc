/* Waits in words, for messages to users. */
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
/* The progress of what is waited for: "3 of 4 have read". False, and nothing, for a wait without numbers. */
bool wait_text_progress(struct buffer *text, const struct rooms *rooms, const struct wait *wait);
/* "worker 4", "workers 0–3". */
void wait_text_workers(struct buffer *text, const struct worker_set *workers);

/* The number of readers of a notifier: the declared number, else those that have read plus those that still
 * can, or could have. The waiting worker in `seat` (or WAIT_TEXT_NOBODY) does not count if it did not
 * read. */
uint64_t wait_text_readers_total(const struct room *room, const struct notifier *notifier, uint32_t seat);
/* The number of parties of a barrier: the declared number, else all workers that can arrive or have
 * arrived. */
uint64_t wait_text_parties(const struct room *room, const struct barrier *barrier);
