/* Whose turn it is among the queued workers of several campaigns, on a loop that does not run. */
#include "agent/shard/turns.h"
#include "agent/shard/vu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define QUEUES 3u

struct bench {
    uv_loop_t loop;
    struct alarms alarms;
    struct turns turns;
    struct turn_queue queues[QUEUES];
    struct vu vus[QUEUES];
};

static void on_closed(uv_handle_t *handle)
{
    (void)handle;
}

/* One worker of each queue is queued, in order. */
static int set_up(void **state)
{
    static struct bench bench;
    bench = (struct bench){0};
    assert_int_equal(uv_loop_init(&bench.loop), 0);
    alarms_open(&bench.alarms, &bench.loop, NULL);
    turns_open(&bench.turns, &(struct turns_settings){.loop = &bench.loop, .alarms = &bench.alarms});
    for (unsigned i = 0; i < QUEUES; i++) {
        turn_queue_init(&bench.queues[i], &bench.turns);
        turn_queue_add(&bench.queues[i], &bench.vus[i]);
    }
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    for (unsigned i = 0; i < QUEUES; i++) {
        turn_queue_remove(&bench->queues[i], &bench->vus[i]);
        turn_queue_finish(&bench->queues[i]);
    }
    assert_false(turns_any(&bench->turns));
    turns_close(&bench->turns, on_closed, NULL);
    alarms_close(&bench->alarms, on_closed, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    alarms_finish(&bench->alarms);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    return 0;
}

/* Those that have turns, in order. */
static void expect_ready(const struct bench *bench, size_t count, const unsigned *queues)
{
    const struct turn_queue *at = bench->turns.first_ready;
    const struct turn_queue *last = NULL;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(at, &bench->queues[queues[i]]);
        assert_true(at->is_ready);
        last = at;
        at = at->next_ready;
    }
    assert_null(at);
    assert_ptr_equal(bench->turns.last_ready, last);
    assert_int_equal(bench->turns.queued, count);
}

static void queues_are_ready_in_the_order_of_their_first_workers(void **state)
{
    struct bench *bench = *state;
    expect_ready(bench, 3, (unsigned[]){0, 1, 2});
    turn_queue_add(&bench->queues[0], &bench->vus[0]); /* it is queued already */
    expect_ready(bench, 3, (unsigned[]){0, 1, 2});
}

static void one_from_the_middle_goes(void **state)
{
    struct bench *bench = *state;
    turn_queue_remove(&bench->queues[1], &bench->vus[1]);
    expect_ready(bench, 2, (unsigned[]){0, 2});
    turn_queue_remove(&bench->queues[1], &bench->vus[1]); /* it is not queued */
    turn_queue_add(&bench->queues[1], &bench->vus[1]);
    expect_ready(bench, 3, (unsigned[]){0, 2, 1});
}

static void the_last_goes(void **state)
{
    struct bench *bench = *state;
    turn_queue_remove(&bench->queues[2], &bench->vus[2]);
    expect_ready(bench, 2, (unsigned[]){0, 1});
    turn_queue_remove(&bench->queues[1], &bench->vus[1]);
    expect_ready(bench, 1, (unsigned[]){0});
}

static void the_first_goes(void **state)
{
    struct bench *bench = *state;
    turn_queue_remove(&bench->queues[0], &bench->vus[0]);
    expect_ready(bench, 2, (unsigned[]){1, 2});
}

static void workers_of_a_queue_go_in_any_order(void **state)
{
    struct bench *bench = *state;
    struct vu more[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        turn_queue_add(&bench->queues[0], &more[i]);
    }
    assert_int_equal(bench->turns.queued, 6);
    turn_queue_remove(&bench->queues[0], &more[1]);
    turn_queue_remove(&bench->queues[0], &more[2]);
    assert_ptr_equal(bench->queues[0].last, &more[0]);
    assert_ptr_equal(bench->queues[0].first->next, &more[0]);
    assert_null(more[0].next);
    turn_queue_remove(&bench->queues[0], &bench->vus[0]);
    assert_ptr_equal(bench->queues[0].first, &more[0]);
    turn_queue_remove(&bench->queues[0], &more[0]);
    expect_ready(bench, 2, (unsigned[]){1, 2});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(queues_are_ready_in_the_order_of_their_first_workers),
        TEST(one_from_the_middle_goes),
        TEST(the_last_goes),
        TEST(the_first_goes),
        TEST(workers_of_a_queue_go_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
