/* What is left of an error's text for the report to group by. */
#include "agent/script/error_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void what_differs_is_folded(void **state)
{
    static const struct {
        const char *text;
        const char *key;
    } rows[] = {
        {"", ""},
        {"pad.lua:12: oh no", "pad.lua:12: oh no"},
        {"pad.lua:12: order 1234 is missing", "pad.lua:12: order N is missing"},
        {"setup: pad.lua:7: no user42", "setup: pad.lua:7: no userN"},
        {"a.lua:1: GET http://127.0.0.1:8080/x?a=1: timed out after 300 ms",
         "a.lua:1: GET URL: timed out after N ms"},
        {"see (https://example.test/a/b-9).", "see (URL)."},
        {"connect to 127.0.0.1:8080: refused", "connect to N:N: refused"},
        {"connect to [::1]:80: refused", "connect to N:N: refused"},
        {"list[1] is [abc]", "list[N] is [abc]"},
        {"after 0.25 s, 1.5e3 left.", "after N s, NeN left."},
        {"session 9f86d081-884c-4d63-a9d6-b6d0a1f5c0de is gone", "session N is gone"},
        {"table: 0x55d0c8a7e2b0", "table: N"},
        {"deadbeef and facade are words", "deadbeef and facade are words"},
        {"status 503", "status 503"},
        {"status: 404 of page 17", "status: 404 of page N"},
        {"HTTP 500 after 500 ms", "HTTP 500 after N ms"},
        {"status 5000 or 99", "status N or N"},
        {"503", "503"},
        {"5034", "N"},
        {"the xhttp://a/b of user0x12", "the xhttp://a/b of userNxN"},
        {"Ahttp://a is xdeadbeef1", "Ahttp://a is xdeadbeefN"},
        {"session 9f86d081-884c", "session N"},
    };
    char key[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        error_key_fold(bytes_of_string(rows[i].text), key, sizeof key);
        assert_string_equal(key, rows[i].key);
    }
}

static void what_is_too_long_is_cut(void **state)
{
    char key[8];

    (void)state;
    error_key_fold(bytes_of_string("a very long one"), key, sizeof key);
    assert_string_equal(key, "a very ");
    error_key_fold(bytes_of_string("abcdef http://x/"), key, sizeof key);
    assert_string_equal(key, "abcdef ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_differs_is_folded),
        cmocka_unit_test(what_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
