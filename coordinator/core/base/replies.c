/* The replies of a turn, and the memory that they refer to. */
#include "coordinator/core/base/replies.h"
#include "common/memory.h"
#include "coordinator/core/base/bitset.h"

#include <string.h>

#define KEPT_BYTES (64u * 1024u)
/* Approximate size of a reply on the wire without its texts and values. */
#define REPLY_BYTES 64u

/* Memory that is allocated from front to back and freed as a whole. */
struct kept {
    struct kept *next;
    size_t used;
    size_t size;
    uint8_t data[];
};

static void replies_free_kept(struct kept *kept)
{
    struct kept *next;
    for (; kept != NULL; kept = next) {
        next = kept->next;
        memory_free(kept);
    }
}

static void release_values(struct replies *replies)
{
    for (size_t i = 0; i < replies->value_count; i++) {
        shared_release(&replies->values[i]);
    }
    replies->value_count = 0;
}

void replies_finish(struct replies *replies)
{
    for (size_t i = 0; i < replies->ready; i++) {
        worker_set_finish(&replies->items[i].workers);
        worker_set_finish(&replies->items[i].missing);
    }
    memory_free(replies->items);
    release_values(replies);
    memory_free(replies->values);
    replies_free_kept(replies->kept);
    *replies = (struct replies){0};
}

void replies_begin(struct replies *replies)
{
    if (!replies->are_told) {
        return;
    }
    replies->are_told = false;
    replies->count = 0;
    replies->bytes = 0;
    release_values(replies);
    if (replies->kept != NULL && replies->kept->next == NULL && replies->kept->size == KEPT_BYTES) {
        replies->kept->used = 0;
    } else {
        replies_free_kept(replies->kept);
        replies->kept = NULL;
    }
}

struct reply *replies_add(struct replies *replies, const struct reply *like)
{
    replies->items =
        memory_reserve(replies->items, &replies->capacity, replies->count + 1, sizeof *replies->items);
    struct reply *reply = &replies->items[replies->count];
    if (replies->count == replies->ready) {
        worker_set_init(&reply->workers);
        worker_set_init(&reply->missing);
        replies->ready++;
    }
    replies->count++;
    replies->bytes += REPLY_BYTES;
    struct worker_set workers = reply->workers;
    struct worker_set missing = reply->missing;
    *reply = *like;
    reply->workers = workers;
    reply->missing = missing;
    worker_set_clear(&reply->workers);
    worker_set_clear(&reply->missing);
    return reply;
}

static void drop_workers(struct worker_set *set, const uint64_t *workers)
{
    struct worker_set kept;
    worker_set_init(&kept);
    struct worker_cursor cursor = {0};
    while (worker_set_next(set, &cursor)) {
        if (!bitset_has(workers, cursor.worker)) {
            worker_set_add(&kept, cursor.worker);
        }
    }
    worker_set_finish(set);
    *set = kept;
}

void replies_drop(struct replies *replies, const uint64_t *workers)
{
    size_t kept = 0;
    for (size_t i = 0; i < replies->count; i++) {
        struct reply reply = replies->items[i];
        drop_workers(&reply.workers, workers);
        replies->items[i] = replies->items[kept]; /* its sets are reused */
        replies->items[kept] = reply;
        kept += reply.workers.run_count > 0 ? 1 : 0;
    }
    replies->count = kept;
}

struct bytes replies_keep(struct replies *replies, struct bytes bytes)
{
    if (bytes.size == 0) {
        return bytes_of(NULL, 0);
    }
    struct kept *kept = replies->kept;
    if (kept == NULL || bytes.size > kept->size - kept->used) {
        size_t size = bytes.size > KEPT_BYTES ? bytes.size : KEPT_BYTES;
        kept = memory_new(1, sizeof(struct kept) + size);
        *kept = (struct kept){.next = replies->kept, .size = size};
        replies->kept = kept;
    }
    uint8_t *copy = kept->data + kept->used;
    memcpy(copy, bytes.data, bytes.size);
    kept->used += bytes.size;
    replies->bytes += bytes.size;
    return bytes_of(copy, bytes.size);
}

struct bytes replies_hold(struct replies *replies, struct shared *value)
{
    size_t count = replies->value_count;
    if (value != NULL && (count == 0 || replies->values[count - 1] != value)) {
        replies->values =
            memory_reserve(replies->values, &replies->value_capacity, count + 1, sizeof(struct shared *));
        replies->values[replies->value_count++] = shared_hold(value);
        replies->bytes += shared_bytes(value).size;
    }
    return shared_bytes(value);
}

void replies_expect(struct replies *replies, size_t bytes)
{
    replies->bytes += bytes;
}
