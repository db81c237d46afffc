/* Timers fire in order of their deadlines, equal ones in the order in which they were set. */
#include "common/random.h"
#include "common/timers.h"
#include "tests/unit/common/check.h"

#define TIMERS 200u

static void test_order(void **state)
{
    (void)state;
    struct timer a;
    struct timer b;
    struct timer c;
    timer_init(&a);
    timer_init(&b);
    timer_init(&c);
    SCOPED(timers_free) struct timers *timers = timers_new();
    assert_true(timers_next_ns(timers) == TIMERS_NEVER);
    timers_set(timers, &a, 30);
    timers_set(timers, &b, 10);
    timers_set(timers, &c, 20);
    assert_true(timers_next_ns(timers) == 10);
    assert_null(timers_take_due(timers, 9));
    assert_ptr_equal(timers_take_due(timers, 25), &b);
    assert_ptr_equal(timers_take_due(timers, 25), &c);
    assert_null(timers_take_due(timers, 25));
    assert_int_equal(b.position, TIMER_UNSET);
    assert_ptr_equal(timers_take_due(timers, 30), &a);
    assert_true(timers_next_ns(timers) == TIMERS_NEVER);
}

static void test_equal_ones_fire_as_they_were_set(void **state)
{
    (void)state;
    struct timer all[TIMERS];
    SCOPED(timers_free) struct timers *timers = timers_new();
    for (unsigned i = 0; i < TIMERS; i++) {
        timer_init(&all[i]);
        timers_set(timers, &all[i], 7);
    }
    /* Setting it again puts it after the others. */
    timers_set(timers, &all[0], 7);
    for (unsigned i = 1; i <= TIMERS; i++) {
        assert_ptr_equal(timers_take_due(timers, 7), &all[i % TIMERS]);
    }
    assert_null(timers_take_due(timers, 7));
}

static void test_unset_ones_do_not_fire(void **state)
{
    (void)state;
    struct timer a;
    struct timer b;
    timer_init(&a);
    timer_init(&b);
    SCOPED(timers_free) struct timers *timers = timers_new();
    timers_set(timers, &a, 1);
    timers_set(timers, &b, 2);
    timers_unset(timers, &a);
    timers_unset(timers, &a);
    assert_int_equal(a.position, TIMER_UNSET);
    assert_true(timers_next_ns(timers) == 2);
    assert_ptr_equal(timers_take_due(timers, 100), &b);
    assert_null(timers_take_due(timers, 100));
}

/* The one that a linear search would choose. */
static struct timer *soonest(struct timer *all)
{
    struct timer *found = NULL;
    for (unsigned i = 0; i < TIMERS; i++) {
        struct timer *timer = &all[i];
        if (timer->position != TIMER_UNSET &&
            (found == NULL || timer->due_ns < found->due_ns ||
             (timer->due_ns == found->due_ns && timer->order < found->order))) {
            found = timer;
        }
    }
    return found;
}

static void test_agrees_with_a_search(void **state)
{
    (void)state;
    struct timer all[TIMERS];
    struct random random;
    random_seed(&random, 7);
    SCOPED(timers_free) struct timers *timers = timers_new();
    for (unsigned i = 0; i < TIMERS; i++) {
        timer_init(&all[i]);
    }
    for (unsigned step = 0; step < 5000; step++) {
        struct timer *timer = &all[random_below(&random, TIMERS)];
        uint64_t action = random_below(&random, 10);
        if (action < 6) {
            timers_set(timers, timer, random_below(&random, 50));
        } else if (action < 8) {
            timers_unset(timers, timer);
        } else {
            struct timer *expected = soonest(all);
            assert_ptr_equal(timers_take_due(timers, 50), expected);
        }
        struct timer *next = soonest(all);
        assert_true(timers_next_ns(timers) == (next == NULL ? TIMERS_NEVER : next->due_ns));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_equal_ones_fire_as_they_were_set),
        cmocka_unit_test(test_unset_ones_do_not_fire),
        cmocka_unit_test(test_agrees_with_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
