/* Sets of numbers as bits of an array of words. */
#include "coordinator/core/base/bitset.h"

#include "common/memory.h"

#define WORD_BITS 64u

size_t bitset_words(uint32_t count)
{
    return ((size_t)count + WORD_BITS - 1) / WORD_BITS;
}

bool bitset_has(const uint64_t *bits, uint32_t position)
{
    return bits != NULL && (bits[position / WORD_BITS] >> (position % WORD_BITS) & 1) != 0;
}

bool bitset_add(uint64_t *bits, uint32_t position)
{
    if (bitset_has(bits, position)) {
        return false;
    }
    bits[position / WORD_BITS] |= (uint64_t)1 << (position % WORD_BITS);
    return true;
}

bool bitset_remove(uint64_t *bits, uint32_t position)
{
    if (!bitset_has(bits, position)) {
        return false;
    }
    bits[position / WORD_BITS] &= ~((uint64_t)1 << (position % WORD_BITS));
    return true;
}

/* The first position in `wanted`, inverted by `flip`, that is not in `unwanted`: both searches are this loop.
 */
static uint32_t next(const uint64_t *wanted, const uint64_t *unwanted, uint64_t flip, uint32_t from,
                     uint32_t count)
{
    uint64_t mask = UINT64_MAX << (from % WORD_BITS);
    for (size_t word = from / WORD_BITS; word < bitset_words(count); word++) {
        uint64_t found = (wanted == NULL ? 0 : wanted[word]) ^ flip;
        found &= ~(unwanted == NULL ? 0 : unwanted[word]) & mask;
        if (found != 0) {
            uint32_t position = (uint32_t)(word * WORD_BITS) + (uint32_t)__builtin_ctzll(found);
            return position < count ? position : count;
        }
        mask = UINT64_MAX;
    }
    return count;
}

uint32_t bitset_next_outside(const uint64_t *left, const uint64_t *right, uint32_t from, uint32_t count)
{
    return next(left, right, UINT64_MAX, from, count);
}

uint32_t bitset_count_outside(const uint64_t *left, const uint64_t *right, uint32_t count)
{
    uint32_t found = 0;
    for (size_t word = 0; word < bitset_words(count); word++) {
        uint64_t in = (left == NULL ? 0 : left[word]) | (right == NULL ? 0 : right[word]);
        bool is_last = word + 1 == bitset_words(count) && count % WORD_BITS != 0;
        uint64_t mask = is_last ? ((uint64_t)1 << (count % WORD_BITS)) - 1 : UINT64_MAX;
        found += (uint32_t)__builtin_popcountll(~in & mask);
    }
    return found;
}

uint32_t bitset_next_only_in(const uint64_t *in, const uint64_t *not_in, uint32_t from, uint32_t count)
{
    return next(in, not_in, 0, from, count);
}

void bitset_pack(const uint64_t *bits, uint32_t count, struct buffer *into)
{
    pack_flag(into, bits != NULL);
    for (size_t i = 0; bits != NULL && i < bitset_words(count); i++) {
        pack_fixed(into, bits[i]);
    }
}

uint64_t *bitset_unpack(struct unpack *from, uint32_t count)
{
    size_t words = bitset_words(count);
    if (!unpack_flag(from)) {
        return NULL;
    }
    if (from->left.size < words * sizeof(uint64_t)) {
        unpack_break(from);
        return NULL;
    }
    uint64_t *bits = memory_new(words, sizeof(uint64_t));
    for (size_t i = 0; i < words; i++) {
        bits[i] = unpack_fixed(from);
    }
    if (count % WORD_BITS != 0 && bits[words - 1] >> (count % WORD_BITS) != 0) {
        unpack_break(from); /* a position beyond the end */
        memory_free(bits);
        return NULL;
    }
    return bits;
}
