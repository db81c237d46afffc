/* Batches that wait for one output, in a lane for each campaign. Lanes take turns, and one whose batch has to
 * be sent again waits by itself, so a campaign whose points are not taken holds up no other. Knows no thread
 * and no clock. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Batches of one campaign that may wait, one a second, and the bytes of all: with more, the oldest is lost,
 * of the campaign itself, or of the one that has the most bytes. */
#define OUTPUT_QUEUE_BATCHES 60u
#define OUTPUT_QUEUE_BYTES ((size_t)16 * 1024 * 1024)
#define OUTPUT_NEVER UINT64_MAX

struct output_batch {
    struct output_batch *next;
    uint64_t campaign;
    uint8_t *data; /* of memory_new or buffer_take */
    size_t size;
};
/* NULLs the pointer; NULL is tolerated. */
void output_batch_free(struct output_batch **batch);

struct output_lane;

/* Zeroed, it is empty. */
struct output_queue {
    struct output_lane *lanes; /* each has a batch; the one that was served longest ago is the first */
    size_t bytes;
};
void output_queue_finish(struct output_queue *queue);

/* What has to be lost before a batch of this size finds a place; NULL: it does. The caller owns it. */
MUST_CHECK struct output_batch *output_queue_overflow(struct output_queue *queue, uint64_t campaign,
                                                      size_t size);
/* Takes the batch. */
void output_queue_put(struct output_queue *queue, struct output_batch **batch);
/* A batch to be sent, which the caller owns; NULL: there is none before `due_ns`, or at all: OUTPUT_NEVER. */
MUST_CHECK struct output_batch *output_queue_take(struct output_queue *queue, uint64_t now_ns,
                                                  uint64_t *due_ns);
/* Takes back what was taken and has not arrived: before all others of its campaign, and not before then. */
void output_queue_return(struct output_queue *queue, struct output_batch **batch, uint64_t retry_ns);
/* Of a campaign. */
size_t output_queue_count(const struct output_queue *queue, uint64_t campaign);
/* Whether any of another campaign waits. */
bool output_queue_has_others(const struct output_queue *queue, uint64_t campaign);
void output_queue_drop(struct output_queue *queue, uint64_t campaign);
