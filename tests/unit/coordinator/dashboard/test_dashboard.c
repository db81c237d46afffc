/* The files of the dashboard: each in two forms that are the same. */
#include "coordinator/dashboard/dashboard.h"
#include "tests/unit/common/check.h"

#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define WINDOW_OF_GZIP (15 + 16)
#define MOST_BYTES ((size_t)1024 * 1024)

static void the_page_and_its_charts_are_there(void **state)
{
    (void)state;
    static const char *const names[] = {DASHBOARD_INDEX, "app.js",         "style.css",
                                        "favicon.svg",   "dygraph.min.js", "dygraph-copyright.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct dashboard_file *file = dashboard_find(names[i]);
        assert_non_null(file);
        assert_string_equal(file->name, names[i]);
    }
    assert_string_equal(dashboard_find("app.js")->content_type, "text/javascript; charset=utf-8");
    assert_string_equal(dashboard_find(DASHBOARD_INDEX)->content_type, "text/html; charset=utf-8");
    assert_null(dashboard_find(""));
    assert_null(dashboard_find("README.md"));
    assert_null(dashboard_find("../dashboard.c"));
}

static void expect_same(const struct dashboard_file *file)
{
    static uint8_t plain[MOST_BYTES];
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)file->compressed.bytes.data,
                       .avail_in = (uInt)file->compressed.bytes.size,
                       .next_out = plain,
                       .avail_out = sizeof plain};
    assert_int_equal(inflateInit2(&stream, WINDOW_OF_GZIP), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, file->plain.bytes.size);
    assert_memory_equal(plain, file->plain.bytes.data, file->plain.bytes.size);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(inflateEnd(&stream), Z_OK);
}

static void both_forms_are_the_same(void **state)
{
    (void)state;
    assert_true(dashboard_count() > 5);
    for (size_t i = 0; i < dashboard_count(); i++) {
        expect_same(dashboard_at(i));
    }
}

static void no_two_forms_have_one_tag(void **state)
{
    (void)state;
    for (size_t i = 0; i < dashboard_count(); i++) {
        const struct dashboard_file *file = dashboard_at(i);
        assert_string_not_equal(file->plain.etag, file->compressed.etag);
        assert_int_equal(file->plain.etag[0], '"');
        assert_int_equal(file->plain.etag[strlen(file->plain.etag) - 1], '"');
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(file->plain.etag, dashboard_at(j)->plain.etag);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_and_its_charts_are_there),
        cmocka_unit_test(both_forms_are_the_same),
        cmocka_unit_test(no_two_forms_have_one_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
