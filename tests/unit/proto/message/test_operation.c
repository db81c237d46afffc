/* The small functions about operations and rooms. */
#include "proto/message/campaign.h"
#include "proto/message/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_kind_is_described(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < OPERATION_KIND_COUNT; kind++) {
        assert_true(strlen(operation_name((enum operation_kind)kind)) > 0);
        /* Waits are ended by an answer. */
        assert_true(!operation_is_wait((enum operation_kind)kind) ||
                    operation_is_answered((enum operation_kind)kind));
    }
    assert_string_equal(operation_name(OPERATION_WAIT_READERS), "wait_for_readers");
    for (unsigned outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        assert_true(strlen(outcome_name((enum outcome)outcome)) > 0);
    }
    assert_string_equal(outcome_name(OUTCOME_DEADLOCK), "deadlock");
}

static unsigned count_where(bool (*is_so)(enum operation_kind))
{
    unsigned count = 0;
    for (unsigned kind = 0; kind < OPERATION_KIND_COUNT; kind++) {
        count += is_so((enum operation_kind)kind) ? 1 : 0;
    }
    return count;
}

static void kinds_are_sorted(void **state)
{
    (void)state;
    assert_int_equal(count_where(operation_is_wait), 6);
    assert_true(operation_is_wait(OPERATION_GET_OR_MAKE));
    assert_int_equal(count_where(operation_is_aggregated), 9);
    assert_true(operation_is_aggregated(OPERATION_RELEASED) && !operation_is_aggregated(OPERATION_DECLARE));
    assert_int_equal(count_where(operation_is_answered), OPERATION_KIND_COUNT - 9);
    assert_false(operation_is_answered(OPERATION_SETTLED) || operation_is_answered(OPERATION_GIVEN_UP));
    assert_false(operation_is_answered(OPERATION_MAKING_FAILED));
}

static void rooms_divide_the_workers(void **state)
{
    (void)state;
    struct campaign_options options = {.workers = 12, .room_size = 5};
    assert_int_equal(campaign_room_size(&options), 5);
    assert_int_equal(campaign_room_count(&options), 3);
    assert_int_equal(campaign_workers_of_room(&options, 1), 5);
    assert_int_equal(campaign_workers_of_room(&options, 2), 2);
    assert_int_equal(campaign_workers_of_room(&options, 3), 0);
    assert_int_equal(campaign_workers_of_room(&options, UINT32_MAX), 0);
    options.room_size = 0;
    assert_int_equal(campaign_room_size(&options), 12);
    assert_int_equal(campaign_room_count(&options), 1);
    options.room_size = 100;
    assert_int_equal(campaign_room_size(&options), 12);
    options = (struct campaign_options){.workers = 0};
    assert_int_equal(campaign_room_size(&options), 1);
    assert_int_equal(campaign_room_count(&options), 0);
    options = (struct campaign_options){.workers = UINT32_MAX, .room_size = 2};
    assert_int_equal(campaign_room_count(&options), 1u << 31);
    assert_int_equal(campaign_workers_of_room(&options, (1u << 31) - 1), 1);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(every_kind_is_described),
        cmocka_unit_test(kinds_are_sorted),
        cmocka_unit_test(rooms_divide_the_workers),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
