/* When each of many workers did it: how many and how far apart, in which order, and how it is encoded. */
#include "agent/core/batch/instants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define US INT64_C(1000)
#define FAR_NS ((int64_t)UINT32_MAX * US)

static void so_many_fit_and_no_more(void **state)
{
    struct instants instants = {0};
    (void)state;
    for (unsigned i = 0; i < INSTANTS_MAX; i++) {
        assert_true(instants_may_add(&instants, 5));
        instants_add(&instants, 5);
    }
    assert_false(instants_may_add(&instants, 5));
    instants_finish(&instants);
}

static void so_far_apart_and_no_further(void **state)
{
    struct instants instants = {0};
    (void)state;
    assert_true(instants_may_add(&instants, INT64_MIN));
    instants_add(&instants, 1000);
    assert_true(instants_may_add(&instants, 1000 + FAR_NS));
    assert_false(instants_may_add(&instants, 1001 + FAR_NS));
    assert_true(instants_may_add(&instants, 1000 - FAR_NS));
    assert_false(instants_may_add(&instants, 999 - FAR_NS));
    assert_false(instants_may_add(&instants, INT64_MIN));
    assert_false(instants_may_add(&instants, INT64_MAX));
    instants_add(&instants, 2000);
    assert_false(instants_may_add(&instants, 1001 + FAR_NS));
    assert_false(instants_may_add(&instants, 1999 - FAR_NS));
    instants_finish(&instants);
}

static void they_are_told_as_what_came_after_the_first(void **state)
{
    struct instants instants = {0};
    struct operation operation = {.last_ns = 7};
    (void)state;
    instants_tell(&instants, &operation);
    assert_int_equal(operation.after_count, 0);
    assert_int_equal(operation.last_ns, 7);
    instants_add(&instants, 5000);
    instants_add(&instants, 5999); /* less than a microsecond */
    instants_tell(&instants, &operation);
    assert_int_equal(operation.first_ns, 5000);
    assert_int_equal(operation.last_ns, 0);
    assert_int_equal(operation.after_count, 0);
    instants_add(&instants, 6000);
    instants_add(&instants, 5000 + FAR_NS);
    instants_tell(&instants, &operation);
    assert_int_equal(operation.first_ns, 5000);
    assert_int_equal(operation.after_count, 4);
    assert_int_equal(operation.after_us[0], 0);
    assert_int_equal(operation.after_us[1], 0);
    assert_int_equal(operation.after_us[2], 1);
    assert_int_equal(operation.after_us[3], UINT32_MAX);
    instants_finish(&instants);
}

static void they_go_with_their_workers(void **state)
{
    static const uint32_t ORDER[] = {9, 2, 5, 0};
    static const uint32_t SORTED[] = {0, 2, 5, 9};
    struct instants instants = {0};
    struct worker_set workers = {0};
    struct worker_cursor cursor = {0};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        worker_set_add(&workers, ORDER[i]);
        instants_add(&instants, 100 * ORDER[i]);
    }
    instants_sort(&instants, &workers);
    for (size_t i = 0; i < 4; i++) {
        assert_true(worker_set_next(&workers, &cursor));
        assert_int_equal(cursor.worker, SORTED[i]);
        assert_int_equal(instants.items[i], 100 * SORTED[i]);
    }
    instants_finish(&instants);
    worker_set_finish(&workers);
}

static void only_reads_have_them(void **state)
{
    (void)state;
    assert_true(instants_are_with(&(struct operation){.kind = OPERATION_READ, .first_ns = 1}));
    assert_false(instants_are_with(&(struct operation){.kind = OPERATION_READ}));
    assert_false(instants_are_with(&(struct operation){.kind = OPERATION_WRITTEN, .first_ns = 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_fit_and_no_more),
        cmocka_unit_test(so_far_apart_and_no_further),
        cmocka_unit_test(they_are_told_as_what_came_after_the_first),
        cmocka_unit_test(they_go_with_their_workers),
        cmocka_unit_test(only_reads_have_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
