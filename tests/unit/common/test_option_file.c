/* Options in a file: what a line may look like, and the messages for wrong ones. */
#include "common/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct settings {
    bool is_quiet;
    uint64_t room_size;
    const char *script;
};

#define AT(member) .offset = offsetof(struct settings, member), .is_set_offset = SIZE_MAX

static const struct option options[] = {
    {.name = "quiet", .type = OPTION_FLAG, AT(is_quiet), .help = "says nothing"},
    {.name = "room-size", .type = OPTION_NUMBER, AT(room_size), .maximum = 9, .help = "how many meet"},
    {.name = "script", .type = OPTION_TEXT, AT(script), .help = "the script"},
};

static bool parse(const char *lines, struct settings *settings, struct error *error)
{
    static char text[500];
    (void)strncpy(text, lines, sizeof text - 1);
    *settings = (struct settings){0};
    return option_parse_lines(options, sizeof options / sizeof options[0], text, settings, error);
}

static void all_spellings_of_a_line(void **state)
{
    (void)state;
    struct settings settings;
    struct error error;
    assert_true(
        parse("# a comment\n\n  room_size=5\t\r\n \nscript = a = b # c\nquiet=true", &settings, &error));
    assert_int_equal(settings.room_size, 5);
    assert_string_equal(settings.script, "a = b # c");
    assert_true(settings.is_quiet);
    assert_true(parse("room-size = 1\nroom-size = 2\n", &settings, &error));
    assert_int_equal(settings.room_size, 2);
    assert_true(parse("script=\n", &settings, &error));
    assert_string_equal(settings.script, "");
    assert_true(parse("", &settings, &error));
}

static void wrong_lines_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        const char *error;
    } cases[] = {
        {"quiet", "line 1: \"quiet\" is not of the form name = value"},
        {"\n# x\nroom-size = 10\n", "line 3: room-size: \"10\" is not a whole number from 0 to 9"},
        {"roomsize = 1", "line 1: unknown option --roomsize; did you mean --room-size?"},
        {"quiet = yes", "line 1: quiet: \"yes\" is neither true nor false"},
        {" = 5", "line 1: unknown option --"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings settings;
        struct error error;
        assert_false(parse(cases[i].lines, &settings, &error));
        assert_string_equal(error.text, cases[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_spellings_of_a_line),
        cmocka_unit_test(wrong_lines_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
