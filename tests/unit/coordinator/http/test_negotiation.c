/* Which form of an answer a client can read, and which it has. */
#include "coordinator/http/negotiation.h"
#include "tests/unit/common/check.h"

#include <cmocka.h>

static void who_reads_gzip(void **state)
{
    (void)state;
    static const char *const takes[] = {
        "gzip", "GZIP",   "gzip, deflate, br", "deflate,gzip",      "br;q=1.0, gzip;q=0.5",
        "*",    "x-gzip", " gzip ; q=0.001",   "identity;q=0, gzip"};
    static const char *const refuses[] = {"",        "identity", "gzip;q=0",    "gzip; q=0.000",
                                          "gzipped", "*;q=0",    "gzip;q=0, *", "deflate",
                                          ",,",      ";",        "gz ip",       "br;q=gzip"};
    for (size_t i = 0; i < sizeof takes / sizeof *takes; i++) {
        assert_true(accepts_gzip(bytes_of_string(takes[i])));
    }
    for (size_t i = 0; i < sizeof refuses / sizeof *refuses; i++) {
        assert_false(accepts_gzip(bytes_of_string(refuses[i])));
    }
    assert_false(accepts_gzip(bytes_of_string(NULL)));
}

static void who_has_the_answer(void **state)
{
    (void)state;
    static const char *const knows[] = {"\"a\"", "W/\"a\"",       "\"b\", \"a\"",
                                        "*",     " \"a\" ,\"b\"", "\"b\",W/\"a\""};
    static const char *const lacks[] = {"",    "a",           "\"b\"", "\"aa\"", "W/",
                                        "\"a", "\"b\";\"a\"", "W/a",   "w/\"a\""};
    for (size_t i = 0; i < sizeof knows / sizeof *knows; i++) {
        assert_true(etag_is_known(bytes_of_string(knows[i]), "\"a\""));
    }
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        assert_false(etag_is_known(bytes_of_string(lacks[i]), "\"a\""));
    }
    assert_false(etag_is_known(bytes_of_string(NULL), "\"a\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_reads_gzip),
        cmocka_unit_test(who_has_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
