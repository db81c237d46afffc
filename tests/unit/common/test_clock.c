/* The clocks: one instant on two of them. */
#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_pair_is_one_instant_on_both_clocks(void **state)
{
    (void)state;
    struct clock_pair first = clock_pair_now();
    for (int i = 0; i < 1000; i++) {
        uint64_t before_ns = clock_now_ns();
        struct clock_pair pair = clock_pair_now();
        assert_in_range(pair.now_ns, before_ns, clock_now_ns());
        uint64_t apart_ns = pair.wall_ns - pair.now_ns;
        uint64_t first_ns = first.wall_ns - first.now_ns;
        assert_in_range(apart_ns, first_ns - NS_PER_MS, first_ns + NS_PER_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_one_instant_on_both_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
