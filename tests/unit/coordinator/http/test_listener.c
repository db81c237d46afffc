/* Addresses to listen on: their spellings, who can reach them, and ports that are taken. */
#include "coordinator/http/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void addresses_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
        bool is_loopback;
    } good[] = {
        {"127.0.0.1:7441", "127.0.0.1", 7441, true},
        {"127.9.9.9:1", "127.9.9.9", 1, true},
        {"[::1]:0", "::1", 0, true},
        {"localhost:65535", "localhost", 65535, true},
        {"0.0.0.0:80", "0.0.0.0", 80, false},
        {"[::]:80", "::", 80, false},
        {"*:7440", "*", 7440, false},
        {"192.0.2.1:5", "192.0.2.1", 5, false},
        {"[::ffff:127.0.0.1]:5", "::ffff:127.0.0.1", 5, false},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct listener_address address;
        struct error error;
        assert_true(listener_parse(good[i].text, &address, &error));
        assert_string_equal(address.host, good[i].host);
        assert_int_equal(address.port, good[i].port);
        assert_int_equal(listener_is_loopback(&address), good[i].is_loopback);
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        ":",           "7441",   "host:", "host:x", "host:70000",
                                      "host:1x", ":7441",       "::1:80", "[]:80", "[::1]",  "[::1:80",
                                      "host:-1", "host:000080", "a/b:1",  "h: 80", "h:80 ",  "http://h:80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct listener_address address;
        struct error error;
        assert_false(listener_parse(bad[i], &address, &error));
    }
}

static void a_name_that_is_unknown_is_not_taken_for_loopback(void **state)
{
    (void)state;
    struct listener_address address = {.host = "no.such.name.invalid", .port = 1};
    struct error error;
    assert_false(listener_is_loopback(&address));
    assert_int_equal(listener_open(&address, &error), -1);
}

static void a_port_is_opened_once(void **state)
{
    (void)state;
    struct listener_address address = {.host = "127.0.0.1"};
    struct error error;
    int first = listener_open(&address, &error);
    assert_true(first >= 0);
    address.port = listener_port(first);
    assert_int_not_equal(address.port, 0);
    assert_int_equal(listener_open(&address, &error), -1);
    assert_non_null(strstr(error.text, "in use by another program"));
    close(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(a_name_that_is_unknown_is_not_taken_for_loopback),
        cmocka_unit_test(a_port_is_opened_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
