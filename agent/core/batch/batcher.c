/* What an agent's workers did, gathered into few operations. */
#include "agent/core/batch/batcher.h"
#include "agent/core/batch/command.h"
#include "agent/core/batch/instants.h"
#include "common/buffer.h"
#include "common/map.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* An entry takes no more workers beyond so many runs, so that it fits a batch. */
#define ENTRY_RUNS 8192u
/* At most what a run, and all fields of an operation together without its bytes, take on the wire. */
#define RUN_BYTES 15u
#define INSTANT_BYTES 5u
#define FIELDS_BYTES 160u
#define KEY_MAX_BYTES 16384u
#define LOOKED_THROUGH 4u

/* Entries stand in the order in which they were made; entry `position` (counted from the first one ever) is
 * at items[position - first]. A worker may join an entry only if it has done nothing in a later one. */
struct entry {
    struct operation *operation; /* its own workers are not looked at */
    struct worker_set workers;
    struct instants instants;
};

struct batcher {
    struct entry *items;
    size_t head; /* items before it have been dropped */
    size_t count;
    size_t capacity;
    uint64_t first;
    struct map *open;    /* key → position + 1 of the newest entry of that key */
    uint64_t *last;      /* by worker: position + 1 of its last entry */
    uint32_t last_count; /* workers that there are */
    struct operation *batch;
    size_t batch_count;
    size_t batch_capacity;
    struct buffer key;
    bool is_urgent; /* since it was empty, an operation came in that is never shared */
};

struct batcher *batcher_new(uint32_t workers)
{
    struct batcher *batcher = MEMORY_NEW(struct batcher);
    batcher->open = map_new();
    batcher->last = memory_new(workers, sizeof *batcher->last);
    batcher->last_count = workers;
    buffer_init(&batcher->key, KEY_MAX_BYTES);
    return batcher;
}

void batcher_extend(struct batcher *batcher, uint32_t workers)
{
    if (workers <= batcher->last_count) {
        return;
    }
    uint64_t *last = memory_new(workers, sizeof *last);
    memcpy(last, batcher->last, batcher->last_count * sizeof *last);
    memory_free(batcher->last);
    batcher->last = last;
    batcher->last_count = workers;
}

static void finish_entry(struct entry *entry)
{
    operation_free(&entry->operation);
    worker_set_finish(&entry->workers);
    instants_finish(&entry->instants);
}

void batcher_free(struct batcher **batcher)
{
    struct batcher *self = *batcher;
    if (self == NULL) {
        return;
    }
    for (size_t i = self->head; i < self->count; i++) {
        finish_entry(&self->items[i]);
    }
    memory_free(self->items);
    map_free(&self->open);
    memory_free(self->last);
    memory_free(self->batch);
    buffer_finish(&self->key);
    memory_free(self);
    *batcher = NULL;
}

size_t batcher_count(const struct batcher *batcher)
{
    return batcher->count - batcher->head;
}

static void append_number(struct buffer *key, uint64_t number)
{
    buffer_append(key, &number, sizeof number);
}

static void append_bytes(struct buffer *key, struct bytes bytes)
{
    append_number(key, bytes.size);
    buffer_append(key, bytes.data, bytes.size);
}

/* All but the workers and the instants. Empty if it may not be shared. */
static struct bytes batcher_key_of(struct batcher *batcher, const struct operation *operation)
{
    struct buffer *key = &batcher->key;
    buffer_clear(key);
    if (!operation_is_aggregated(operation->kind)) {
        return bytes_of(NULL, 0);
    }
    append_number(key, (uint64_t)operation->kind * 64 + operation->on_timeout * 16u +
                           operation->is_aside * 8u + instants_are_with(operation) * 4u +
                           operation->is_strict * 2u + operation->is_at_once);
    append_number(key, (uint64_t)operation->room << 32 | operation->nth);
    append_number(key, operation->step);
    append_number(key, (uint64_t)operation->count << 32 | operation->call);
    append_number(key, operation->timeout_ms);
    append_bytes(key, operation->name);
    append_bytes(key, operation->text);
    append_bytes(key, operation->value);
    append_bytes(key, operation->expected);
    append_bytes(key, operation->digest);
    return key->has_overflowed ? bytes_of(NULL, 0) : buffer_bytes(key);
}

/* The same as that the keys are equal. */
static bool are_alike(const struct operation *left, const struct operation *right)
{
    return left->kind == right->kind && left->room == right->room && left->nth == right->nth &&
           left->step == right->step && left->count == right->count && left->call == right->call &&
           left->timeout_ms == right->timeout_ms && left->is_strict == right->is_strict &&
           left->is_at_once == right->is_at_once && left->is_aside == right->is_aside &&
           left->on_timeout == right->on_timeout && bytes_equal(left->name, right->name) &&
           bytes_equal(left->text, right->text) && bytes_equal(left->value, right->value) &&
           bytes_equal(left->expected, right->expected) && bytes_equal(left->digest, right->digest) &&
           instants_are_with(left) == instants_are_with(right);
}

static struct entry *entry_at(const struct batcher *batcher, uint64_t position)
{
    return &batcher->items[position - batcher->first];
}

/* An operation whose workers find their entries, one behind the other. */
struct arrival {
    const struct operation *operation;
    struct worker_cursor cursor;
    size_t place; /* of the worker at the cursor, among those of the operation */
};

static bool next_worker(struct arrival *arrival)
{
    bool is_first = arrival->cursor.run == 0 && arrival->cursor.within == 0;
    arrival->place = is_first ? 0 : arrival->place + 1;
    return worker_set_next(&arrival->operation->workers, &arrival->cursor);
}

static void add_worker(struct entry *entry, const struct arrival *arrival)
{
    const struct operation *operation = arrival->operation;
    struct operation *shared = entry->operation;
    worker_set_add(&entry->workers, arrival->cursor.worker);
    if (instants_are_with(operation)) {
        instants_add(&entry->instants, operation_instant_ns(operation, arrival->place));
    } else {
        shared->first_ns = operation->first_ns < shared->first_ns ? operation->first_ns : shared->first_ns;
        shared->last_ns = operation->last_ns > shared->last_ns ? operation->last_ns : shared->last_ns;
    }
    bool is_vaguer = operation->uncertainty_us > shared->uncertainty_us;
    shared->uncertainty_us = is_vaguer ? operation->uncertainty_us : shared->uncertainty_us;
}

static bool has_space(const struct entry *entry, const struct arrival *arrival)
{
    const struct operation *operation = arrival->operation;
    return entry->workers.run_count < ENTRY_RUNS &&
           (!instants_are_with(operation) ||
            instants_may_add(&entry->instants, operation_instant_ns(operation, arrival->place)));
}

/* Adds the worker to the entry of this mark, the newest of its key. False if it may not join that one. */
static bool join(struct batcher *batcher, uint64_t mark, const struct arrival *arrival)
{
    uint32_t worker = arrival->cursor.worker;
    if (mark == 0 || mark < batcher->last[worker]) {
        return false;
    }
    struct entry *entry = entry_at(batcher, mark - 1);
    if (mark == batcher->last[worker]) {
        /* It has just done the same. A second reading counts for nothing; of others each counts. */
        return arrival->operation->kind == OPERATION_READ;
    }
    if (!has_space(entry, arrival)) {
        return false;
    }
    add_worker(entry, arrival);
    batcher->last[worker] = mark;
    return true;
}

/* The mark of the newest entry that is like the operation; 0 if there is none. What many do at once is mostly
 * among the last ones, where no key is needed to find it. */
static uint64_t find_entry(struct batcher *batcher, const struct operation *operation)
{
    if (!operation_is_aggregated(operation->kind)) {
        return 0;
    }
    size_t end =
        batcher->count > batcher->head + LOOKED_THROUGH ? batcher->count - LOOKED_THROUGH : batcher->head;
    for (size_t i = batcher->count; i > end; i--) {
        if (are_alike(batcher->items[i - 1].operation, operation)) {
            return batcher->first + i;
        }
    }
    struct bytes key = end > batcher->head ? batcher_key_of(batcher, operation) : bytes_of(NULL, 0);
    return key.size > 0 ? (uint64_t)(uintptr_t)map_get(batcher->open, key) : 0;
}

/* An entry with no workers yet. Takes the operation. */
static uint64_t open_entry(struct batcher *batcher, struct operation *operation)
{
    struct bytes key = batcher_key_of(batcher, operation);
    batcher->items =
        memory_reserve(batcher->items, &batcher->capacity, batcher->count + 1, sizeof *batcher->items);
    batcher->items[batcher->count] = (struct entry){.operation = operation};
    batcher->count++;
    uint64_t mark = batcher->first + batcher->count;
    if (key.size > 0) {
        (void)map_put(batcher->open, key, (void *)(uintptr_t)mark);
    }
    batcher->is_urgent = batcher->is_urgent || !operation_is_aggregated(operation->kind);
    return mark;
}

/* Those of the operation's workers who may join an entry do, up to the first who may not: those behind it
 * stay behind it. False if there is such a one, at the cursor. */
static bool join_all(struct batcher *batcher, struct arrival *arrival)
{
    uint64_t mark = find_entry(batcher, arrival->operation);
    while (next_worker(arrival)) {
        assert(arrival->cursor.worker < batcher->last_count);
        if (!join(batcher, mark, arrival)) {
            return false;
        }
    }
    return true;
}

/* Takes the operation, for the worker at the cursor and those behind it. */
static void begin_entry(struct batcher *batcher, struct operation *operation, struct arrival *arrival)
{
    uint64_t mark = open_entry(batcher, operation);
    do {
        struct entry *entry = entry_at(batcher, mark - 1);
        assert(arrival->cursor.worker < batcher->last_count);
        if (!has_space(entry, arrival)) {
            mark = open_entry(batcher, operation_copy(operation));
            entry = entry_at(batcher, mark - 1);
        }
        add_worker(entry, arrival);
        batcher->last[arrival->cursor.worker] = mark;
    } while (next_worker(arrival));
}

void batcher_add(struct batcher *batcher, struct operation **operation)
{
    assert(batcher->batch_count == 0);
    struct arrival arrival = {.operation = *operation};
    if (join_all(batcher, &arrival)) {
        operation_free(operation);
        return;
    }
    begin_entry(batcher, *operation, &arrival);
    *operation = NULL;
}

void batcher_put(struct batcher *batcher, const struct operation *operation)
{
    assert(batcher->batch_count == 0);
    struct arrival arrival = {.operation = operation};
    if (!join_all(batcher, &arrival)) {
        begin_entry(batcher, operation_copy(operation), &arrival);
    }
}

bool batcher_is_urgent(const struct batcher *batcher)
{
    return batcher->is_urgent;
}

static size_t wire_bytes_of(const struct entry *entry)
{
    const struct operation *operation = entry->operation;
    return FIELDS_BYTES + operation->name.size + operation->text.size + operation->value.size +
           operation->expected.size + entry->workers.run_count * RUN_BYTES +
           entry->instants.count * INSTANT_BYTES;
}

static void add_to_batch(struct batcher *batcher, struct entry *entry)
{
    batcher->batch = memory_reserve(batcher->batch, &batcher->batch_capacity, batcher->batch_count + 1,
                                    sizeof *batcher->batch);
    struct operation *operation = &batcher->batch[batcher->batch_count++];
    *operation = *entry->operation;
    operation->workers = entry->workers;
    instants_tell(&entry->instants, operation);
}

bool batcher_batch(struct batcher *batcher, struct message *message)
{
    assert(batcher->batch_count == 0);
    size_t bytes = 0;
    uint64_t named = 0;
    for (size_t i = batcher->head; i < batcher->count && batcher->batch_count < LIMIT_OPERATIONS; i++) {
        struct entry *entry = &batcher->items[i];
        /* The order of arrival at a barrier is what the ranks come from. */
        if (entry->workers.run_count > 1 && entry->operation->kind != OPERATION_BARRIER) {
            instants_sort(&entry->instants, &entry->workers);
        }
        bytes += wire_bytes_of(entry);
        named += worker_set_count(&entry->workers);
        bool is_much = bytes > LIMIT_BATCH_BYTES || named > LIMIT_NAMED_WORKERS;
        if (batcher->batch_count > 0 && is_much) {
            break;
        }
        add_to_batch(batcher, entry);
    }
    message->operations.items = batcher->batch;
    message->operations.count = batcher->batch_count;
    return batcher->batch_count > 0;
}

/* Nobody can join it any more. */
static void close_entry(struct batcher *batcher, size_t index)
{
    struct bytes key = batcher_key_of(batcher, batcher->items[index].operation);
    uint64_t mark = batcher->first + index + 1;
    if (key.size > 0 && (uint64_t)(uintptr_t)map_get(batcher->open, key) == mark) {
        (void)map_remove(batcher->open, key);
    }
}

/* Moves what is left to the front once that is less than what was dropped: each entry moves few times. */
static void compact(struct batcher *batcher)
{
    size_t left = batcher->count - batcher->head;
    if (left > batcher->head) {
        return;
    }
    for (size_t i = 0; i < left; i++) {
        batcher->items[i] = batcher->items[batcher->head + i];
    }
    batcher->first += batcher->head;
    batcher->count = left;
    batcher->head = 0;
    batcher->is_urgent = batcher->is_urgent && left > 0;
}

/* With all the entry's workers. One that nobody has joined is what came in, and is not copied. */
static struct operation *take_operation(struct entry *entry)
{
    struct operation *operation = entry->operation;
    if (worker_set_count(&operation->workers) == 1 && worker_set_count(&entry->workers) == 1) {
        entry->operation = NULL;
        instants_tell(&entry->instants, operation); /* of one instant: points to nothing of the entry */
        return operation;
    }
    struct operation whole = *operation;
    whole.workers = entry->workers;
    instants_tell(&entry->instants, &whole);
    return operation_copy(&whole);
}

struct operation *batcher_take(struct batcher *batcher)
{
    assert(batcher->batch_count == 0);
    if (batcher->head == batcher->count) {
        return NULL;
    }
    close_entry(batcher, batcher->head);
    struct operation *taken = take_operation(&batcher->items[batcher->head]);
    finish_entry(&batcher->items[batcher->head++]);
    compact(batcher);
    return taken;
}

void batcher_drop(struct batcher *batcher)
{
    for (size_t i = 0; i < batcher->batch_count; i++) {
        close_entry(batcher, batcher->head);
        finish_entry(&batcher->items[batcher->head++]);
    }
    batcher->batch_count = 0;
    compact(batcher);
}
