/* How the time of a request is divided. */
#include "agent/http/phase_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void each_microsecond_belongs_to_one_phase(void **state)
{
    struct phase_clock clock;
    (void)state;
    phase_clock_begin(&clock, 1000000);
    phase_clock_enter(&clock, REQUEST_LOOKUP, 1002000);
    phase_clock_enter(&clock, REQUEST_CONNECT, 1012000);
    phase_clock_enter(&clock, REQUEST_SENDING, 1042000);
    phase_clock_enter(&clock, REQUEST_WAITING, 1042000);
    phase_clock_enter(&clock, REQUEST_RECEIVING, 1092000);
    /* The second exchange of a redirect. */
    phase_clock_enter(&clock, REQUEST_WAITING, 1093000);
    phase_clock_enter(&clock, REQUEST_WAITING, 1100000);
    static const uint64_t expected[REQUEST_PHASE_COUNT] = {
        [REQUEST_BLOCKED] = 2,  [REQUEST_LOOKUP] = 10,   [REQUEST_CONNECT] = 30,
        [REQUEST_WAITING] = 57, [REQUEST_RECEIVING] = 1,
    };
    assert_memory_equal(clock.us, expected, sizeof expected);
}

/* 999 ns three times are 2 µs, as 2997 ns are. */
static void nothing_is_lost_to_rounding(void **state)
{
    struct phase_clock clock;
    uint64_t sum = 0;
    (void)state;
    phase_clock_begin(&clock, 77);
    phase_clock_enter(&clock, REQUEST_LOOKUP, 77 + 999);
    phase_clock_enter(&clock, REQUEST_CONNECT, 77 + 2 * 999);
    phase_clock_enter(&clock, REQUEST_CONNECT, 77 + 3 * 999);
    for (int i = 0; i < REQUEST_PHASE_COUNT; i++) {
        sum += clock.us[i];
    }
    assert_int_equal(sum, 2);
}

static void an_instant_in_the_past_is_the_last_one(void **state)
{
    struct phase_clock clock;
    (void)state;
    phase_clock_begin(&clock, 5000);
    phase_clock_enter(&clock, REQUEST_LOOKUP, 9000);
    phase_clock_enter(&clock, REQUEST_CONNECT, 3000);
    phase_clock_enter(&clock, REQUEST_TLS, 8000);
    phase_clock_enter(&clock, REQUEST_TLS, 10000);
    assert_int_equal(clock.us[REQUEST_BLOCKED], 4);
    assert_int_equal(clock.us[REQUEST_LOOKUP] + clock.us[REQUEST_CONNECT], 0);
    assert_int_equal(clock.us[REQUEST_TLS], 1);
}

static void phases_have_names(void **state)
{
    (void)state;
    assert_string_equal(request_phase_name(REQUEST_BLOCKED), "blocked");
    assert_string_equal(request_phase_name(REQUEST_RECEIVING), "receiving");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_microsecond_belongs_to_one_phase),
        cmocka_unit_test(nothing_is_lost_to_rounding),
        cmocka_unit_test(an_instant_in_the_past_is_the_last_one),
        cmocka_unit_test(phases_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
