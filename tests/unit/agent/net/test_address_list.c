/* Addresses as text, and the order in which they are tried. */
#include "agent/net/address_list.h"

#include "tests/unit/common/check.h"

#include <stdio.h>

static struct address_list list_of(const char *const *hosts)
{
    struct address_list list = {.count = 0};

    for (size_t i = 0; hosts[i] != NULL; i++) {
        struct net_address address;
        assert_true(net_address_parse(hosts[i], &address));
        address_list_add(&list, &address);
    }
    return list;
}

static void expect_order(const char *const *hosts, uint32_t turn, const char *order)
{
    struct address_list list = list_of(hosts);
    char text[600] = "";

    address_list_arrange(&list, turn);
    for (uint32_t i = 0; i < list.count; i++) {
        char one[80];
        net_address_set_port(&list.items[i], 80);
        net_address_text(&list.items[i], one, sizeof one);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "", one);
    }
    assert_string_equal(text, order);
}

static void literals_are_read_and_written(void **state)
{
    static const char *const junk[] = {"",      "example.org", "1.2.3",     "1.2.3.4.5", "[::1]",
                                       "::1%1", "1.2.3.4:80",  "1.2.3.256", "0x7f.1",    NULL};
    struct net_address address;
    char text[80];

    (void)state;
    for (size_t i = 0; junk[i] != NULL; i++) {
        assert_false(net_address_parse(junk[i], &address));
    }
    assert_true(net_address_parse("127.0.0.1", &address));
    assert_int_equal(net_address_size(&address), sizeof(struct sockaddr_in));
    net_address_set_port(&address, 65535);
    net_address_text(&address, text, sizeof text);
    assert_string_equal(text, "127.0.0.1:65535");
    assert_true(net_address_parse("2001:DB8::1", &address));
    assert_int_equal(net_address_size(&address), sizeof(struct sockaddr_in6));
    net_address_text(&address, text, sizeof text);
    assert_string_equal(text, "[2001:db8::1]:0");
}

static void families_take_turns(void **state)
{
    static const char *const both[] = {"::1", "::2", "::3", "1.0.0.1", "1.0.0.2", NULL};
    static const char *const four_first[] = {"1.0.0.1", "::1", "::2", NULL};

    (void)state;
    expect_order(both, 0, "[::1]:80 1.0.0.1:80 [::2]:80 1.0.0.2:80 [::3]:80");
    expect_order(four_first, 0, "1.0.0.1:80 [::1]:80 [::2]:80");
}

static void each_begins_with_another(void **state)
{
    static const char *const three[] = {"1.0.0.1", "1.0.0.2", "1.0.0.3", NULL};
    static const char *const both[] = {"::1", "::2", "1.0.0.1", "1.0.0.2", NULL};

    (void)state;
    expect_order(three, 1, "1.0.0.2:80 1.0.0.3:80 1.0.0.1:80");
    expect_order(three, 2, "1.0.0.3:80 1.0.0.1:80 1.0.0.2:80");
    expect_order(three, UINT32_MAX, "1.0.0.1:80 1.0.0.2:80 1.0.0.3:80");
    expect_order(both, 1, "[::2]:80 1.0.0.2:80 [::1]:80 1.0.0.1:80");
    expect_order(both + 4, 7, "");
}

static void a_list_holds_each_once_and_not_too_many(void **state)
{
    static const char *const twice[] = {"1.0.0.1", "1.0.0.1", "::1", "::1", NULL};
    struct address_list list = list_of(twice);
    struct net_address address;

    (void)state;
    assert_int_equal(list.count, 2);
    for (uint32_t i = 0; i < 2 * ADDRESS_LIST_MAX; i++) {
        char text[20];
        snprintf(text, sizeof text, "10.0.0.%u", i);
        assert_true(net_address_parse(text, &address));
        address_list_add(&list, &address);
    }
    assert_int_equal(list.count, ADDRESS_LIST_MAX);
    address_list_arrange(&list, 5);
    assert_int_equal(list.count, ADDRESS_LIST_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_read_and_written),
        cmocka_unit_test(families_take_turns),
        cmocka_unit_test(each_begins_with_another),
        cmocka_unit_test(a_list_holds_each_once_and_not_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
