/* Batches that wait for one output, in a lane for each campaign. */
#include "coordinator/live/output_queue.h"

#include "common/memory.h"

struct output_lane {
    struct output_lane *next;
    uint64_t campaign;
    struct output_batch *first;
    struct output_batch *last;
    size_t count;
    size_t bytes;
    uint64_t retry_ns; /* not before then */
};

void output_batch_free(struct output_batch **batch)
{
    if (*batch != NULL) {
        memory_free((*batch)->data);
        memory_free(*batch);
        *batch = NULL;
    }
}

static struct output_lane *queue_find_lane(const struct output_queue *queue, uint64_t campaign)
{
    struct output_lane *lane = queue->lanes;
    while (lane != NULL && lane->campaign != campaign) {
        lane = lane->next;
    }
    return lane;
}

static void queue_append_lane(struct output_queue *queue, struct output_lane *lane)
{
    struct output_lane **at = &queue->lanes;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    lane->next = NULL;
    *at = lane;
}

static void queue_unlink_lane(struct output_queue *queue, const struct output_lane *lane)
{
    struct output_lane **at = &queue->lanes;
    while (*at != lane) {
        at = &(*at)->next;
    }
    *at = lane->next;
}

static struct output_lane *queue_need_lane(struct output_queue *queue, uint64_t campaign)
{
    struct output_lane *lane = queue_find_lane(queue, campaign);
    if (lane == NULL) {
        lane = MEMORY_NEW(struct output_lane);
        lane->campaign = campaign;
        queue_append_lane(queue, lane);
    }
    return lane;
}

/* The lane goes with its last batch. */
static struct output_batch *queue_take_first(struct output_queue *queue, struct output_lane *lane)
{
    struct output_batch *batch = lane->first;
    lane->first = batch->next;
    lane->count--;
    lane->bytes -= batch->size;
    queue->bytes -= batch->size;
    batch->next = NULL;
    if (lane->first == NULL) {
        queue_unlink_lane(queue, lane);
        memory_free(lane);
    }
    return batch;
}

static struct output_lane *queue_find_largest(const struct output_queue *queue)
{
    struct output_lane *largest = queue->lanes;
    for (struct output_lane *lane = queue->lanes; lane != NULL; lane = lane->next) {
        largest = lane->bytes > largest->bytes ? lane : largest;
    }
    return largest;
}

struct output_batch *output_queue_overflow(struct output_queue *queue, uint64_t campaign, size_t size)
{
    struct output_lane *lane = queue_find_lane(queue, campaign);
    if (lane != NULL && lane->count >= OUTPUT_QUEUE_BATCHES) {
        return queue_take_first(queue, lane);
    }
    if (queue->lanes != NULL && queue->bytes + size > OUTPUT_QUEUE_BYTES) {
        return queue_take_first(queue, queue_find_largest(queue));
    }
    return NULL;
}

void output_queue_put(struct output_queue *queue, struct output_batch **at)
{
    struct output_batch *batch = *at;
    struct output_lane *lane = queue_need_lane(queue, batch->campaign);
    *at = NULL;
    batch->next = NULL;
    if (lane->first == NULL) {
        lane->first = batch;
    } else {
        lane->last->next = batch;
    }
    lane->last = batch;
    lane->count++;
    lane->bytes += batch->size;
    queue->bytes += batch->size;
}

struct output_batch *output_queue_take(struct output_queue *queue, uint64_t now_ns, uint64_t *due_ns)
{
    *due_ns = OUTPUT_NEVER;
    for (struct output_lane *lane = queue->lanes; lane != NULL; lane = lane->next) {
        if (lane->retry_ns <= now_ns) {
            queue_unlink_lane(queue, lane);
            queue_append_lane(queue, lane);
            return queue_take_first(queue, lane);
        }
        *due_ns = lane->retry_ns < *due_ns ? lane->retry_ns : *due_ns;
    }
    return NULL;
}

void output_queue_return(struct output_queue *queue, struct output_batch **at, uint64_t retry_ns)
{
    struct output_batch *batch = *at;
    struct output_lane *lane = queue_need_lane(queue, batch->campaign);
    *at = NULL;
    batch->next = lane->first;
    lane->first = batch;
    lane->last = lane->last != NULL ? lane->last : batch;
    lane->count++;
    lane->bytes += batch->size;
    lane->retry_ns = retry_ns;
    queue->bytes += batch->size;
}

size_t output_queue_count(const struct output_queue *queue, uint64_t campaign)
{
    const struct output_lane *lane = queue_find_lane(queue, campaign);
    return lane != NULL ? lane->count : 0;
}

bool output_queue_has_others(const struct output_queue *queue, uint64_t campaign)
{
    const struct output_lane *lane = queue->lanes;
    while (lane != NULL && lane->campaign == campaign) {
        lane = lane->next;
    }
    return lane != NULL;
}

void output_queue_drop(struct output_queue *queue, uint64_t campaign)
{
    for (size_t count = output_queue_count(queue, campaign); count > 0; count--) {
        struct output_batch *batch = queue_take_first(queue, queue_find_lane(queue, campaign));
        output_batch_free(&batch);
    }
}

void output_queue_finish(struct output_queue *queue)
{
    while (queue->lanes != NULL) {
        output_queue_drop(queue, queue->lanes->campaign);
    }
}
