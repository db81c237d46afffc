/* What an agent reads off the endpoint that it dials. */
#include "agent/main/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect_host(const char *endpoint, const char *expected)
{
    char host[64];
    endpoint_host(endpoint, host, sizeof host);
    assert_string_equal(host, expected);
}

static void the_host_is_what_is_dialled(void **state)
{
    (void)state;
    expect_host("tcp://load-1.example:7440", "load-1.example");
    expect_host("tcp://[::1]:7440", "[::1]");
    expect_host("tcp://10.0.0.2:0;10.0.0.1:7440", "10.0.0.1");
    expect_host("tcp://[fd00::2]:9000;[fd00::1]:7440", "[fd00::1]");
    expect_host("load-1:7440", "load-1");
}

static void a_long_host_is_cut(void **state)
{
    (void)state;
    char host[5];
    endpoint_host("tcp://coordinator:7440", host, sizeof host);
    assert_string_equal(host, "coor");
}

static void the_source_port_is_that_of_the_address_to_dial_from(void **state)
{
    (void)state;
    assert_int_equal(endpoint_source_port("tcp://10.0.0.1:7440"), 0);
    assert_int_equal(endpoint_source_port("tcp://10.0.0.2:0;10.0.0.1:7440"), 0);
    assert_int_equal(endpoint_source_port("tcp://10.0.0.2:9000;10.0.0.1:7440"), 9000);
    assert_int_equal(endpoint_source_port("tcp://[fd00::2]:9001;[fd00::1]:7440"), 9001);
}

static void expect_at(const char *endpoint, const char *address, const char *expected)
{
    struct address found;
    char text[80];
    assert_true(address_parse(bytes_of_string(address), &found));
    endpoint_at(endpoint, &found, text, sizeof text);
    assert_string_equal(text, expected);
}

static void an_address_takes_the_place_of_the_name(void **state)
{
    (void)state;
    expect_at("tcp://coord.test:7440", "10.0.0.1", "tcp://10.0.0.1:7440");
    expect_at("tcp://coord.test:7440", "fd00::1", "tcp://[fd00::1]:7440");
    expect_at("tcp://10.0.0.2:0;coord.test:7440", "10.0.0.1", "tcp://10.0.0.2:0;10.0.0.1:7440");
    expect_at("tcp://[fd00::2]:9000;coord.test:7440", "fd00::1", "tcp://[fd00::2]:9000;[fd00::1]:7440");
    assert_int_equal(endpoint_port("tcp://10.0.0.2:9000;coord.test:7440"), 7440);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_is_what_is_dialled),
        cmocka_unit_test(a_long_host_is_cut),
        cmocka_unit_test(an_address_takes_the_place_of_the_name),
        cmocka_unit_test(the_source_port_is_that_of_the_address_to_dial_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
