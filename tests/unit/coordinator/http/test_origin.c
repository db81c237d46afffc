/* Which page sent a request, to which host, and for which client a proxy speaks. */
#include "coordinator/http/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct bytes text(const char *string)
{
    return bytes_of_string(string);
}

static struct address address(const char *literal)
{
    struct address parsed;
    assert_true(address_parse(text(literal), &parsed));
    return parsed;
}

static void literals_are_read(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "localhost", "10.0.0",      "10.0.0.256", "10.0.0.1 ",
                                      "[10.0.0.1]", "[::1",      "::1]",        "0x7f.0.0.1", "127.1",
                                      "2130706433", "::1%lo",    "10.0.0.1:80", "010.0.0.1\n"};
    struct address ignored;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(address_parse(text(bad[i]), &ignored));
    }
    assert_false(address_parse(bytes_of("10.0.0.1\0x", 10), &ignored));
    struct address mapped = address("::ffff:10.0.0.1");
    struct address plain = address("10.0.0.1");
    assert_true(address_equal(&mapped, &plain));
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    struct address found;
    assert_true(address_of_socket((struct sockaddr *)&four, &found));
    assert_true(address_equal(&found, &plain));
    assert_true(address_of_socket((struct sockaddr *)&six, &found));
    assert_true(address_is_loopback(&found));
    assert_false(address_is_loopback(&plain));
}

static void networks_hold_what_they_should(void **state)
{
    (void)state;
    static const struct {
        const char *network;
        const char *address;
        bool is_in;
    } rows[] = {{"10.0.0.0/8", "10.255.1.2", true},
                {"10.0.0.0/8", "11.0.0.0", false},
                {"10.1.2.3", "10.1.2.3", true},
                {"10.1.2.3", "10.1.2.4", false},
                {"10.1.2.128/25", "10.1.2.200", true},
                {"10.1.2.128/25", "10.1.2.100", false},
                {"0.0.0.0/0", "203.0.113.9", true},
                {"0.0.0.0/0", "fd00::1", false},
                {"fd00::/8", "fdff::1", true},
                {"fd00::/8", "fe80::1", false},
                {"::1/128", "::1", true},
                {"::/0", "10.0.0.1", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct network network;
        struct address one = address(rows[i].address);
        assert_true(network_parse(text(rows[i].network), &network, NULL));
        assert_int_equal(network_holds(&network, &one), rows[i].is_in);
    }
    static const char *const bad[] = {
        "",    "/8",          "10.0.0.0/",   "10.0.0.0/33",  "::1/129", "10.0.0.0/8/8",
        "x/8", "10.0.0.0/-1", "10.0.0.0/ 8", "10.0.0.0/0008"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct network network;
        assert_false(network_parse(text(bad[i]), &network, NULL));
    }
}

static void a_host_has_to_mean_us(void **state)
{
    (void)state;
    struct host_names names = {0};
    struct address local = address("10.0.0.5");
    assert_true(host_names_add(&names, text("load.example.org, 192.0.2.7,tutti"), NULL));
    static const char *const ours[] = {"127.0.0.1:7441",
                                       "127.8.9.1",
                                       "localhost",
                                       "LocalHost:1",
                                       "localhost.:7441",
                                       "[::1]:7441",
                                       "10.0.0.5:7441",
                                       "10.0.0.5",
                                       "192.0.2.7:80",
                                       "load.example.org",
                                       "LOAD.Example.ORG.:443",
                                       "tutti:7441",
                                       " tutti:7441 ",
                                       "[::ffff:127.0.0.1]:7441"};
    static const char *const foreign[] = {"",
                                          ":7441",
                                          "rebound.evil.example:7441",
                                          "localhost.evil.example",
                                          "127.0.0.1.evil.example",
                                          "evil.localhost",
                                          "10.0.0.6",
                                          "0.0.0.0:7441",
                                          "[::]:7441",
                                          "[::1",
                                          "tutti:7441@evil.example",
                                          "tutti:",
                                          "tutti:x",
                                          "tutti:7441:1",
                                          "::1",
                                          "[::1]x",
                                          "2130706433",
                                          "127.1",
                                          "load.example.org..",
                                          "127.0.0.1:999999"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (!host_is_ours(text(ours[i]), &names, &local)) {
            fail_msg("not ours: %s", ours[i]);
        }
    }
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (host_is_ours(text(foreign[i]), &names, &local)) {
            fail_msg("ours: %s", foreign[i]);
        }
    }
    assert_false(host_is_ours(bytes_of(NULL, 0), &names, &local));
}

static void names_have_no_port(void **state)
{
    (void)state;
    static const char *const bad[] = {"a:80", "http://a", "a b", "a,,b", ",", "a/", "user@a", "[::1", "\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct host_names names = {0};
        struct error error;
        assert_false(host_names_add(&names, text(bad[i]), &error));
    }
    struct host_names many = {0};
    for (unsigned i = 0; i < HOST_NAMES_MAX; i++) {
        assert_true(host_names_add(&many, text("a"), NULL));
    }
    assert_false(host_names_add(&many, text("a"), NULL));
    struct host_names six = {0};
    assert_true(host_names_add(&six, text("fd00::1,[fd00::2]"), NULL));
    struct address local = address("10.0.0.5");
    assert_true(host_is_ours(text("[fd00:0::1]:7441"), &six, &local));
    assert_true(host_is_ours(text("[fd00::2]"), &six, &local));
}

static void an_origin_is_ours_or_foreign(void **state)
{
    (void)state;
    static const struct {
        const char *origin;
        const char *host;
        bool is_ours;
    } rows[] = {{"http://127.0.0.1:7441", "127.0.0.1:7441", true},
                {"https://tutti.example", "tutti.example", true},
                {"https://tutti.example", "tutti.example:443", true},
                {"http://tutti.example:80", "tutti.example", true},
                {"HTTP://Tutti.Example", "tutti.example:80", true},
                {"http://[::1]:7441", "[::1]:7441", true},
                {"http://127.0.0.1:8000", "127.0.0.1:7441", false},
                {"http://localhost:7441", "127.0.0.1:7441", false},
                {"http://evil.example", "127.0.0.1:7441", false},
                {"http://evil.example:7441", "127.0.0.1:7441", false},
                {"http://127.0.0.1:7441.evil.example", "127.0.0.1:7441", false},
                {"http://127.0.0.1:7441/", "127.0.0.1:7441", false},
                {"http://tutti.example", "tutti.example:443", false},
                {"null", "127.0.0.1:7441", false},
                {"", "127.0.0.1:7441", false},
                {"file://", "127.0.0.1:7441", false},
                {"ftp://127.0.0.1:7441", "127.0.0.1:7441", false},
                {"chrome-extension://abc", "127.0.0.1:7441", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (origin_is_host(text(rows[i].origin), text(rows[i].host)) != rows[i].is_ours) {
            fail_msg("%s at %s", rows[i].origin, rows[i].host);
        }
    }
    assert_true(fetch_site_is_own(text("none")));
    assert_true(fetch_site_is_own(text("same-origin")));
    assert_false(fetch_site_is_own(text("same-site")));
    assert_false(fetch_site_is_own(text("cross-site")));
    assert_false(fetch_site_is_own(text("")));
    assert_false(fetch_site_is_own(text("none, cross-site")));
}

static void only_json_is_json(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "text/plain",
                                      "application/x-www-form-urlencoded",
                                      "multipart/form-data",
                                      "application/jsonp",
                                      "text/plain; application/json",
                                      "application/json,text/plain",
                                      "text/plain;charset=application/json"};
    assert_true(content_type_is_json(text("application/json")));
    assert_true(content_type_is_json(text("Application/JSON; charset=utf-8")));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(content_type_is_json(text(bad[i])));
    }
}

static void a_proxy_speaks_for_its_last_client(void **state)
{
    (void)state;
    static const struct {
        const char *x_forwarded_for;
        const char *forwarded;
        const char *client;
    } rows[] = {{"203.0.113.9", NULL, "203.0.113.9"},
                {"198.51.100.1, 203.0.113.9", NULL, "203.0.113.9"},       /* the first one may be forged */
                {"203.0.113.9, 10.1.1.1, 10.2.2.2", NULL, "203.0.113.9"}, /* a chain of proxies */
                {"203.0.113.9:4711", NULL, "203.0.113.9"},
                {"fd00::9", NULL, "fd00::9"},
                {"[fd00::9]:1", NULL, "fd00::9"},
                {"203.0.113.9, unknown", NULL, "10.0.0.1"},
                {"", NULL, "10.0.0.1"},
                {"10.5.5.5", NULL, "10.0.0.1"},
                {NULL, "for=203.0.113.9;proto=https", "203.0.113.9"},
                {NULL, "for=198.51.100.1, For=\"[fd00::9]:4711\";by=10.0.0.1", "fd00::9"},
                {NULL, "for=_hidden", "10.0.0.1"},
                {NULL, "proto=https", "10.0.0.1"},
                {"203.0.113.9", "for=198.51.100.1", "203.0.113.9"},
                {NULL, NULL, "10.0.0.1"}};
    struct trusted_proxies proxies = {0};
    assert_true(trusted_proxies_add(&proxies, text("10.0.0.0/8, ::1"), NULL));
    assert_false(trusted_proxies_add(&proxies, text("proxy.example"), NULL));
    struct address peer = address("10.0.0.1");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address found =
            forwarded_client(&proxies, &peer, text(rows[i].x_forwarded_for), text(rows[i].forwarded));
        struct address wanted = address(rows[i].client);
        if (!address_equal(&found, &wanted)) {
            fail_msg("row %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_read),
        cmocka_unit_test(networks_hold_what_they_should),
        cmocka_unit_test(a_host_has_to_mean_us),
        cmocka_unit_test(names_have_no_port),
        cmocka_unit_test(an_origin_is_ours_or_foreign),
        cmocka_unit_test(only_json_is_json),
        cmocka_unit_test(a_proxy_speaks_for_its_last_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
