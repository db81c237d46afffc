/* Which cookies go where, as RFC 6265bis has it. */
#include "agent/http/message/cookie_jar.h"

#include "tests/unit/common/check.h"

#include <stdio.h>

#define NOW_S 1700000000

static struct url url_of(const char *text)
{
    struct url url;

    assert_true(url_parse(bytes_of_string(text), &url, NULL));
    return url;
}

static bool take_at(struct cookie_jar *jar, const char *from, const char *field, int64_t wall_s)
{
    struct url url = url_of(from);
    bool is_kept = cookie_jar_take(jar, &url, bytes_of_string(field), wall_s);

    url_finish(&url);
    return is_kept;
}

static bool take(struct cookie_jar *jar, const char *from, const char *field)
{
    return take_at(jar, from, field, NOW_S);
}

static void expect_at(struct cookie_jar *jar, const char *to, int64_t wall_s, const char *cookies)
{
    struct url url = url_of(to);
    struct buffer out;

    buffer_init(&out, 1u << 20);
    cookie_jar_append(jar, &url, wall_s, &out);
    assert_string_equal(buffer_string(&out), cookies);
    buffer_finish(&out);
    url_finish(&url);
}

static void expect(struct cookie_jar *jar, const char *to, const char *cookies)
{
    expect_at(jar, to, NOW_S, cookies);
}

static void a_cookie_goes_back_to_its_host(void **state)
{
    struct cookie_jar jar = {0};

    (void)state;
    assert_true(take(&jar, "http://a.example/x/y", "n=v"));
    expect(&jar, "http://a.example/x/z", "n=v");
    expect(&jar, "http://a.example/x", "n=v");
    expect(&jar, "http://a.example/", "");
    expect(&jar, "http://a.example/xy", "");
    expect(&jar, "http://b.a.example/x/", "");
    expect(&jar, "http://example/x/", "");
    assert_true(take(&jar, "http://a.example/x/y", "n=w"));
    expect(&jar, "http://a.example/x/", "n=w");
    cookie_jar_finish(&jar);
}

static void a_domain_covers_those_below_it(void **state)
{
    struct cookie_jar jar = {0};

    (void)state;
    assert_true(take(&jar, "http://a.shop.example/", "n=v; Domain=.Shop.Example; Path=/"));
    expect(&jar, "http://shop.example/", "n=v");
    expect(&jar, "http://b.shop.example/", "n=v");
    expect(&jar, "http://workshop.example/", "");
    assert_false(take(&jar, "http://a.shop.example/", "n=v; Domain=b.shop.example"));
    assert_false(take(&jar, "http://a.shop.example/", "n=v; Domain=other.example"));
    assert_false(take(&jar, "http://10.0.0.1/", "n=v; Domain=0.0.1"));
    assert_true(take(&jar, "http://10.0.0.1/", "n=v; Domain=10.0.0.1"));
    cookie_jar_finish(&jar);
}

static void a_public_suffix_has_none(void **state)
{
    struct cookie_jar jar = {0};

    (void)state;
    assert_false(take(&jar, "http://shop.co.uk/", "n=v; Domain=co.uk"));
    assert_false(take(&jar, "http://shop.com/", "n=v; Domain=com"));
    assert_true(take(&jar, "http://me.github.io/", "n=v"));
    assert_false(take(&jar, "http://me.github.io/", "n=v; Domain=github.io"));
    cookie_jar_finish(&jar);
}

static void secure_ones_need_tls(void **state)
{
    struct cookie_jar jar = {0};

    (void)state;
    assert_true(take(&jar, "https://a/", "n=v; Secure"));
    expect(&jar, "https://a/", "n=v");
    expect(&jar, "http://a/", "");
    assert_false(take(&jar, "http://a/", "m=v; Secure"));
    assert_false(take(&jar, "https://a/", "__Secure-x=v"));
    assert_true(take(&jar, "https://a/", "__Secure-x=v; Secure"));
    assert_false(take(&jar, "https://a/", "__Host-x=v; Secure"));
    assert_false(take(&jar, "https://a.b/", "__Host-x=v; Secure; Path=/; Domain=a.b"));
    assert_true(take(&jar, "https://a/", "__Host-x=v; Secure; Path=/"));
    /* One without a name is sent as its value alone. */
    assert_false(take(&jar, "https://a/", "__Host-x"));
    assert_false(take(&jar, "https://a/", "=__secure-x=v"));
    /* Nobody replaces one, or hides it, over plain HTTP. */
    assert_false(take(&jar, "http://a/", "n=w"));
    assert_false(take(&jar, "http://a/", "n=w; Path=/x"));
    assert_false(take(&jar, "http://a/", "n=w; Max-Age=0"));
    assert_true(take(&jar, "http://a/", "o=w"));
    assert_true(take(&jar, "https://a/", "n=w; Secure"));
    cookie_jar_finish(&jar);
}

static void the_longest_path_comes_first(void **state)
{
    struct cookie_jar jar = {0};

    (void)state;
    assert_true(take(&jar, "http://a/", "one=1; Path=/"));
    assert_true(take(&jar, "http://a/", "two=2; Path=/x"));
    assert_true(take(&jar, "http://a/", "three=3; Path=/"));
    expect(&jar, "http://a/x", "two=2; one=1; three=3");
    cookie_jar_finish(&jar);
}

static void cookies_end(void **state)
{
    struct cookie_jar jar = {0};

    (void)state;
    assert_true(take(&jar, "http://a/", "n=v; Max-Age=10"));
    expect_at(&jar, "http://a/", NOW_S + 9, "n=v");
    expect_at(&jar, "http://a/", NOW_S + 10, "");
    assert_int_equal(jar.count, 0);
    assert_true(take(&jar, "http://a/", "n=v; Expires=Tue, 14 Nov 2023 22:13:30 GMT"));
    expect_at(&jar, "http://a/", NOW_S + 9, "n=v");
    expect_at(&jar, "http://a/", NOW_S + 11, "");
    /* Max-Age wins, and 0 or less ends it now. */
    assert_true(take(&jar, "http://a/", "n=v; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
    expect(&jar, "http://a/", "n=v");
    assert_true(take(&jar, "http://a/", "n=; Max-Age=-1"));
    expect(&jar, "http://a/", "");
    assert_true(take(&jar, "http://a/", "n=v; Max-Age=99999999999999999999; Expires=nonsense"));
    expect(&jar, "http://a/", "n=v");
    cookie_jar_finish(&jar);
}

static void odd_fields_are_read_as_browsers_do(void **state)
{
    struct cookie_jar jar = {0};

    (void)state;
    assert_true(take(&jar, "http://a/", "  n = v w ;;; HttpOnly ; unknown=x"));
    expect(&jar, "http://a/", "n=v w");
    cookie_jar_clear(&jar);
    assert_true(take(&jar, "http://a/", "bare"));
    expect(&jar, "http://a/", "bare");
    cookie_jar_clear(&jar);
    assert_true(take(&jar, "http://a/", "n=a=b=c"));
    assert_true(take(&jar, "http://a/", "q=\"x\"; Path=relative"));
    expect(&jar, "http://a/", "n=a=b=c; q=\"x\"");
    assert_false(take(&jar, "http://a/", ""));
    assert_false(take(&jar, "http://a/", "=; Path=/"));
    assert_false(take(&jar, "http://a/",
                      "n=a\x01"
                      "b"));
    cookie_jar_finish(&jar);
}

static void a_jar_is_bounded(void **state)
{
    struct cookie_jar jar = {0};
    static char large[COOKIE_MAX_BYTES + 10];

    (void)state;
    memset(large, 'x', sizeof large - 1);
    large[0] = 'n', large[1] = '=';
    assert_false(take(&jar, "http://a/", large));
    for (unsigned i = 0; i < COOKIE_JAR_MAX + 10; i++) {
        char field[40];
        snprintf(field, sizeof field, "n%u=v; Path=/p%u", i, i);
        assert_true(take(&jar, "http://a/", field));
        expect(&jar, "http://a/p0", "n0=v"); /* the one that is used stays */
    }
    assert_int_equal(jar.count, COOKIE_JAR_MAX);
    cookie_jar_finish(&jar);
}

static void dates_are_read_in_all_their_forms(void **state)
{
    static const struct {
        const char *text;
        int64_t wall_s; /* -1: none */
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"06 nov 1994 8:49:37", 784111777},
        {"Thu, 01-Jan-70 00:00:01 GMT", 1},
        {"Fri, 31 Dec 2038 23:59:59 GMT", 2177452799},
        {"Fri, 31 Feb 2020 00:00:00 GMT", -1},
        {"Fri, 32 Jan 2020 00:00:00 GMT", -1},
        {"01 Jan 1600 00:00:00", -1},
        {"01 Jan 2020 24:00:00", -1},
        {"01 Jan 2020", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t wall_s = -1;
        bool is_date = cookie_date_parse(bytes_of_string(rows[i].text), &wall_s);
        assert_int_equal(is_date, rows[i].wall_s >= 0);
        if (is_date) {
            assert_int_equal(wall_s, rows[i].wall_s);
        }
    }
}

static void cookies_are_looked_at_in_their_order(void **state)
{
    struct cookie_jar jar = {0};
    struct cookie_jar copy = {0};
    struct cookie_view found[COOKIE_JAR_MAX];
    struct cookie_view view;
    struct url url = url_of("https://a.example/x/y");
    size_t at = 0;

    (void)state;
    assert_true(take(&jar, "https://a.example/", "n=1; Path=/; HttpOnly"));
    assert_true(take(&jar, "https://a.example/", "n=2; Path=/x; Secure; Max-Age=10"));
    assert_true(take(&jar, "https://a.example/", "elsewhere=3; Path=/z; Domain=a.example"));
    while (cookie_jar_next(&jar, &at, &view)) {
        cookie_jar_add(&copy, &view);
    }
    assert_int_equal(cookie_jar_find(&copy, &url, NOW_S, found), 2);
    assert_true(bytes_equal_string(found[0].value, "2"));
    assert_true(bytes_equal_string(found[0].path, "/x"));
    assert_true(found[0].is_secure && !found[0].is_http_only && found[0].is_host_only);
    assert_int_equal(found[0].expires_s, NOW_S + 10);
    assert_true(bytes_equal_string(found[1].value, "1") && found[1].is_http_only && !found[1].is_secure);
    expect(&copy, "https://a.example/z", "elsewhere=3; n=1");
    expect(&copy, "http://b.a.example/z", "elsewhere=3");
    expect(&copy, "http://a.example/x", "n=1");
    assert_int_equal(cookie_jar_find(&copy, &url, NOW_S + 10, found), 1);
    assert_int_equal(copy.count, 2);
    cookie_jar_finish(&jar);
    cookie_jar_finish(&copy);
    url_finish(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_goes_back_to_its_host),
        cmocka_unit_test(a_domain_covers_those_below_it),
        cmocka_unit_test(a_public_suffix_has_none),
        cmocka_unit_test(secure_ones_need_tls),
        cmocka_unit_test(the_longest_path_comes_first),
        cmocka_unit_test(cookies_are_looked_at_in_their_order),
        cmocka_unit_test(cookies_end),
        cmocka_unit_test(odd_fields_are_read_as_browsers_do),
        cmocka_unit_test(a_jar_is_bounded),
        cmocka_unit_test(dates_are_read_in_all_their_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
