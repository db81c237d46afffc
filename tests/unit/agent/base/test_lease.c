/* How a shard judges the lease from its looks at it. */
#include "agent/base/lease.h"
#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BEGIN_NS (1000 * NS_PER_S)

struct shard {
    _Atomic(uint64_t) until_ns;
    struct lease lease;
};

static void shard_init(struct shard *shard, uint64_t until_ns)
{
    atomic_init(&shard->until_ns, until_ns);
    lease_init(&shard->lease, &shard->until_ns);
    assert_int_equal(lease_look(&shard->lease, BEGIN_NS), LEASE_HOLDS);
}

static void one_that_runs_out_under_our_eyes_is_over(void **state)
{
    struct shard shard;
    (void)state;
    shard_init(&shard, BEGIN_NS + NS_PER_S);
    assert_int_equal(lease_look(&shard.lease, BEGIN_NS + NS_PER_S - 1), LEASE_HOLDS);
    assert_true(lease_is_held(&shard.lease, BEGIN_NS + NS_PER_S - 1));
    assert_int_equal(lease_look(&shard.lease, BEGIN_NS + NS_PER_S), LEASE_OVER);
    assert_false(lease_is_held(&shard.lease, BEGIN_NS + NS_PER_S));
    assert_int_equal(lease_look(&shard.lease, BEGIN_NS + NS_PER_S + LEASE_MOST_HELD_NS - 1), LEASE_OVER);
    assert_int_equal(lease_look(&shard.lease, BEGIN_NS + NS_PER_S + LEASE_MOST_HELD_NS), LEASE_GONE);
    atomic_store(&shard.until_ns, BEGIN_NS + 100 * NS_PER_S);
    assert_int_equal(lease_look(&shard.lease, BEGIN_NS + 50 * NS_PER_S), LEASE_HOLDS);
}

static void one_that_ran_out_while_we_were_frozen_is_gone(void **state)
{
    struct shard shard;
    (void)state;
    shard_init(&shard, BEGIN_NS + NS_PER_S);
    assert_int_equal(lease_look(&shard.lease, BEGIN_NS + LEASE_FROZEN_NS), LEASE_GONE);
    assert_int_equal(lease_look(&shard.lease, BEGIN_NS + LEASE_FROZEN_NS + 1), LEASE_OVER);
}

static void it_may_have_been_taken_away_before_we_thawed(void **state)
{
    struct shard shard;
    (void)state;
    shard_init(&shard, BEGIN_NS + NS_PER_S);
    atomic_store(&shard.until_ns, 0);
    assert_int_equal(lease_look(&shard.lease, BEGIN_NS + LEASE_FROZEN_NS), LEASE_GONE);
}

static void who_is_frozen_for_less_keeps_what_was_begun(void **state)
{
    struct shard shard;
    (void)state;
    shard_init(&shard, BEGIN_NS + NS_PER_S);
    assert_int_equal(lease_look(&shard.lease, BEGIN_NS + LEASE_FROZEN_NS - 1), LEASE_OVER);
}

static void without_one_nothing_is_kept_back(void **state)
{
    struct lease lease;
    (void)state;
    lease_init(&lease, NULL);
    assert_int_equal(lease_look(&lease, BEGIN_NS), LEASE_HOLDS);
    assert_int_equal(lease_look(&lease, BEGIN_NS + 10 * LEASE_FROZEN_NS), LEASE_HOLDS);
    assert_true(lease_is_held(&lease, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_runs_out_under_our_eyes_is_over),
        cmocka_unit_test(one_that_ran_out_while_we_were_frozen_is_gone),
        cmocka_unit_test(it_may_have_been_taken_away_before_we_thawed),
        cmocka_unit_test(who_is_frozen_for_less_keeps_what_was_begun),
        cmocka_unit_test(without_one_nothing_is_kept_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
