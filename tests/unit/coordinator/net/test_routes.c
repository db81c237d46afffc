/* Routes and refusals: who may speak for whom, and the sentence about those who may not. */
#include "coordinator/net/refusals.h"
#include "coordinator/net/routes.h"

#include "common/map.h"

#include "tests/unit/common/check.h"
#include <stdio.h>

#define KEY_A "8(kF[vxlwyicaBKF]PXS{04ot4[O$JN4SFI.Hq&m"
#define KEY_B "ca<fBnd#yvb]Y{ouNcQNoaylHOH1#(h4b]?@j7J9"

static struct socket_sender from(const char *route, const char *key)
{
    return (struct socket_sender){.route = bytes_of_string(route), .key = key};
}

static enum route_verdict take(struct routes *routes, uint64_t incarnation, const char *route,
                               const char *key)
{
    struct socket_sender sender = from(route, key);
    return routes_take(routes, incarnation, &sender);
}

static void expect_route(const struct routes *routes, uint64_t incarnation, const char *route)
{
    assert_true(bytes_equal_string(routes_find(routes, incarnation), route));
}

static void an_incarnation_takes_its_route_along(void **state)
{
    (void)state;
    struct routes *routes = routes_new();
    expect_route(routes, 1, "");
    assert_int_equal(take(routes, 1, "r1", NULL), ROUTE_TAKEN);
    assert_int_equal(take(routes, 1, "r1", NULL), ROUTE_TAKEN);
    expect_route(routes, 1, "r1");
    assert_int_equal(take(routes, 1, "r2", NULL), ROUTE_TAKEN); /* it has reconnected */
    expect_route(routes, 1, "r2");
    assert_int_equal(take(routes, 2, "r1", NULL), ROUTE_TAKEN); /* which is free again */
    assert_int_equal(routes_count(routes), 2);
    routes_forget(routes, 1);
    routes_forget(routes, 1);
    expect_route(routes, 1, "");
    assert_int_equal(take(routes, 3, "r2", NULL), ROUTE_TAKEN);
    routes_free(&routes);
    routes_free(&routes);
}

static void only_the_same_key_takes_a_route_over(void **state)
{
    (void)state;
    struct routes *routes = routes_new();
    assert_int_equal(take(routes, 1, "r1", KEY_A), ROUTE_TAKEN);
    assert_int_equal(take(routes, 1, "r2", KEY_B), ROUTE_OF_ANOTHER_KEY);
    assert_int_equal(take(routes, 1, "r1", KEY_B),
                     ROUTE_OF_ANOTHER_KEY); /* a connection with the same name */
    assert_int_equal(take(routes, 1, "r2", NULL), ROUTE_OF_ANOTHER_KEY);
    expect_route(routes, 1, "r1");
    assert_int_equal(take(routes, 1, "r3", KEY_A), ROUTE_TAKEN);
    expect_route(routes, 1, "r3");
    routes_free(&routes);
}

static void a_connection_speaks_for_one(void **state)
{
    (void)state;
    struct routes *routes = routes_new();
    assert_int_equal(take(routes, 1, "r1", NULL), ROUTE_TAKEN);
    assert_int_equal(take(routes, 2, "r1", NULL), ROUTE_IN_USE);
    assert_int_equal(take(routes, 2, "r2", NULL), ROUTE_TAKEN);
    assert_int_equal(take(routes, 2, "r1", NULL), ROUTE_IN_USE);
    expect_route(routes, 2, "r2");
    routes_forget(routes, 1);
    assert_int_equal(take(routes, 2, "r1", NULL), ROUTE_TAKEN);
    routes_free(&routes);
}

static void they_are_bounded(void **state)
{
    (void)state;
    struct routes *routes = routes_new();
    size_t taken = 0;
    char route[20];
    for (uint64_t i = 1; i <= 20000; i++) {
        (void)snprintf(route, sizeof route, "%u", (unsigned)i);
        taken += take(routes, i, route, NULL) == ROUTE_TAKEN;
    }
    assert_int_equal(taken, 8192);
    assert_int_equal(take(routes, 20001, "new", NULL), ROUTES_FULL);
    assert_int_equal(take(routes, 1, "moved", NULL), ROUTE_TAKEN);
    routes_free(&routes);
}

static void those_with_a_key_are_gone_through(void **state)
{
    (void)state;
    struct routes *routes = routes_new();
    struct map_cursor cursor = {0};
    uint64_t incarnation = 0;
    assert_int_equal(take(routes, 1, "r1", KEY_A), ROUTE_TAKEN);
    assert_int_equal(take(routes, 2, "r2", NULL), ROUTE_TAKEN);
    assert_int_equal(take(routes, 3, "r3", KEY_B), ROUTE_TAKEN);
    assert_string_equal(routes_next(routes, &cursor, &incarnation), KEY_A);
    assert_int_equal(incarnation, 1);
    routes_forget(routes, 1);
    assert_string_equal(routes_next(routes, &cursor, &incarnation), KEY_B);
    assert_int_equal(incarnation, 3);
    assert_null(routes_next(routes, &cursor, &incarnation));
    routes_free(&routes);
}

static void refusals_are_told_of_once(void **state)
{
    (void)state;
    struct refusals refusals = {0};
    struct buffer text;
    buffer_init(&text, 1024);
    enum log_level level;
    assert_false(refusals_tell(&refusals, &text, &level));
    refusals.counts[REFUSAL_CUT] = 5;
    assert_true(refusals_tell(&refusals, &text, &level));
    assert_int_equal(level, LOG_INFO); /* it may have been a probe */
    assert_string_equal(buffer_string(&text), "refused: 5 connections that ended too early");
    buffer_clear(&text);
    refusals.counts[REFUSAL_STRANGER] = 3;
    refusals.counts[REFUSAL_FOREIGN] = 1;
    refusals.counts[REFUSAL_CUT] = 7;
    assert_true(refusals_tell(&refusals, &text, &level));
    assert_string_equal(buffer_string(&text),
                        "refused: 3 connections with a key that is not on the list, 2 connections that ended "
                        "too early, 1 frame in the name of another agent");
    buffer_clear(&text);
    assert_false(refusals_tell(&refusals, &text, &level));
    refusals.counts[REFUSAL_STRANGER]++;
    assert_true(refusals_tell(&refusals, &text, &level));
    assert_int_equal(level, LOG_WARNING);
    assert_string_equal(buffer_string(&text), "refused: 1 connection with a key that is not on the list");
    for (int kind = 0; kind < REFUSAL_COUNT; kind++) {
        assert_true(strlen(refusal_name((enum refusal)kind)) > 0);
    }
    buffer_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_incarnation_takes_its_route_along),
        cmocka_unit_test(only_the_same_key_takes_a_route_over),
        cmocka_unit_test(a_connection_speaks_for_one),
        cmocka_unit_test(they_are_bounded),
        cmocka_unit_test(those_with_a_key_are_gone_through),
        cmocka_unit_test(refusals_are_told_of_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
