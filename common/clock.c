/* Reads the clocks. */
#include "common/clock.h"

#include <assert.h>
#include <time.h>

#define PAIR_APART_NS 2000u
#define PAIR_TRIES 8

static uint64_t read_ns(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(failed == 0);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ns(void)
{
    return read_ns(CLOCK_BOOTTIME);
}

uint64_t clock_wall_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

struct clock_pair clock_pair_now(void)
{
    struct clock_pair best = {0};
    uint64_t best_ns = UINT64_MAX;
    for (int i = 0; i < PAIR_TRIES && best_ns > PAIR_APART_NS; i++) {
        uint64_t before_ns = clock_now_ns();
        uint64_t wall_ns = clock_wall_ns();
        uint64_t apart_ns = clock_now_ns() - before_ns;
        if (apart_ns < best_ns) {
            best_ns = apart_ns;
            best = (struct clock_pair){.now_ns = before_ns + apart_ns / 2, .wall_ns = wall_ns};
        }
    }
    return best;
}
