/* Addresses as texts and sockets, and those of a network by their ordinal. */
#include "common/address.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void expect_pick(const char *text, uint64_t ordinal, const char *expected)
{
    struct network network;
    char literal[ADDRESS_TEXT_BYTES];

    assert_true(network_parse(bytes_of_string(text), &network, NULL));
    struct address picked = network_pick(&network, ordinal);
    address_text(&picked, literal);
    assert_string_equal(literal, expected);
    assert_true(network_holds(&network, &picked));
}

static void a_network_gives_its_addresses_in_turn(void **state)
{
    (void)state;
    expect_pick("10.0.0.0/28", 0, "10.0.0.0");
    expect_pick("10.0.0.0/28", 15, "10.0.0.15");
    expect_pick("10.0.0.0/28", 16, "10.0.0.0");
    expect_pick("10.0.0.37/28", 5, "10.0.0.37");
    expect_pick("10.0.0.37/28", 0, "10.0.0.32");
    expect_pick("10.0.0.0/20", 257, "10.0.1.1");
    expect_pick("10.0.0.0/20", 4096 + 3, "10.0.0.3");
    expect_pick("10.1.2.3", 7, "10.1.2.3");
    expect_pick("0.0.0.0/0", 0x01020304, "1.2.3.4");
    expect_pick("fd00::/64", 0x10002, "fd00::1:2");
    expect_pick("fd00::5/128", 3, "fd00::5");
    expect_pick("fd00::/126", 6, "fd00::2");
    expect_pick("::/0", 9, "::9");
}

static void an_address_is_one_of_a_socket(void **state)
{
    struct sockaddr_storage socket;
    struct address address;
    struct address back;

    (void)state;
    assert_true(address_parse(bytes_of_string("10.1.2.3"), &address));
    assert_true(address_is_v4(&address));
    assert_int_equal(address_to_socket(&address, 443, &socket), sizeof(struct sockaddr_in));
    assert_int_equal(socket.ss_family, AF_INET);
    assert_int_equal(ntohs(((const struct sockaddr_in *)(const void *)&socket)->sin_port), 443);
    assert_true(address_of_socket((const struct sockaddr *)&socket, &back));
    assert_true(address_equal(&address, &back));
    assert_true(address_parse(bytes_of_string("fd00::3"), &address));
    assert_false(address_is_v4(&address));
    assert_int_equal(address_to_socket(&address, 443, &socket), sizeof(struct sockaddr_in6));
    assert_int_equal(ntohs(((const struct sockaddr_in6 *)(const void *)&socket)->sin6_port), 443);
    assert_true(address_of_socket((const struct sockaddr *)&socket, &back));
    assert_true(address_equal(&address, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_gives_its_addresses_in_turn),
        cmocka_unit_test(an_address_is_one_of_a_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
