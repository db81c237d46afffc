/* A small seeded generator: xoshiro256** of Blackman and Vigna, its state filled by splitmix64. */
#include "common/random.h"

#include <assert.h>

static uint64_t rotate_left(uint64_t bits, unsigned by)
{
    return (bits << by) | (bits >> (64 - by));
}

void random_seed(struct random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15U;
        uint64_t mixed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
        random->state[i] = mixed ^ (mixed >> 31);
    }
}

uint64_t random_next(struct random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    assert(bound > 0);
    /* 2^64 is rarely a multiple of the bound: the excess lowest numbers are rejected. */
    uint64_t excess = (0 - bound) % bound;
    uint64_t number;
    do {
        number = random_next(random);
    } while (number < excess);
    return number % bound;
}

double random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}
