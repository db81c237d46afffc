/* Tables as wide as a terminal. */
#include "cli/base/table.h"
#include "tests/unit/common/check.h"

static void table_is(const char *const *columns, const char *const *cells, size_t limit, const char *expected)
{
    SCOPED(table_finish) struct table table;
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, 10000);
    table_init(&table, columns);
    assert_int_equal(table.limit, 80);
    table.limit = limit;
    table.least_text = 4;
    for (; *cells != NULL; cells++) {
        table_add(&table, bytes_of_string(*cells));
    }
    table_print(&table, 20, false, &text);
    assert_string_equal(buffer_string(&text), expected);
}

static const char *const columns[] = {"requests", "count", "<first", "p95", NULL};
static const char *const cells[] = {
    "GET /pad", "12", "a text that is long", "3.00 ms", "POST /a/long/name", "1,234", "short",
    "12.0 s",   NULL};

static void it_is_as_wide_as_it_is(void **state)
{
    (void)state;
    table_is(columns, cells, 0,
             "  requests           count  first                    p95\n"
             "  GET /pad              12  a text that is long  3.00 ms\n"
             "  POST /a/long/name  1,234  short                 12.0 s\n");
}

static void long_names_have_a_line_of_their_own(void **state)
{
    (void)state;
    table_is(columns, cells, 54,
             "  requests         count  first                    p95\n"
             "  GET /pad            12  a text that is long  3.00 ms\n"
             "  POST /a/long/name\n"
             "                   1,234  short                 12.0 s\n");
}

static void other_texts_are_cut(void **state)
{
    (void)state;
    table_is(columns, cells, 47,
             "  requests           count  first           p95\n"
             "  GET /pad              12  a text th…  3.00 ms\n"
             "  POST /a/long/name  1,234  short        12.0 s\n");
}

static void columns_that_do_not_fit_follow_below(void **state)
{
    (void)state;
    table_is(columns, cells, 24,
             "  requests         count\n"
             "  GET /pad            12\n"
             "  POST /a/long/name\n"
             "                   1,234\n"
             "  requests         first\n"
             "  GET /pad         a te…\n"
             "  POST /a/long/name\n"
             "                   short\n"
             "  requests           p95\n"
             "  GET /pad       3.00 ms\n"
             "  POST /a/long/name\n"
             "                  12.0 s\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_as_wide_as_it_is),
        cmocka_unit_test(long_names_have_a_line_of_their_own),
        cmocka_unit_test(other_texts_are_cut),
        cmocka_unit_test(columns_that_do_not_fit_follow_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
