/* Sets of workers: short as runs, complete as a list, readable as words. */
#include "common/random.h"
#include "common/worker_set.h"
#include "tests/unit/common/check.h"

static void add_all(struct worker_set *set, const uint32_t *workers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        worker_set_add(set, workers[i]);
    }
}

#define ADD(set, ...)                                                                                        \
    add_all(set, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void assert_run(const struct worker_set *set, size_t index, struct worker_run expected)
{
    assert_true(index < set->run_count);
    assert_int_equal(set->runs[index].first, expected.first);
    assert_int_equal(set->runs[index].stride, expected.stride);
    assert_int_equal(set->runs[index].count, expected.count);
}

static void test_a_stride_is_one_run(void **state)
{
    (void)state;
    SCOPED(worker_set_finish) struct worker_set set;
    worker_set_init(&set);
    for (uint32_t i = 0; i < 1000; i++) {
        worker_set_add(&set, 2 + 3 * i);
    }
    assert_int_equal(set.run_count, 1);
    assert_run(&set, 0, (struct worker_run){2, 3, 1000});
    assert_true(worker_set_count(&set) == 1000);
}

static void test_what_does_not_continue_starts_a_run(void **state)
{
    (void)state;
    SCOPED(worker_set_finish) struct worker_set set;
    worker_set_init(&set);
    ADD(&set, 5, 5, 3, 4, 6, 8, 10);
    assert_int_equal(set.run_count, 4);
    assert_run(&set, 0, (struct worker_run){5, 1, 1});
    assert_run(&set, 1, (struct worker_run){5, 1, 1});
    assert_run(&set, 2, (struct worker_run){3, 1, 2});
    assert_run(&set, 3, (struct worker_run){6, 2, 3});
}

static void test_iterates_in_the_order_of_adding(void **state)
{
    (void)state;
    SCOPED(worker_set_finish) struct worker_set set;
    uint32_t workers[200];
    struct random random;
    random_seed(&random, 8);
    worker_set_init(&set);
    for (unsigned i = 0; i < 200; i++) {
        workers[i] = (uint32_t)random_below(&random, 10);
        worker_set_add(&set, workers[i]);
    }
    struct worker_cursor cursor = {0};
    for (unsigned i = 0; i < 200; i++) {
        assert_true(worker_set_next(&set, &cursor));
        assert_int_equal(cursor.worker, workers[i]);
    }
    assert_false(worker_set_next(&set, &cursor));
    assert_false(worker_set_next(&set, &cursor));
}

static void test_has(void **state)
{
    (void)state;
    SCOPED(worker_set_finish) struct worker_set set;
    worker_set_init(&set);
    assert_false(worker_set_has(&set, 0));
    ADD(&set, 4, 7, 10, 1);
    for (uint32_t worker = 0; worker < 20; worker++) {
        bool expected = worker == 4 || worker == 7 || worker == 10 || worker == 1;
        assert_int_equal(worker_set_has(&set, worker), expected);
    }
}

static void test_runs_from_outside_are_checked(void **state)
{
    (void)state;
    SCOPED(worker_set_finish) struct worker_set set;
    worker_set_init(&set);
    assert_false(worker_set_add_run(&set, (struct worker_run){0, 1, 0}));
    assert_false(worker_set_add_run(&set, (struct worker_run){0, 0, 1}));
    assert_false(worker_set_add_run(&set, (struct worker_run){1, 1, UINT32_MAX}) &&
                 worker_set_add_run(&set, (struct worker_run){2, 1, UINT32_MAX}));
    assert_false(worker_set_add_run(&set, (struct worker_run){0, UINT32_MAX, 3}));
    assert_false(worker_set_add_run(&set, (struct worker_run){UINT32_MAX, UINT32_MAX, UINT32_MAX}));
    worker_set_clear(&set);
    assert_true(worker_set_add_run(&set, (struct worker_run){0, UINT32_MAX, 2}));
    assert_true(worker_set_has(&set, UINT32_MAX));
    assert_true(worker_set_add_run(&set, (struct worker_run){1, 1, UINT32_MAX}));
    assert_true(worker_set_count(&set) == (uint64_t)UINT32_MAX + 2);
    worker_set_clear(&set);
    assert_true(worker_set_add_run(&set, (struct worker_run){0, 1, UINT32_MAX}));
    worker_set_add(&set, UINT32_MAX);
    assert_true(worker_set_count(&set) == (uint64_t)UINT32_MAX + 1);
}

static void test_copy_is_a_copy(void **state)
{
    (void)state;
    SCOPED(worker_set_finish) struct worker_set set;
    SCOPED(worker_set_finish) struct worker_set copy;
    worker_set_init(&set);
    worker_set_init(&copy);
    worker_set_copy(&copy, &set);
    assert_true(worker_set_count(&copy) == 0);
    ADD(&set, 1, 2, 9);
    worker_set_copy(&copy, &set);
    worker_set_copy(&copy, &copy);
    worker_set_clear(&set);
    ADD(&set, 100);
    assert_true(worker_set_count(&copy) == 3);
    assert_true(worker_set_has(&copy, 9));
    assert_false(worker_set_has(&copy, 100));
}

static void assert_described(const struct worker_set *set, const char *expected)
{
    char text[128];
    worker_set_describe(set, text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_describe(void **state)
{
    (void)state;
    SCOPED(worker_set_finish) struct worker_set set;
    worker_set_init(&set);
    assert_described(&set, "no workers");
    ADD(&set, 4);
    assert_described(&set, "worker 4");
    ADD(&set, 4);
    assert_described(&set, "worker 4");
    worker_set_clear(&set);
    ADD(&set, 7, 2, 1, 0, 3);
    assert_described(&set, "workers 0–3 and 7");
    ADD(&set, 9);
    assert_described(&set, "workers 0–3, 7 and 9");
    worker_set_clear(&set);
    ADD(&set, 0, 2, 4, 6, 8);
    assert_described(&set, "workers 0, 2, 4, 6 and 8");
    ADD(&set, 10, 20, 21, 22);
    assert_described(&set, "workers 0, 2, 4, 6, 8 and 4 more");
}

static void test_describe_bears_what_a_peer_invents(void **state)
{
    (void)state;
    SCOPED(worker_set_finish) struct worker_set set;
    worker_set_init(&set);
    assert_true(worker_set_add_run(&set, (struct worker_run){0, 1, UINT32_MAX}));
    assert_true(worker_set_add_run(&set, (struct worker_run){5, 1, UINT32_MAX - 4}));
    assert_true(worker_set_add_run(&set, (struct worker_run){9, 1, 3}));
    assert_described(&set, "workers 0–4294967295");
    assert_true(worker_set_add_run(&set, (struct worker_run){0, 2, UINT32_MAX / 2}));
    assert_described(&set, "10737418236 workers");
    char tight[10];
    worker_set_clear(&set);
    ADD(&set, 1, 2, 3);
    worker_set_describe(&set, tight, sizeof tight);
    assert_string_equal(tight, "workers 1");
    char tighter[12];
    worker_set_describe(&set, tighter, sizeof tighter);
    assert_string_equal(tighter, "workers 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stride_is_one_run),
        cmocka_unit_test(test_what_does_not_continue_starts_a_run),
        cmocka_unit_test(test_iterates_in_the_order_of_adding),
        cmocka_unit_test(test_has),
        cmocka_unit_test(test_runs_from_outside_are_checked),
        cmocka_unit_test(test_copy_is_a_copy),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_describe_bears_what_a_peer_invents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
