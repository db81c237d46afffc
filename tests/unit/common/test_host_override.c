/* Addresses that the user has set for hosts: what can be read, and which entry counts. */
#include "common/host_override.h"
#include "tests/unit/common/check.h"

#include <string.h>

static void entries_are_host_port_and_addresses(void **state)
{
    static const char *const good[] = {"", "  \n", "app.example:443:10.0.0.7",
                                       "app.example:1:10.0.0.7,10.0.0.8  b:65535:::1\n",
                                       "*:80:[fd00::1],10.0.0.1"};
    static const char *const bad[] = {
        "app.example",      "app.example:443", "app.example:443:",     ":443:10.0.0.7",   "a:0:10.0.0.7",
        "a:65536:10.0.0.7", "a:4x:10.0.0.7",   "a::10.0.0.7",          "a:80:b.example",  "a:80:10.0.0.7,",
        "a:80:,10.0.0.7",   "a:80:10.0.0.7 b", "a:80:1.1.1.1:2.2.2.2", "a:000080:1.1.1.1"};
    struct error error;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(host_overrides_check(bytes_of_string(good[i]), NULL));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (host_overrides_check(bytes_of_string(bad[i]), &error)) {
            fail_msg("%s", bad[i]);
        }
        assert_non_null(strstr(error.text, "is not HOST:PORT:ADDRESS"));
    }
    assert_false(host_overrides_check(bytes_of_string("a\x1b[2J:80"), &error));
    assert_int_equal(strncmp(error.text, "\"?\" is not", 10), 0);
    /* Seventeen addresses. */
    assert_false(host_overrides_check(
        bytes_of_string("a:80:::1,::2,::3,::4,::5,::6,::7,::8,::9,::a,::b,::c,::d,::e,::f,::10,::11"), NULL));
    assert_true(host_overrides_check(
        bytes_of_string("a:80:::1,::2,::3,::4,::5,::6,::7,::8,::9,::a,::b,::c,::d,::e,::f,::10"), NULL));
}

static void expect(const char *text, const char *host, uint16_t port, const char *first, const char *second)
{
    struct host_override entry;
    struct address address;
    char literal[ADDRESS_TEXT_BYTES];

    if (first == NULL) {
        assert_false(host_override_find(bytes_of_string(text), host, port, &entry));
        return;
    }
    assert_true(host_override_find(bytes_of_string(text), host, port, &entry));
    assert_true(host_override_next_address(&entry.addresses, &address));
    address_text(&address, literal);
    assert_string_equal(literal, first);
    assert_int_equal(host_override_next_address(&entry.addresses, &address), second != NULL);
    if (second != NULL) {
        address_text(&address, literal);
        assert_string_equal(literal, second);
        assert_false(host_override_next_address(&entry.addresses, &address));
    }
}

static void the_first_entry_for_host_and_port_counts(void **state)
{
    static const char text[] = "app.example:443:10.0.0.7,fd00::7 app.example:80:10.0.0.8 *:443:10.0.0.9";

    (void)state;
    expect(text, "app.example", 443, "10.0.0.7", "fd00::7");
    expect(text, "APP.example", 80, "10.0.0.8", NULL);
    expect(text, "app.exampl", 443, "10.0.0.9", NULL);
    expect(text, "app.example", 8080, NULL, NULL);
    expect("", "app.example", 80, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_host_port_and_addresses),
        cmocka_unit_test(the_first_entry_for_host_and_port_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
