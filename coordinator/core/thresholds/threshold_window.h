/* What was counted in the latest so many seconds, of what is counted since the beginning: each slot has the
 * difference between two instants, and the window is the sum of its slots. */
#pragma once
#include "common/histogram.h"
#include "common/pack.h"
#include "proto/message/threshold.h"

/* A longer window has longer slots, so that its memory does not grow with its length. */
#define THRESHOLD_WINDOW_SLOTS 60u

/* Counts, and times in microseconds; NULL: there are none. */
struct threshold_numbers {
    uint64_t counts[THRESHOLD_COUNTS];
    const struct histogram *us;
};

struct threshold_window;

/* `is_from_start`: its first slot begins with the workers, else at the first look. */
MUST_CHECK struct threshold_window *threshold_window_new(uint64_t over_ms, bool is_from_start);
void threshold_window_free(struct threshold_window **window);

/* `totals` are those of this instant, since the workers began; instants rise. True if it closed a slot. After
 * a gap, in which nobody was there to look, it begins again. */
bool threshold_window_advance(struct threshold_window *window, uint64_t elapsed_ms,
                              const struct threshold_numbers *totals);
/* The last one: closes a slot that has not its full length. */
void threshold_window_finish(struct threshold_window *window, uint64_t elapsed_ms,
                             const struct threshold_numbers *totals);
/* Its slots cover its whole length. */
bool threshold_window_is_full(const struct threshold_window *window);
/* Of its closed slots; borrowed until it changes. `length_ms` is how long they are together. */
struct threshold_numbers threshold_window_numbers(const struct threshold_window *window, uint64_t *length_ms);

void threshold_window_pack(const struct threshold_window *window, struct buffer *into);
/* Into a new one; broken if it was packed from one of another length. */
void threshold_window_unpack(struct threshold_window *window, struct unpack *from);
