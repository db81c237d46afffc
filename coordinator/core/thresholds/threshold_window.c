/* What was counted in the latest so many seconds. */
#include "coordinator/core/thresholds/threshold_window.h"

#include "common/histogram_pack.h"
#include "common/memory.h"

#include <string.h>

#define MS_PER_S 1000u
/* So late the end of a slot is not noticed unless the coordinator, or its host, was away. */
#define GAP_MS 3000u

/* Values in one bucket of a histogram. */
struct bucket_count {
    uint32_t bucket;
    uint64_t count;
};

struct window_slot {
    uint64_t length_ms;
    uint64_t counts[THRESHOLD_COUNTS];
    struct bucket_count *buckets;
    size_t bucket_count;
};

struct threshold_window {
    uint64_t slot_ms;
    uint32_t slot_count;
    uint32_t next;   /* the one that is closed next: the oldest one, once all are filled */
    uint32_t filled; /* up to slot_count */
    bool is_begun;
    uint64_t since_ms;                          /* when the open slot began */
    uint64_t due_ms;                            /* when it is to be closed */
    uint64_t previous_counts[THRESHOLD_COUNTS]; /* the totals at that instant */
    struct histogram *previous_us;
    uint64_t length_ms; /* of the closed slots together */
    uint64_t counts[THRESHOLD_COUNTS];
    struct histogram *us;
    struct window_slot slots[THRESHOLD_WINDOW_SLOTS];
};

struct threshold_window *threshold_window_new(uint64_t over_ms, bool is_from_start)
{
    struct threshold_window *window = MEMORY_NEW(struct threshold_window);
    uint64_t seconds = over_ms / MS_PER_S;
    window->slot_count = (uint32_t)(seconds < 1                        ? 1
                                    : seconds > THRESHOLD_WINDOW_SLOTS ? THRESHOLD_WINDOW_SLOTS
                                                                       : seconds);
    window->slot_ms = over_ms / window->slot_count;
    window->is_begun = is_from_start;
    window->due_ms = window->slot_ms;
    window->previous_us = histogram_new();
    window->us = histogram_new();
    return window;
}

static void window_clear(struct threshold_window *window)
{
    for (uint32_t i = 0; i < window->slot_count; i++) {
        memory_free(window->slots[i].buckets);
        window->slots[i] = (struct window_slot){0};
    }
    memset(window->counts, 0, sizeof window->counts);
    histogram_clear(window->us);
    window->length_ms = 0;
    window->filled = window->next = 0;
}

void threshold_window_free(struct threshold_window **window)
{
    if (*window != NULL) {
        window_clear(*window);
        histogram_free(&(*window)->previous_us);
        histogram_free(&(*window)->us);
        memory_free(*window);
        *window = NULL;
    }
}

/* Adds what the slot has to the sums; buckets that come from outside were checked. */
static void window_include(struct threshold_window *window, const struct window_slot *slot)
{
    window->length_ms += slot->length_ms;
    for (size_t i = 0; i < THRESHOLD_COUNTS; i++) {
        window->counts[i] += slot->counts[i];
    }
    for (size_t i = 0; i < slot->bucket_count; i++) {
        (void)!histogram_add_bucket(window->us, slot->buckets[i].bucket, slot->buckets[i].count);
    }
}

static void window_exclude(struct threshold_window *window, struct window_slot *slot)
{
    window->length_ms -= slot->length_ms;
    for (size_t i = 0; i < THRESHOLD_COUNTS; i++) {
        window->counts[i] -= slot->counts[i];
    }
    for (size_t i = 0; i < slot->bucket_count; i++) {
        histogram_remove_bucket(window->us, slot->buckets[i].bucket, slot->buckets[i].count);
    }
    memory_free(slot->buckets);
    *slot = (struct window_slot){0};
}

/* What is in `now` and was not in `before` yet; `before` becomes equal. */
static void slot_take_buckets(struct window_slot *slot, const struct histogram *now, struct histogram *before)
{
    struct histogram_cursor cursor = {0};
    size_t capacity = 0;
    while (histogram_next_beyond(now, before, &cursor)) {
        slot->buckets =
            memory_reserve(slot->buckets, &capacity, slot->bucket_count + 1, sizeof *slot->buckets);
        slot->buckets[slot->bucket_count++] =
            (struct bucket_count){.bucket = cursor.bucket, .count = cursor.count};
    }
    for (size_t i = 0; i < slot->bucket_count; i++) {
        (void)!histogram_add_bucket(before, slot->buckets[i].bucket, slot->buckets[i].count);
    }
}

/* From now on only what comes later counts. */
static void window_note(struct threshold_window *window, uint64_t elapsed_ms,
                        const struct threshold_numbers *totals)
{
    window->is_begun = true;
    window->since_ms = elapsed_ms;
    window->due_ms = elapsed_ms + window->slot_ms;
    memcpy(window->previous_counts, totals->counts, sizeof window->previous_counts);
    histogram_clear(window->previous_us);
    if (totals->us != NULL) {
        histogram_merge(window->previous_us, totals->us);
    }
}

static void window_close_slot(struct threshold_window *window, uint64_t elapsed_ms,
                              const struct threshold_numbers *totals)
{
    struct window_slot *slot = &window->slots[window->next];
    if (window->filled == window->slot_count) {
        window_exclude(window, slot);
    }
    slot->length_ms = elapsed_ms - window->since_ms;
    for (size_t i = 0; i < THRESHOLD_COUNTS; i++) {
        slot->counts[i] = totals->counts[i] - window->previous_counts[i];
        window->previous_counts[i] = totals->counts[i];
    }
    if (totals->us != NULL) {
        slot_take_buckets(slot, totals->us, window->previous_us);
    }
    window_include(window, slot);
    window->since_ms = elapsed_ms;
    /* What is late by less than a slot does not make all later ones late too. */
    if (elapsed_ms >= window->due_ms) {
        window->due_ms += ((elapsed_ms - window->due_ms) / window->slot_ms + 1) * window->slot_ms;
    }
    window->next = (window->next + 1) % window->slot_count;
    window->filled += window->filled < window->slot_count ? 1 : 0;
}

bool threshold_window_advance(struct threshold_window *window, uint64_t elapsed_ms,
                              const struct threshold_numbers *totals)
{
    bool is_gap = elapsed_ms > window->due_ms + GAP_MS;
    if (!window->is_begun || is_gap) {
        window_clear(window);
        window_note(window, elapsed_ms, totals);
        return false;
    }
    if (elapsed_ms < window->due_ms) {
        return false;
    }
    window_close_slot(window, elapsed_ms, totals);
    return true;
}

void threshold_window_finish(struct threshold_window *window, uint64_t elapsed_ms,
                             const struct threshold_numbers *totals)
{
    if (window->is_begun && elapsed_ms > window->since_ms) {
        window_close_slot(window, elapsed_ms, totals);
    }
}

bool threshold_window_is_full(const struct threshold_window *window)
{
    return window->filled == window->slot_count;
}

struct threshold_numbers threshold_window_numbers(const struct threshold_window *window, uint64_t *length_ms)
{
    struct threshold_numbers numbers = {.us = window->us};
    memcpy(numbers.counts, window->counts, sizeof numbers.counts);
    *length_ms = window->length_ms;
    return numbers;
}

static void slot_pack(const struct window_slot *slot, struct buffer *into)
{
    pack_number(into, slot->length_ms);
    for (size_t i = 0; i < THRESHOLD_COUNTS; i++) {
        pack_number(into, slot->counts[i]);
    }
    pack_number(into, slot->bucket_count);
    for (size_t i = 0; i < slot->bucket_count; i++) {
        pack_number(into, slot->buckets[i].bucket);
        pack_number(into, slot->buckets[i].count);
    }
}

/* False, and nothing is left in it, if `from` is broken. */
static void slot_unpack(struct window_slot *slot, struct unpack *from)
{
    struct histogram *known SCOPED(histogram_free) = histogram_new();
    slot->length_ms = unpack_number(from);
    for (size_t i = 0; i < THRESHOLD_COUNTS; i++) {
        slot->counts[i] = unpack_number(from);
    }
    size_t count = unpack_bounded(from, from->left.size);
    slot->buckets = memory_new(count + 1, sizeof *slot->buckets);
    while (slot->bucket_count < count && !from->is_broken) {
        struct bucket_count *bucket = &slot->buckets[slot->bucket_count++];
        bucket->bucket = (uint32_t)unpack_bounded(from, UINT32_MAX);
        bucket->count = unpack_number(from);
        if (!histogram_add_bucket(known, bucket->bucket, bucket->count)) {
            unpack_break(from);
        }
    }
    slot->bucket_count = from->is_broken ? 0 : slot->bucket_count;
}

void threshold_window_pack(const struct threshold_window *window, struct buffer *into)
{
    pack_number(into, window->slot_count);
    pack_number(into, window->next);
    pack_number(into, window->filled);
    pack_flag(into, window->is_begun);
    pack_number(into, window->since_ms);
    pack_number(into, window->due_ms);
    for (size_t i = 0; i < THRESHOLD_COUNTS; i++) {
        pack_number(into, window->previous_counts[i]);
    }
    histogram_pack(window->previous_us, into);
    for (uint32_t i = 0; i < window->filled; i++) {
        slot_pack(&window->slots[i], into);
    }
}

void threshold_window_unpack(struct threshold_window *window, struct unpack *from)
{
    if (unpack_number(from) != window->slot_count) {
        unpack_break(from);
    }
    window->next = (uint32_t)unpack_bounded(from, window->slot_count - 1);
    uint32_t filled = (uint32_t)unpack_bounded(from, window->slot_count);
    window->is_begun = unpack_flag(from);
    window->since_ms = unpack_number(from);
    window->due_ms = unpack_number(from);
    for (size_t i = 0; i < THRESHOLD_COUNTS; i++) {
        window->previous_counts[i] = unpack_number(from);
    }
    struct histogram *previous = histogram_unpack(from);
    if (previous != NULL) {
        histogram_free(&window->previous_us);
        window->previous_us = previous;
    } else {
        unpack_break(from);
    }
    for (uint32_t i = 0; i < filled && !from->is_broken; i++) {
        slot_unpack(&window->slots[i], from);
        window_include(window, &window->slots[i]);
        window->filled++;
    }
}
