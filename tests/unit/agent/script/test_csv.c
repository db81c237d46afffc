/* Valid and invalid CSV. */
#include "agent/script/csv.h"
#include "common/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Fields in <>, each record with its line; an error after a "!". */
static void expect_separated(char separator, const char *text, const char *told)
{
    struct buffer buffer;
    struct csv_reader reader;
    struct csv_record record;
    struct error error;
    enum csv_result result;
    buffer_init(&buffer, 10000);
    csv_start(&reader, bytes_of_string(text), separator);
    while ((result = csv_read(&reader, &record, &error)) == CSV_RECORD) {
        (void)buffer_append_format(&buffer, "%llu", (unsigned long long)record.line);
        for (size_t i = 0; i < record.count; i++) {
            (void)buffer_append_format(&buffer, "<%.*s>%s", BYTES_FORMAT(record.fields[i].raw),
                                       record.fields[i].has_quotes ? "+" : "");
        }
    }
    if (result == CSV_WRONG) {
        (void)buffer_append_format(&buffer, "!%s", error.text);
    }
    assert_string_equal(buffer_string(&buffer), told);
    buffer_finish(&buffer);
}

static void expect(const char *text, const char *told)
{
    expect_separated(',', text, told);
}

static void records_have_fields(void **state)
{
    (void)state;
    expect("", "");
    expect("a,b\n1,2\n", "1<a><b>2<1><2>");
    expect("a,b\r\n1,2", "1<a><b>2<1><2>");
    expect(",\n,,", "1<><>2<><><>");
    expect("a, b ,\n", "1<a>< b ><>");
    expect("\n\r\na\n\n\nb\n\n", "3<a>6<b>");
}

static void quotes_hold_anything(void **state)
{
    (void)state;
    expect("\"a,b\",\"\"\n", "1<a,b><>");
    expect("\"one\ntwo\r\n\",x\ny", "1<one\ntwo\r\n><x>4<y>");
    expect("\"say \"\"hi\"\"\"", "1<say \"\"hi\"\">+");
    expect("\"\"\"\"", "1<\"\">+");
}

static void other_separators_leave_commas_alone(void **state)
{
    (void)state;
    expect_separated(';', "a;b,c\n\"1;2\";3,5\n", "1<a><b,c>2<1;2><3,5>");
    expect_separated('\t', "a\tb\r\n\t\n", "1<a><b>2<><>");
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    expect("a\nb\"c\n", "1<a>!2: a quote inside an unquoted field");
    expect("\"a\"b\n", "!1: text after the closing quote of a field");
    expect("a\n\"b\n\nc", "1<a>!2: an unterminated quoted field");
    expect("\"one\ntwo\" ,x", "!2: text after the closing quote of a field");
    expect("a\rb", "!1: a carriage return without a line feed");
}

static void a_zero_byte_is_no_text(void **state)
{
    static const char *const TEXTS[] = {"a\0b", "\"\0\""};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct csv_reader reader;
        struct csv_record record;
        struct error error;
        csv_start(&reader, bytes_of(TEXTS[i], 3), ',');
        assert_int_equal(csv_read(&reader, &record, &error), CSV_WRONG);
        assert_string_equal(error.text, "1: a zero byte: expected UTF-8 text");
    }
}

static void fields_are_bounded(void **state)
{
    char text[CSV_MOST_FIELDS + 1];
    struct csv_reader reader;
    struct csv_record record;
    struct error error;
    (void)state;
    memset(text, ',', sizeof text);
    csv_start(&reader, bytes_of(text, CSV_MOST_FIELDS - 1), ',');
    assert_int_equal(csv_read(&reader, &record, &error), CSV_RECORD);
    assert_int_equal(record.count, CSV_MOST_FIELDS);
    csv_start(&reader, bytes_of(text, CSV_MOST_FIELDS), ',');
    assert_int_equal(csv_read(&reader, &record, &error), CSV_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_have_fields),
        cmocka_unit_test(quotes_hold_anything),
        cmocka_unit_test(other_separators_leave_commas_alone),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(a_zero_byte_is_no_text),
        cmocka_unit_test(fields_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
