/* What a client holds of bodies, as the shard's account sees it. */
#include "agent/http/http_bodies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KIB 1024u
#define MIB (1024u * KIB)

static char text[MIB];

struct fixture {
    struct memory_account account;
    struct http_bodies bodies;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    memset(text, 'x', sizeof text);
    fixture.account = (struct memory_account){.limit_bytes = 4 * MIB};
    http_bodies_init(&fixture.bodies);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    http_bodies_finish(&fixture->bodies);
    assert_int_equal(fixture->account.body_bytes, 0);
    assert_int_equal(fixture->account.used_bytes, 0);
    return 0;
}

static void a_little_is_not_counted(void **state)
{
    struct fixture *fixture = *state;
    assert_true(http_bodies_begin(&fixture->bodies, &fixture->account, 60 * KIB, MIB));
    assert_true(http_bodies_append(&fixture->bodies, &fixture->bodies.body, text, 60 * KIB));
    assert_int_equal(fixture->account.body_bytes, 0);
    assert_false(http_bodies_drop(&fixture->bodies));
    assert_int_equal(fixture->bodies.body.size, 60 * KIB);
}

static void what_is_more_counts_until_it_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    assert_true(http_bodies_begin(&fixture->bodies, &fixture->account, 264 * KIB, MIB));
    assert_int_equal(fixture->account.body_bytes, 200 * KIB);
    assert_true(http_bodies_append(&fixture->bodies, &fixture->bodies.body, text, 512 * KIB));
    assert_int_equal(fixture->account.body_bytes, 200 * KIB + fixture->bodies.body.capacity - 64 * KIB);
    assert_true(http_bodies_drop(&fixture->bodies));
    assert_int_equal(fixture->account.body_bytes, 0);
    assert_false(http_bodies_drop(&fixture->bodies));
}

static void a_body_longer_than_its_maximum_is_no_lack_of_memory(void **state)
{
    struct fixture *fixture = *state;
    assert_true(http_bodies_begin(&fixture->bodies, &fixture->account, 0, 100));
    assert_true(http_bodies_append(&fixture->bodies, &fixture->bodies.body, text, 100));
    assert_false(http_bodies_append(&fixture->bodies, &fixture->bodies.body, text, 1));
    assert_false(fixture->bodies.is_out_of_memory);
}

static void an_account_without_room_refuses(void **state)
{
    struct fixture *fixture = *state;
    fixture->account.body_bytes = fixture->account.used_bytes = 2 * MIB - 100 * KIB;
    assert_true(http_bodies_begin(&fixture->bodies, &fixture->account, 0, MIB));
    assert_false(http_bodies_append(&fixture->bodies, &fixture->bodies.body, text, 512 * KIB));
    assert_true(fixture->bodies.is_out_of_memory);
    assert_int_equal(fixture->bodies.body.size, 0);
    assert_false(http_bodies_begin(&fixture->bodies, &fixture->account, 512 * KIB, MIB));
    assert_true(fixture->bodies.is_out_of_memory);
    assert_false(http_bodies_drop(&fixture->bodies));
    assert_true(http_bodies_begin(&fixture->bodies, &fixture->account, 0, MIB));
    assert_false(fixture->bodies.is_out_of_memory);
    assert_int_equal(fixture->account.body_bytes, 2 * MIB - 100 * KIB);
    fixture->account.body_bytes = fixture->account.used_bytes = 0;
}

static void without_an_account_nothing_is_counted(void **state)
{
    (void)state;
    struct http_bodies bodies;
    http_bodies_init(&bodies);
    assert_true(http_bodies_begin(&bodies, NULL, 100 * MIB, MIB));
    assert_true(http_bodies_append(&bodies, &bodies.body, text, MIB));
    http_bodies_finish(&bodies);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_little_is_not_counted),
        TEST(what_is_more_counts_until_it_is_dropped),
        TEST(a_body_longer_than_its_maximum_is_no_lack_of_memory),
        TEST(an_account_without_room_refuses),
        cmocka_unit_test(without_an_account_nothing_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
