/* What an agent reports about itself: collected from its shards and its shell, in one message. */
#include "tests/unit/agent/core/test_agent_support.h"

static void tell(struct fixture *fixture, uint64_t cpu_us)
{
    struct gauges gauges = {.interval_us = 1000,
                            .cpu_us = cpu_us,
                            .host_cpu_us = 2 * cpu_us,
                            .memory_bytes = 4096,
                            .load_milli = 1500};
    struct agent_event event = {.kind = AGENT_GAUGES, .now_ns = fixture->now_ns, .gauges = &gauges};
    agent_step(fixture->agent, &event, &fixture->effects);
    turn_end(fixture);
}

static void loop(struct fixture *fixture, uint32_t shard, uint64_t lag_us)
{
    struct notice *notice = notice_new(NOTICE_LOOP, 0);
    notice->loop = (struct loop_gauges){.lag_p99_us = lag_us, .lag_max_us = 2 * lag_us, .busy_us = 10};
    notice->lag_us = histogram_new();
    histogram_add(notice->lag_us, lag_us, 3);
    notify(fixture, shard, notice);
}

static void one_message_has_all_shards_and_the_clock(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    loop(fixture, 1, 5);
    loop(fixture, 1, 4);
    loop(fixture, 0, 2);
    expect(fixture, "");
    tell(fixture, 70);
    expect(fixture, "gauges(1000 µs, cpu 70 of 140, load 1500, 4096 bytes, clock 40000 ± 0 ms, loops 2/4/10 "
                    "5/10/20, 9 of lag)");
    tell(fixture, 80);
    expect(fixture, "gauges(1000 µs, cpu 80 of 160, load 1500, 4096 bytes, clock 40000 ± 0 ms, loops 0/0/0 "
                    "0/0/0, 0 of lag)");
}

static void what_nobody_has_asked_for_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    loop(fixture, 0, 5);
    tell(fixture, 70);
    ignore(fixture);
    welcome(fixture);
    pump(fixture);
    ignore(fixture);
    tell(fixture, 80);
    expect(fixture, "gauges(1000 µs, cpu 80 of 160, load 1500, 4096 bytes, loops 0/0/0 0/0/0, 0 of lag)");
}

/* Hours without a coordinator: these messages do not fill the link, and nothing is missing afterwards. */
static void they_add_up_while_the_link_is_full(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    fixture->is_cut = true;
    for (int i = 0; i < 1000; i++) {
        tell(fixture, 1);
    }
    ignore(fixture);
    fixture->is_cut = false;
    size_t before = fixture->messages;
    for (int i = 0; i < 20; i++) {
        pass(fixture, 500);
        pump(fixture);
    }
    assert_true(fixture->messages - before <= 256);
    ignore(fixture);
    tell(fixture, 1);
    expect(fixture, "gauges(745000 µs, cpu 745 of 1490, load 1500, 4096 bytes, clock 40000 ± 0 ms, loops "
                    "0/0/0 0/0/0, 0 of lag)");
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(one_message_has_all_shards_and_the_clock),
        STORY(what_nobody_has_asked_for_is_dropped),
        STORY(they_add_up_while_the_link_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
