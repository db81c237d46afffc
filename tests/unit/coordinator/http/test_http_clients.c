/* Connections that are too many, or too slow. */
#include "coordinator/http/http_clients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct http_clients_settings settings = {.most = 8,
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

static struct http_client *come(struct http_clients *http_clients, const char *from, uint64_t now_ms,
                                struct http_client **victim)
{
    struct address peer = address(from);
    return http_clients_come(http_clients, &peer, 7, now_ms, victim);
}

static void leave_all(struct http_clients **http_clients, struct http_client **all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        http_clients_leave(*http_clients, &all[i]);
    }
    assert_int_equal(http_clients_count(*http_clients), 0);
    http_clients_free(http_clients);
}

static void a_byte_now_and_then_does_not_help(void **state)
{
    (void)state;
    struct http_clients *http_clients = http_clients_new(&settings, NULL);
    struct http_client *victim = NULL;
    struct http_client *one = come(http_clients, "10.0.0.1", 1000, &victim);
    assert_int_equal(http_clients_due_ms(http_clients), 11000);
    assert_null(http_clients_overdue(http_clients, 10999));
    assert_ptr_equal(http_clients_overdue(http_clients, 11000), one);
    /* A body gets time for the bytes that arrived, counted from its beginning. */
    assert_true(http_client_asks(http_clients, one, bytes_of(NULL, 0), bytes_of(NULL, 0), 2000));
    assert_int_equal(http_clients_due_ms(http_clients), 22000);
    http_client_sends(http_clients, one, 10);
    assert_int_equal(http_clients_due_ms(http_clients), 22000);
    http_client_sends(http_clients, one, 10 * HTTP_CLIENT_BYTES_A_SECOND);
    assert_int_equal(http_clients_due_ms(http_clients), 32000);
    http_client_is_served(one);
    assert_int_equal(http_clients_due_ms(http_clients), UINT64_MAX);
    http_client_reads(http_clients, one, HTTP_CLIENT_BYTES_A_SECOND, 50000);
    assert_int_equal(http_clients_due_ms(http_clients), 81000);
    http_client_rests(http_clients, one, 60000);
    assert_int_equal(http_clients_due_ms(http_clients), 90000);
    http_client_dismiss(one);
    assert_int_equal(http_clients_due_ms(http_clients), UINT64_MAX);
    http_client_rests(http_clients, one, 95000); /* what libmicrohttpd still says of it */
    assert_int_equal(http_clients_due_ms(http_clients), UINT64_MAX);
    leave_all(&http_clients, &one, 1);
}

static void the_silent_make_room(void **state)
{
    (void)state;
    struct http_clients *http_clients = http_clients_new(&settings, NULL);
    struct http_client *all[5];
    struct http_client *victim = NULL;
    for (uint64_t i = 0; i < 3; i++) {
        all[i] = come(http_clients, "10.0.0.1", 1000 + i, &victim);
        assert_null(victim);
    }
    /* A moment ago: they may be about to send something. */
    all[3] = come(http_clients, "10.0.0.1", 1500, &victim);
    assert_null(victim);
    assert_true(http_client_is_turned_away(all[3]));
    assert_int_equal(http_clients_due_ms(http_clients), 3500); /* it is told, but not waited for */
    assert_true(http_client_asks(http_clients, all[0], bytes_of(NULL, 0), bytes_of(NULL, 0), 1600));
    all[4] = come(http_clients, "10.0.0.1", 2500, &victim);
    assert_ptr_equal(victim, all[1]); /* the one idle for longest; the first has a request in progress */
    assert_false(http_client_is_turned_away(all[4]));
    http_client_dismiss(victim);
    leave_all(&http_clients, all, 5);
}

static void others_do_not_pay_for_it(void **state)
{
    (void)state;
    struct http_clients *http_clients = http_clients_new(&settings, NULL);
    static const char *const from[] = {"10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.2",
                                       "10.0.0.2", "10.0.0.3", "10.0.0.3", "10.0.0.4", "10.0.0.5"};
    struct http_client *all[13];
    struct http_client *victim = NULL;
    for (size_t i = 0; i < 8; i++) {
        all[i] = come(http_clients, from[i], 1000 + i, &victim);
        assert_null(victim);
    }
    all[8] = come(http_clients, from[8], 5000, &victim); /* all slots are taken */
    assert_ptr_equal(victim, all[0]);
    assert_false(http_client_is_turned_away(all[8]));
    http_client_dismiss(victim);
    for (size_t i = 1; i < 9; i++) {
        assert_true(http_client_asks(http_clients, all[i], bytes_of(NULL, 0), bytes_of(NULL, 0), 5000));
    }
    /* All are busy: no connection is cut off, and new ones are told so, except those beyond the spare
     * slots. */
    all[9] = come(http_clients, from[9], 9000, &victim);
    assert_null(victim);
    assert_true(http_client_is_turned_away(all[9]));
    assert_null(http_clients_overdue(http_clients, 9000));
    all[10] = come(http_clients, "10.0.0.6", 9000, &victim);
    assert_ptr_equal(http_clients_overdue(http_clients, 9000), all[10]);
    leave_all(&http_clients, all, 11);
}

static void behind_a_proxy_clients_count(void **state)
{
    (void)state;
    struct trusted_proxies proxies = {0};
    assert_true(trusted_proxies_add(&proxies, bytes_of_string("10.0.0.1"), NULL));
    struct http_clients *http_clients = http_clients_new(&settings, &proxies);
    struct http_client *all[6];
    struct http_client *victim = NULL;
    for (size_t i = 0; i < 6; i++) {
        all[i] = come(http_clients, "10.0.0.1", 1000, &victim);
        assert_null(victim);
        assert_false(http_client_is_turned_away(all[i]));
    }
    struct bytes first = bytes_of_string("203.0.113.1");
    struct bytes second = bytes_of_string("203.0.113.2");
    for (size_t i = 0; i < 3; i++) {
        assert_true(http_client_asks(http_clients, all[i], first, bytes_of(NULL, 0), 1000));
    }
    assert_false(http_client_asks(http_clients, all[3], first, bytes_of(NULL, 0), 1000));
    assert_true(http_client_asks(http_clients, all[4], second, bytes_of(NULL, 0), 1000));
    http_client_rests(http_clients, all[3], 1000);
    http_client_rests(http_clients, all[0], 1000); /* a request is over: there is room for another */
    assert_true(http_client_asks(http_clients, all[5], first, bytes_of(NULL, 0), 1000));
    /* When the proxy reuses a connection, it counts for the client named then. */
    assert_true(http_client_asks(http_clients, all[0], second, bytes_of(NULL, 0), 2000));
    leave_all(&http_clients, all, 6);
}

/* A client that is not our proxy cannot claim to speak for others. */
static void a_stranger_is_not_believed(void **state)
{
    (void)state;
    struct trusted_proxies proxies = {0};
    assert_true(trusted_proxies_add(&proxies, bytes_of_string("10.0.0.1"), NULL));
    struct http_clients *http_clients = http_clients_new(&settings, &proxies);
    struct http_client *all[4];
    struct http_client *victim = NULL;
    for (size_t i = 0; i < 4; i++) {
        all[i] = come(http_clients, "10.0.0.9", 1000, &victim);
        assert_int_equal(http_client_is_turned_away(all[i]), i == 3);
        (void)http_client_asks(http_clients, all[i], bytes_of_string("203.0.113.1"), bytes_of(NULL, 0), 1000);
    }
    leave_all(&http_clients, all, 4);
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
