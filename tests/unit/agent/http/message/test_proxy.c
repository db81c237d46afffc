/* Proxies as options and the environment name them. */
#include "agent/http/message/proxy.h"
#include "tests/unit/common/check.h"

#include <string.h>

static void expect(const char *text, const char *host, uint16_t port, const char *authorization)
{
    struct proxy proxy;
    struct error error;

    if (!proxy_parse(text, &proxy, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    assert_string_equal(proxy.host, host);
    assert_int_equal(proxy.port, port);
    assert_int_equal(proxy.is_literal, strchr("0123456789:", host[0]) != NULL);
    if (authorization == NULL) {
        assert_null(proxy.authorization);
    } else {
        assert_string_equal(proxy.authorization, authorization);
    }
    proxy_finish(&proxy);
    proxy_finish(&proxy);
}

static void a_proxy_is_a_host_with_a_port_and_perhaps_a_user(void **state)
{
    (void)state;
    expect("http://proxy.example:3128", "proxy.example", 3128, NULL);
    expect("http://proxy.example", "proxy.example", 80, NULL);
    expect("127.0.0.1:3128", "127.0.0.1", 3128, NULL);
    expect("HTTP://[::1]:3128/", "::1", 3128, NULL);
    expect("http://me:se%3Acret@proxy.example:1", "proxy.example", 1, "Basic bWU6c2U6Y3JldA==");
    expect("http://me@proxy.example:1", "proxy.example", 1, "Basic bWU6");
    expect("me:secret@proxy.example:1", "proxy.example", 1, "Basic bWU6c2VjcmV0");
}

static void refused(const char *text, const char *why)
{
    struct proxy proxy;
    struct error error = {""};

    assert_false(proxy_parse(text, &proxy, &error));
    if (strstr(error.text, why) == NULL) {
        fail_msg("%s: %s", text, error.text);
    }
}

static void what_only_libcurl_speaks_is_said(void **state)
{
    (void)state;
    refused("socks5://127.0.0.1:1080", "--http-engine curl");
    refused("socks4a://127.0.0.1:1080", "--http-engine curl");
    refused("https://proxy.example:3129", "--http-engine curl");
    refused("ftp://proxy.example", "http://user:password@host:port");
    refused("http://", "proxy: ");
    refused("", "proxy: ");
    refused("http://proxy.example:99999", "proxy: ");
}

static void no_proxy_names_hosts_and_networks(void **state)
{
    static const struct {
        const char *url;
        const char *list;
        bool is_bypassed;
    } rows[] = {{"http://app.example/", "", false},
                {"http://app.example/", "*", true},
                {"http://app.example/", "other, app.example", true},
                {"http://app.example/", "example", true},
                {"http://app.example/", ".example", true},
                {"http://app.example/", "*.example", true},
                {"http://app.example/", "xample", false},
                {"http://app.example/", "b.app.example", false},
                {"http://APP.example/", "App.Example", true},
                {"http://app.example/", "app.example:80", true},
                {"http://app.example/", "app.example:81", false},
                {"http://app.example/", "app.example:x", false},
                {"http://10.1.2.3/", "10.1.2.3", true},
                {"http://10.1.2.3/", "10.0.0.0/8", true},
                {"http://10.1.2.3/", "10.2.0.0/16 127.0.0.1", false},
                {"http://10.1.2.3:8080/", "10.1.2.3:8080", true},
                {"http://10.1.2.3/", "2.3", false},
                {"http://[::1]/", "::1", true},
                {"http://[::1]/", "[::1]", true},
                {"http://[::1]:81/", "[::1]:80", false},
                {"http://[fd00::1]/", "fd00::/8", true},
                {"http://app.example/", ",  ,.", false},
                {"http://app.example/", ":80", false}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct url url;
        assert_true(url_parse(bytes_of_string(rows[i].url), &url, NULL));
        if (proxy_is_bypassed(rows[i].list, &url) != rows[i].is_bypassed) {
            fail_msg("%s by \"%s\"", rows[i].url, rows[i].list);
        }
        url_finish(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxy_is_a_host_with_a_port_and_perhaps_a_user),
        cmocka_unit_test(what_only_libcurl_speaks_is_said),
        cmocka_unit_test(no_proxy_names_hosts_and_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
