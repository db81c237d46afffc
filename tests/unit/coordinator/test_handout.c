/* Which agent a worker belongs to. */
#include "coordinator/core/handout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_seats_of_a_room_sit_on_different_agents(void **state)
{
    (void)state;
    struct handout *handout = handout_new(10, 4);
    uint32_t expected[] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1};
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(handout_place(handout, i), expected[i]);
    }
    struct worker_set workers = {0};
    handout_workers(handout, 1, &workers);
    char text[100];
    worker_set_describe(&workers, text, sizeof text);
    assert_string_equal(text, "workers 1, 5 and 9");
    assert_int_equal(workers.run_count, 1);
    worker_set_finish(&workers);
    handout_free(&handout);
}

static void nobody_owns_a_worker_that_there_is_not(void **state)
{
    (void)state;
    struct handout *handout = handout_new(4, 2);
    assert_int_equal(handout_place(handout, 4), HANDOUT_NOBODY);
    assert_int_equal(handout_place(handout, UINT32_MAX), HANDOUT_NOBODY);
    handout_free(&handout);
}

static void a_worker_that_moves_changes_its_owner(void **state)
{
    (void)state;
    struct handout *handout = handout_new(6, 2);
    struct worker_set workers = {0};
    handout_workers(handout, 0, &workers);
    assert_true(handout_owns_all(handout, 0, &workers));
    handout_give(handout, 2, 1);
    assert_false(handout_owns_all(handout, 0, &workers));
    assert_int_equal(handout_place(handout, 2), 1);
    handout_give(handout, 2, HANDOUT_NOBODY);
    assert_int_equal(handout_place(handout, 2), HANDOUT_NOBODY);
    worker_set_finish(&workers);
    handout_free(&handout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seats_of_a_room_sit_on_different_agents),
        cmocka_unit_test(nobody_owns_a_worker_that_there_is_not),
        cmocka_unit_test(a_worker_that_moves_changes_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
