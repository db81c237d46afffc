/* Which workers wait for each other, against the definition of a deadlock. */
#include "common/random.h"
#include "coordinator/core/sync/deadlock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define STANDS 9

/* The definition, literally: remove workers that somebody outside can release until nothing changes. */
static void find_by_hand(const struct stand *stands, size_t count, bool is_stuck[STANDS])
{
    for (size_t i = 0; i < count; i++) {
        is_stuck[i] = stands[i].is_waiting;
    }
    for (bool has_changed = true; has_changed;) {
        has_changed = false;
        for (size_t i = 0; i < count; i++) {
            for (size_t other = 0; is_stuck[i] && other < count; other++) {
                if (!is_stuck[other] && stands[other].step <= stands[i].hangs_on) {
                    is_stuck[i] = false;
                    has_changed = true;
                }
            }
        }
    }
}

static void compare(struct random *random)
{
    struct stand stands[STANDS];
    bool is_stuck[STANDS];
    size_t count = random_below(random, STANDS + 1);
    uint64_t moving = random_below(random, 4);
    for (size_t i = 0; i < count; i++) {
        stands[i] = (struct stand){.worker = (uint32_t)(10 + i * 3),
                                   .is_waiting = random_below(random, 4) >= moving,
                                   .step = 1 + random_below(random, 6),
                                   .hangs_on = random_below(random, 7)};
        if (random_below(random, 10) == 0) {
            stands[i].hangs_on = HANGS_ON_EVERY_STEP;
        }
    }
    find_by_hand(stands, count, is_stuck);
    size_t expected = 0;
    uint32_t workers[STANDS];
    for (size_t i = 0; i < count; i++) {
        if (is_stuck[i]) {
            workers[expected++] = stands[i].worker;
        }
    }
    assert_int_equal(deadlock_find(stands, count), expected);
    for (size_t i = 0; i < expected; i++) {
        assert_int_equal(stands[i].worker, workers[i]);
    }
}

static void test_against_the_definition(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 1);
    for (unsigned i = 0; i < 200000; i++) {
        compare(&random);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
