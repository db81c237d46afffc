/* Sets of numbers (seats of a room, workers of a campaign) as bits of an array of words. */
#pragma once
#include "common/pack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many words `count` bits take. */
size_t bitset_words(uint32_t count);
/* NULL is an empty set wherever bits are only read. */
bool bitset_has(const uint64_t *bits, uint32_t position);
/* False if it was there already. */
bool bitset_add(uint64_t *bits, uint32_t position);
/* False if it was not there. */
bool bitset_remove(uint64_t *bits, uint32_t position);

/* The first position from `from` on that is in neither set; `count` if there is none. */
uint32_t bitset_next_outside(const uint64_t *left, const uint64_t *right, uint32_t from, uint32_t count);
/* How many positions are in neither set. */
uint32_t bitset_count_outside(const uint64_t *left, const uint64_t *right, uint32_t count);
/* The first position from `from` on that is in `in` and not in `not_in`; `count` if there is none. */
uint32_t bitset_next_only_in(const uint64_t *in, const uint64_t *not_in, uint32_t from, uint32_t count);

/* Distinguishes NULL from an empty set. */
void bitset_pack(const uint64_t *bits, uint32_t count, struct buffer *into);
/* For memory_free; NULL for NULL, and where `from` is broken. */
MUST_CHECK uint64_t *bitset_unpack(struct unpack *from, uint32_t count);
