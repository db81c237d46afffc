/* URLs as scripts and servers write them. */
#include "agent/http/message/url.h"

#include "tests/unit/common/check.h"

#include <stdio.h>

static void expect_url(const char *text, const char *whole, const char *authority, const char *target)
{
    struct url url;
    struct error error = {""};

    if (!url_parse(bytes_of_string(text), &url, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    assert_string_equal(url.text, whole);
    assert_true(bytes_equal_string(url.authority, authority));
    assert_true(bytes_equal_string(url.target, target));
    url_finish(&url);
    /* What was made of it stands for itself. */
    assert_true(url_parse(bytes_of_string(whole), &url, &error));
    assert_string_equal(url.text, whole);
    url_finish(&url);
}

static void urls_are_taken_apart(void **state)
{
    (void)state;
    expect_url("http://example.org", "http://example.org/", "example.org", "/");
    expect_url("HTTP://Example.ORG:80/a/b?c=d#e", "http://example.org/a/b?c=d", "example.org", "/a/b?c=d");
    expect_url("https://example.org:443", "https://example.org/", "example.org", "/");
    expect_url("https://example.org:80", "https://example.org:80/", "example.org:80", "/");
    expect_url("http://10.0.0.1:8080?x", "http://10.0.0.1:8080/?x", "10.0.0.1:8080", "/?x");
    expect_url("http://[::1]:8080/", "http://[::1]:8080/", "[::1]:8080", "/");
    expect_url("  http://a/  ", "http://a/", "a", "/");
    expect_url("http://a_b.example/", "http://a_b.example/", "a_b.example", "/");
    expect_url("http://a?", "http://a/?", "a", "/?");
    expect_url("http://a/%7Euser", "http://a/%7Euser", "a", "/%7Euser");
}

static void what_a_url_must_not_hold_is_encoded(void **state)
{
    (void)state;
    expect_url("http://a/b c?d e=\"f\"", "http://a/b%20c?d%20e=%22f%22", "a", "/b%20c?d%20e=%22f%22");
    expect_url("http://a/\xc3\xa4?\xc3\xb6", "http://a/%C3%A4?%C3%B6", "a", "/%C3%A4?%C3%B6");
    expect_url("http://a/b\nc", "http://a/b%0Ac", "a", "/b%0Ac");
    expect_url("http://b\xc3\xbc"
               "cher.example/",
               "http://xn--bcher-kva.example/", "xn--bcher-kva.example", "/");
}

static void dots_are_walked(void **state)
{
    (void)state;
    expect_url("http://a/b/c/./../../g", "http://a/g", "a", "/g");
    expect_url("http://a/../../x/.", "http://a/x/", "a", "/x/");
    expect_url("http://a/x/..", "http://a/", "a", "/");
    expect_url("http://a/x/.../y", "http://a/x/.../y", "a", "/x/.../y");
}

static void users_are_kept_out_of_the_text(void **state)
{
    struct url url;

    (void)state;
    assert_true(url_parse(TEXT("http://me:s%40:cret@host:81/x"), &url, NULL));
    assert_string_equal(url.user, "me");
    assert_string_equal(url.password, "s@:cret");
    assert_string_equal(url.text, "http://host:81/x");
    assert_int_equal(url.port, 81);
    url_finish(&url);
}

static void junk_is_refused(void **state)
{
    static const char *const rows[][2] = {
        {"", "must begin with"},
        {"example.org", "must begin with"},
        {"/path", "must begin with"},
        {"http:/a", "must begin with"},
        {"ftp://a/", "scheme"},
        {"http://", "no host"},
        {"http:///x", "no host"},
        {"http://:80/", "no host"},
        {"http://a:0/", "port"},
        {"http://a:65536/", "port"},
        {"http://a:8o/", "port"},
        {"http://[::1/", "bracket"},
        {"http://[x]/", "IPv6"},
        {"http://[127.0.0.1]/", "IPv6"},
        {"http://%5B::1%5D/", "character"},
        {"http://%3A%3A1/", "character"},
        {"http://a\x7f/", "character"},
        {"http://a\xef\xbc\x8f"
         "b/",
         "host"}, /* a wide slash, which IDNA makes a slash */
        {"http://\xc2\xad/", "host"},
        {"http://[::1]x/", "followed"},
        {"http://a b/", "character"},
        {"http://a%00b/", "character"},
        {"http://a<b>/", "character"},
        {"http://a@b@/", "no host"},
        {"javascript:alert(1)", "must begin with"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct url url;
        struct error error = {""};
        assert_false(url_parse(bytes_of_string(rows[i][0]), &url, &error));
        if (strstr(error.text, rows[i][1]) == NULL) {
            fail_msg("%s: %s", rows[i][0], error.text);
        }
    }
    struct url url;
    assert_false(url_parse(bytes_of("http://a/\0b", 11), &url, NULL));
}

static void hosts_are_written_in_one_way(void **state)
{
    struct url url;

    (void)state;
    expect_url("http://[2001:DB8::A]/", "http://[2001:db8::a]/", "[2001:db8::a]", "/");
    expect_url("http://\xef\xbc\x91"
               "0.0.0.1/",
               "http://10.0.0.1/", "10.0.0.1", "/");
    assert_true(url_parse(TEXT("http://\xef\xbc\x91"
                               "0.0.0.1/"),
                          &url, NULL));
    assert_true(url.is_literal);
    url_finish(&url);
}

/* What is within the limit once it is written is what can be read again. */
static void a_url_is_bounded_as_it_is_sent(void **state)
{
    static char text[URL_MAX_BYTES + 1];
    struct url url;
    struct url made;
    struct error error = {""};

    (void)state;
    snprintf(text, sizeof text, "http://a/");
    memset(text + 9, ' ', 30000 - 9);
    text[29999] = 'x';
    assert_false(url_parse(bytes_of(text, 30000), &url, &error));
    assert_non_null(strstr(error.text, "longer than"));
    memset(text + 9, 'x', URL_MAX_BYTES - 9);
    assert_true(url_parse(bytes_of(text, URL_MAX_BYTES), &url, &error));
    text[40000] = '/';
    url_finish(&url);
    assert_true(url_parse(bytes_of(text, 50000), &url, &error));
    assert_false(url_resolve(&url, bytes_of(text + 9, 30000), &made, &error));
    assert_non_null(strstr(error.text, "longer than"));
    url_finish(&url);
}

static void a_host_is_bounded(void **state)
{
    char text[URL_HOST_MAX_BYTES + 20];
    struct url url;
    struct error error = {""};

    (void)state;
    snprintf(text, sizeof text, "http://");
    for (size_t i = 0; i <= URL_HOST_MAX_BYTES; i++) {
        text[7 + i] = i % 64 == 63 ? '.' : 'a';
    }
    assert_true(url_parse(bytes_of(text, 7 + URL_HOST_MAX_BYTES), &url, &error));
    assert_int_equal(strlen(url.host), URL_HOST_MAX_BYTES);
    url_finish(&url);
    assert_false(url_parse(bytes_of(text, 7 + URL_HOST_MAX_BYTES + 1), &url, &error));
    assert_string_equal(error.text, "the host of the URL is longer than 255 bytes");
}

/* RFC 3986 §5.4, of the base http://a/b/c/d;p?q */
static void references_are_resolved(void **state)
{
    static const char *const rows[][2] = {
        {"http:g", NULL},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {"g?y#s", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"https://other/", "https://other/"},
        {"mailto:x@y", NULL},
    };
    struct url base;

    (void)state;
    assert_true(url_parse(TEXT("http://a/b/c/d;p?q"), &base, NULL));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct url url;
        struct error error = {""};
        bool is_ok = url_resolve(&base, bytes_of_string(rows[i][0]), &url, &error);
        assert_int_equal(is_ok, rows[i][1] != NULL);
        if (is_ok) {
            assert_string_equal(url.text, rows[i][1]);
            url_finish(&url);
        }
    }
    url_finish(&base);
}

static void origins_are_compared(void **state)
{
    static const char *const rows[] = {"http://a/x", "http://a:80/y", "https://a/", "http://a:81/",
                                       "http://b/"};
    struct url base;

    (void)state;
    assert_true(url_parse(TEXT("http://A"), &base, NULL));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct url url;
        assert_true(url_parse(bytes_of_string(rows[i]), &url, NULL));
        assert_int_equal(url_is_same_origin(&base, &url), i < 2);
        url_finish(&url);
    }
    url_finish(&base);
}

static void relative_is_what_has_no_scheme(void **state)
{
    static const char *const relative[] = {"",        "x",   "/x:y", "?a:b", "#a:b",
                                           "//h:80/", " /x", "1:2",  ":x",   "ä:b"};
    static const char *const absolute[] = {"http://h/", " \thttp://h/", "HTTPS:x", "localhost:80/x"};

    (void)state;
    for (size_t i = 0; i < sizeof relative / sizeof *relative; i++) {
        assert_true(url_is_relative(bytes_of_string(relative[i])));
    }
    for (size_t i = 0; i < sizeof absolute / sizeof *absolute; i++) {
        assert_false(url_is_relative(bytes_of_string(absolute[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(what_a_url_must_not_hold_is_encoded),
        cmocka_unit_test(dots_are_walked),
        cmocka_unit_test(users_are_kept_out_of_the_text),
        cmocka_unit_test(junk_is_refused),
        cmocka_unit_test(a_host_is_bounded),
        cmocka_unit_test(references_are_resolved),
        cmocka_unit_test(relative_is_what_has_no_scheme),
        cmocka_unit_test(origins_are_compared),
        cmocka_unit_test(hosts_are_written_in_one_way),
        cmocka_unit_test(a_url_is_bounded_as_it_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
