/* What the watchdog says about a shard that does not come back. */
#include "agent/shard/watchdog.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WARN_MS 250u
#define END_MS 60000u

static bool is_told(int file, int within_ms)
{
    struct pollfd descriptor = {.fd = file, .events = POLLIN};
    return poll(&descriptor, 1, within_ms) == 1;
}

/* The place is read only while its shard does not write it. */
static void waits_for_the_place_of_a_long_turn(void **state)
{
    (void)state;
    int ends[2];
    char line[300] = "";
    struct pulse pulse;
    pulse_init(&pulse);
    pulse_own(&pulse);
    pulse_begin_turn(&pulse, 7, 3, 2);
    pulse_set_place(&pulse, "old.lua:1");
    assert_int_equal(pthread_mutex_lock(&pulse.lock), 0);
    int shown = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    struct watchdog_settings settings = {
        .agent = "a1", .pulses = &pulse, .count = 1, .warn_ms = WARN_MS, .end_ms = END_MS};
    struct error error;
    struct watchdog *watchdog = watchdog_start(&settings, &error);
    bool is_early = is_told(ends[0], 4 * WARN_MS);
    (void)snprintf(pulse.place, sizeof pulse.place, "new.lua:9");
    assert_int_equal(pthread_mutex_unlock(&pulse.lock), 0);
    bool is_there = is_told(ends[0], END_MS / 2);
    watchdog_stop(&watchdog);
    assert_true(dup2(shown, STDERR_FILENO) >= 0);
    assert_false(is_early);
    assert_true(is_there);
    assert_true(read(ends[0], line, sizeof line - 1) > 0);
    assert_non_null(strstr(line,
                           "shard 0 has not come back for 0.25 s: it is the turn of worker 3 of campaign "
                           "7, step 2, last seen at new.lua:9"));
    assert_int_equal(pthread_mutex_trylock(&pulse.lock), 0); /* it has given it back */
    assert_int_equal(pthread_mutex_unlock(&pulse.lock), 0);
    pulse_finish(&pulse);
    (void)close(shown);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_the_place_of_a_long_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
