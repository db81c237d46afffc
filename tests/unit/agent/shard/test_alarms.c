/* Alarms on a loop: each comes once, not before its instant, in their order, and at the instant set last. */
#include "agent/shard/alarms.h"

#include "agent/shard/loop_lag.h"
#include "common/clock.h"
#include "common/container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ALARMS 4u
#define AGAIN_NS (5 * NS_PER_MS)

struct rung {
    struct alarm alarm;
    char letter;
    uint64_t due_ns;
    uint64_t at_ns; /* 0: it has not come */
    uint64_t again; /* how often it is set once more when it comes */
};

static struct bench {
    uv_loop_t loop;
    struct loop_lag lag;
    struct alarms alarms;
    struct rung rungs[ALARMS];
    char order[20];
    size_t count;
} bench;

static void set_rung(size_t index, uint64_t due_ns)
{
    bench.rungs[index].due_ns = due_ns;
    alarms_set(&bench.alarms, &bench.rungs[index].alarm, due_ns);
}

static void on_rung(struct alarm *alarm, uint64_t now_ns)
{
    struct rung *rung = CONTAINER_OF(alarm, struct rung, alarm);

    assert_true(now_ns >= rung->due_ns);
    assert_true(clock_now_ns() >= now_ns);
    rung->at_ns = now_ns;
    assert_true(bench.count + 1 < sizeof bench.order);
    bench.order[bench.count++] = rung->letter;
    if (rung->again > 0) {
        rung->again--;
        set_rung((size_t)(rung - bench.rungs), now_ns + AGAIN_NS);
    }
}

static int open_bench(void **state)
{
    (void)state;
    bench = (struct bench){.count = 0};
    uv_loop_init(&bench.loop);
    loop_lag_init(&bench.lag, &bench.loop, clock_now_ns());
    alarms_open(&bench.alarms, &bench.loop, &bench.lag);
    for (size_t i = 0; i < ALARMS; i++) {
        bench.rungs[i].letter = (char)('a' + i);
        alarm_init(&bench.rungs[i].alarm, on_rung);
    }
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    alarms_close(&bench.alarms, NULL, NULL);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    alarms_finish(&bench.alarms);
    loop_lag_finish(&bench.lag);
    assert_int_equal(uv_loop_close(&bench.loop), 0);
    return 0;
}

static void they_come_in_their_order(void **state)
{
    uint64_t now_ns = clock_now_ns();

    (void)state;
    set_rung(0, now_ns + 30 * NS_PER_MS);
    set_rung(1, now_ns + 10 * NS_PER_MS); /* before the one that the timer was set to */
    set_rung(2, now_ns + 20 * NS_PER_MS);
    set_rung(3, now_ns);
    uv_run(&bench.loop, UV_RUN_DEFAULT); /* until there is none */
    assert_string_equal(bench.order, "dbca");
}

static void the_last_instant_counts(void **state)
{
    uint64_t now_ns = clock_now_ns();

    (void)state;
    set_rung(0, now_ns + 3600 * NS_PER_S);
    set_rung(0, now_ns + 10 * NS_PER_MS); /* sooner */
    set_rung(1, now_ns + 5 * NS_PER_MS);
    set_rung(1, now_ns + 20 * NS_PER_MS); /* later */
    set_rung(2, now_ns + 15 * NS_PER_MS);
    alarms_unset(&bench.alarms, &bench.rungs[2].alarm);
    alarms_unset(&bench.alarms, &bench.rungs[3].alarm); /* it was not set */
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    assert_string_equal(bench.order, "ab");
}

static void one_may_be_set_when_it_comes(void **state)
{
    (void)state;
    bench.rungs[0].again = 3;
    set_rung(0, clock_now_ns());
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    assert_string_equal(bench.order, "aaaa");
}

/* A loop that did not look is as late as its alarm. */
static void the_lag_is_told_how_late_one_came(void **state)
{
    uint64_t now_ns = clock_now_ns();

    (void)state;
    set_rung(0, now_ns + NS_PER_MS);
    while (clock_now_ns() < now_ns + 40 * NS_PER_MS) {
        /* busy */
    }
    uv_update_time(&bench.loop);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    assert_string_equal(bench.order, "a");
    assert_true(bench.lag.overslept_ns >= 38 * NS_PER_MS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(they_come_in_their_order),
        CASE(the_last_instant_counts),
        CASE(one_may_be_set_when_it_comes),
        CASE(the_lag_is_told_how_late_one_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
