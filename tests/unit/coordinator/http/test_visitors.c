/* Connections that are too many, or too slow. */
#include "coordinator/http/visitors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct visitors_settings settings = {.most = 8,
                                                  .most_each = 3,
                                                  .spare = 2,
                                                  .headers_ms = 10000,
                                                  .idle_ms = 30000,
                                                  .body_ms = 20000,
                                                  .answer_ms = 30000};

static struct address address(const char *literal)
{
    struct address parsed;
    assert_true(address_parse(bytes_of_string(literal), &parsed));
    return parsed;
}

static struct visitor *come(struct visitors *visitors, const char *from, uint64_t now_ms,
                            struct visitor **victim)
{
    struct address peer = address(from);
    return visitors_come(visitors, &peer, 7, now_ms, victim);
}

static void leave_all(struct visitors **visitors, struct visitor **all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        visitors_leave(*visitors, &all[i]);
    }
    assert_int_equal(visitors_count(*visitors), 0);
    visitors_free(visitors);
}

static void a_byte_now_and_then_does_not_help(void **state)
{
    (void)state;
    struct visitors *visitors = visitors_new(&settings, NULL);
    struct visitor *victim = NULL;
    struct visitor *one = come(visitors, "10.0.0.1", 1000, &victim);
    assert_int_equal(visitors_due_ms(visitors), 11000);
    assert_null(visitors_overdue(visitors, 10999));
    assert_ptr_equal(visitors_overdue(visitors, 11000), one);
    /* A body buys time by what came of it, from its beginning on. */
    assert_true(visitor_asks(visitors, one, bytes_of(NULL, 0), bytes_of(NULL, 0), 2000));
    assert_int_equal(visitors_due_ms(visitors), 22000);
    visitor_sends(visitors, one, 10);
    assert_int_equal(visitors_due_ms(visitors), 22000);
    visitor_sends(visitors, one, 10 * VISITOR_BYTES_A_SECOND);
    assert_int_equal(visitors_due_ms(visitors), 32000);
    visitor_is_served(one);
    assert_int_equal(visitors_due_ms(visitors), UINT64_MAX);
    visitor_reads(visitors, one, VISITOR_BYTES_A_SECOND, 50000);
    assert_int_equal(visitors_due_ms(visitors), 81000);
    visitor_rests(visitors, one, 60000);
    assert_int_equal(visitors_due_ms(visitors), 90000);
    visitor_dismiss(one);
    assert_int_equal(visitors_due_ms(visitors), UINT64_MAX);
    visitor_rests(visitors, one, 95000); /* what libmicrohttpd still says of it */
    assert_int_equal(visitors_due_ms(visitors), UINT64_MAX);
    leave_all(&visitors, &one, 1);
}

static void the_silent_make_room(void **state)
{
    (void)state;
    struct visitors *visitors = visitors_new(&settings, NULL);
    struct visitor *all[5];
    struct visitor *victim = NULL;
    for (uint64_t i = 0; i < 3; i++) {
        all[i] = come(visitors, "10.0.0.1", 1000 + i, &victim);
        assert_null(victim);
    }
    /* A moment ago: they may be about to say something. */
    all[3] = come(visitors, "10.0.0.1", 1500, &victim);
    assert_null(victim);
    assert_true(visitor_is_turned_away(all[3]));
    assert_int_equal(visitors_due_ms(visitors), 3500); /* it is told, but not waited for */
    assert_true(visitor_asks(visitors, all[0], bytes_of(NULL, 0), bytes_of(NULL, 0), 1600));
    all[4] = come(visitors, "10.0.0.1", 2500, &victim);
    assert_ptr_equal(victim, all[1]); /* the most silent; the first has a request under way */
    assert_false(visitor_is_turned_away(all[4]));
    visitor_dismiss(victim);
    leave_all(&visitors, all, 5);
}

static void others_do_not_pay_for_it(void **state)
{
    (void)state;
    struct visitors *visitors = visitors_new(&settings, NULL);
    static const char *const from[] = {"10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.2",
                                       "10.0.0.2", "10.0.0.3", "10.0.0.3", "10.0.0.4", "10.0.0.5"};
    struct visitor *all[13];
    struct visitor *victim = NULL;
    for (size_t i = 0; i < 8; i++) {
        all[i] = come(visitors, from[i], 1000 + i, &victim);
        assert_null(victim);
    }
    all[8] = come(visitors, from[8], 5000, &victim); /* all places are taken */
    assert_ptr_equal(victim, all[0]);
    assert_false(visitor_is_turned_away(all[8]));
    visitor_dismiss(victim);
    for (size_t i = 1; i < 9; i++) {
        assert_true(visitor_asks(visitors, all[i], bytes_of(NULL, 0), bytes_of(NULL, 0), 5000));
    }
    /* All are at work: nobody is cut off, and newcomers are told so, but for those beyond the spare places.
     */
    all[9] = come(visitors, from[9], 9000, &victim);
    assert_null(victim);
    assert_true(visitor_is_turned_away(all[9]));
    assert_null(visitors_overdue(visitors, 9000));
    all[10] = come(visitors, "10.0.0.6", 9000, &victim);
    assert_ptr_equal(visitors_overdue(visitors, 9000), all[10]);
    leave_all(&visitors, all, 11);
}

static void behind_a_proxy_clients_count(void **state)
{
    (void)state;
    struct trusted_proxies proxies = {0};
    assert_true(trusted_proxies_add(&proxies, bytes_of_string("10.0.0.1"), NULL));
    struct visitors *visitors = visitors_new(&settings, &proxies);
    struct visitor *all[6];
    struct visitor *victim = NULL;
    for (size_t i = 0; i < 6; i++) {
        all[i] = come(visitors, "10.0.0.1", 1000, &victim);
        assert_null(victim);
        assert_false(visitor_is_turned_away(all[i]));
    }
    struct bytes first = bytes_of_string("203.0.113.1");
    struct bytes second = bytes_of_string("203.0.113.2");
    for (size_t i = 0; i < 3; i++) {
        assert_true(visitor_asks(visitors, all[i], first, bytes_of(NULL, 0), 1000));
    }
    assert_false(visitor_asks(visitors, all[3], first, bytes_of(NULL, 0), 1000));
    assert_true(visitor_asks(visitors, all[4], second, bytes_of(NULL, 0), 1000));
    visitor_rests(visitors, all[3], 1000);
    visitor_rests(visitors, all[0], 1000); /* a request is over: there is room for another */
    assert_true(visitor_asks(visitors, all[5], first, bytes_of(NULL, 0), 1000));
    /* A connection that the proxy uses again is for whom it says then. */
    assert_true(visitor_asks(visitors, all[0], second, bytes_of(NULL, 0), 2000));
    leave_all(&visitors, all, 6);
}

/* Who is no proxy of ours says in vain that it speaks for others. */
static void a_stranger_is_not_believed(void **state)
{
    (void)state;
    struct trusted_proxies proxies = {0};
    assert_true(trusted_proxies_add(&proxies, bytes_of_string("10.0.0.1"), NULL));
    struct visitors *visitors = visitors_new(&settings, &proxies);
    struct visitor *all[4];
    struct visitor *victim = NULL;
    for (size_t i = 0; i < 4; i++) {
        all[i] = come(visitors, "10.0.0.9", 1000, &victim);
        assert_int_equal(visitor_is_turned_away(all[i]), i == 3);
        (void)visitor_asks(visitors, all[i], bytes_of_string("203.0.113.1"), bytes_of(NULL, 0), 1000);
    }
    leave_all(&visitors, all, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_now_and_then_does_not_help), cmocka_unit_test(the_silent_make_room),
        cmocka_unit_test(others_do_not_pay_for_it),          cmocka_unit_test(behind_a_proxy_clients_count),
        cmocka_unit_test(a_stranger_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
