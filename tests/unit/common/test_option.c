/* Options from the command line and the environment, and the messages for wrong ones. */
#include "common/memory.h"
#include "common/option.h"
#include "tests/unit/common/check.h"

#include <stdlib.h>

struct settings {
    bool is_quiet;
    uint32_t verbosity;
    uint64_t workers;
    bool has_workers;
    uint64_t ramp_up_ms;
    const char *script;
    uint32_t form;
    uint32_t policy;
    uint16_t port;
    uint16_t page;
    bool has_page;
    uint32_t room;
    double share;
    struct bytes zone;
    int64_t offset;
};

static bool parse_offset(const char *text, void *value, struct error *error)
{
    if (text[0] != '@') {
        return error_set(error, "\"%s\" does not start with @", text);
    }
    *(int64_t *)value = atol(text + 1);
    return true;
}

static const char *const forms[] = {"text", "json", "ndjson", NULL};

#define AT(member) .offset = offsetof(struct settings, member), .is_set_offset = SIZE_MAX

static const struct option options[] = {
    {.name = "workers",
     .letter = 'w',
     .type = OPTION_NUMBER,
     .offset = offsetof(struct settings, workers),
     .is_set_offset = offsetof(struct settings, has_workers),
     .minimum = 1,
     .maximum = 1000,
     .argument = "N",
     .help = "how many workers",
     .elsewhere = "vus users",
     .fallback = "1"},
    {.name = "ramp-up",
     .type = OPTION_DURATION,
     AT(ramp_up_ms),
     .minimum = 100,
     .maximum = 60000,
     .argument = "TIME",
     .help = "over which time they start"},
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, AT(is_quiet), .help = "says nothing"},
    {.name = "verbose",
     .letter = 'v',
     .type = OPTION_COUNT,
     AT(verbosity),
     .maximum = 3,
     .help = "says more, twice still more"},
    {.name = "script",
     .letter = 's',
     .type = OPTION_TEXT,
     AT(script),
     .argument = "FILE",
     .help = "the script"},
    {.name = "form", .type = OPTION_CHOICE, AT(form), .choices = forms, .help = "how it looks"},
    {.name = "page",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct settings, page),
     .is_set_offset = offsetof(struct settings, has_page),
     .size = sizeof(uint16_t),
     .maximum = 65535,
     .argument = "[=PORT]",
     .bare = "7",
     .help = "a page"},
    {.name = "offset",
     .type = OPTION_CUSTOM,
     AT(offset),
     .parse = parse_offset,
     .argument = "@N",
     .help = "where"},
};
#define OPTION_COUNT_ALL (sizeof options / sizeof options[0])

static bool check_zone(struct bytes zone, struct error *error)
{
    return zone.data[0] != '!' || error_set(error, "starts with !");
}

/* Of every size and kind that a campaign's options have. */
static const struct option sized[] = {
    {.name = "port", .type = OPTION_NUMBER, AT(port), .size = sizeof(uint16_t), .fallback = "80"},
    {.name = "room",
     .type = OPTION_NUMBER,
     AT(room),
     .size = sizeof(uint32_t),
     .minimum = 1,
     .fallback = "7"},
    {.name = "share", .type = OPTION_REAL, AT(share), .maximum = 100, .fallback = "2.5"},
    {.name = "zone",
     .type = OPTION_BYTES,
     AT(zone),
     .minimum = 1,
     .maximum = 5,
     .check = check_zone,
     .fallback = "any"},
    {.name = "policy",
     .type = OPTION_CHOICE,
     AT(policy),
     .choices = OPTION_CHOICES("stop", "go", "proceed"),
     .values = OPTION_VALUES(4, 9, 9),
     .fallback = "go"},
};
#define SIZED_COUNT (sizeof sized / sizeof sized[0])

struct outcome {
    bool is_good;
    struct settings settings;
    const char *words[2];
    size_t word_count;
    struct error error;
};

static struct outcome parse(const char *const *arguments)
{
    struct outcome outcome = {.settings = {.workers = 1}};
    char *argv[16] = {(char *)(uintptr_t) "tutti"};
    int argc = 1;
    for (; *arguments != NULL; arguments++) {
        argv[argc++] = (char *)(uintptr_t)*arguments; /* main receives them without const */
    }
    outcome.is_good = option_parse(options, OPTION_COUNT_ALL, argc, argv, &outcome.settings, outcome.words, 2,
                                   &outcome.word_count, &outcome.error);
    return outcome;
}

#define PARSE(...) parse((const char *[]){__VA_ARGS__, NULL})

static bool set_sized(const char *name, const char *text, struct settings *settings, struct error *error)
{
    return option_set(sized, SIZED_COUNT, bytes_of_string(name), text, settings, error);
}

static void assert_error(struct outcome outcome, const char *expected)
{
    assert_false(outcome.is_good);
    assert_string_equal(outcome.error.text, expected);
}

static void test_nothing_leaves_the_defaults(void **state)
{
    (void)state;
    struct outcome outcome = parse((const char *[]){NULL});
    assert_true(outcome.is_good);
    assert_int_equal(outcome.settings.workers, 1);
    assert_false(outcome.settings.has_workers);
    assert_int_equal(outcome.word_count, 0);
}

static void test_all_spellings_of_a_value(void **state)
{
    (void)state;
    struct outcome spellings[] = {
        PARSE("-w5"),  PARSE("-w", "5"),   PARSE("--workers=5"),   PARSE("--workers", "5"),
        PARSE("-qw5"), PARSE("-vqw", "5"), PARSE("-w", "7", "-w5")};
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        assert_true(spellings[i].is_good);
        assert_int_equal(spellings[i].settings.workers, 5);
        assert_true(spellings[i].settings.has_workers);
    }
    assert_true(spellings[5].settings.is_quiet);
    assert_int_equal(spellings[5].settings.verbosity, 1);
}

static void test_every_type(void **state)
{
    (void)state;
    struct outcome outcome =
        PARSE("--ramp-up", "1.5s", "-vv", "-v", "--script=", "--form", "ndjson", "--offset", "@-3");
    assert_true(outcome.is_good);
    assert_int_equal(outcome.settings.ramp_up_ms, 1500);
    assert_int_equal(outcome.settings.verbosity, 3);
    assert_string_equal(outcome.settings.script, "");
    assert_int_equal(outcome.settings.form, 2);
    assert_int_equal(outcome.settings.offset, -3);
    outcome = PARSE("-q", "--quiet=false", "-vvv", "--verbose=1");
    assert_true(outcome.is_good);
    assert_false(outcome.settings.is_quiet);
    assert_int_equal(outcome.settings.verbosity, 1);
}

static void test_a_value_that_may_be_left_out(void **state)
{
    (void)state;
    struct outcome bare = PARSE("--page", "5");
    assert_true(bare.is_good);
    assert_true(bare.settings.has_page);
    assert_int_equal(bare.settings.page, 7);
    assert_int_equal(bare.word_count, 1);
    struct outcome given = PARSE("--page=80", "5");
    assert_true(given.is_good);
    assert_true(given.settings.has_page);
    assert_int_equal(given.settings.page, 80);
    assert_false(PARSE("5").settings.has_page);
    assert_error(PARSE("--page="), "--page: \"\" is not a whole number from 0 to 65535");
}

static void test_words_mix_with_options(void **state)
{
    (void)state;
    struct outcome outcome = PARSE("run", "-q", "-");
    assert_true(outcome.is_good);
    assert_int_equal(outcome.word_count, 2);
    assert_string_equal(outcome.words[0], "run");
    assert_string_equal(outcome.words[1], "-");
    outcome = PARSE("-q", "--", "--workers", "--");
    assert_true(outcome.is_good);
    assert_string_equal(outcome.words[0], "--workers");
    assert_string_equal(outcome.words[1], "--");
    assert_error(PARSE("a", "b", "c"), "unexpected argument \"c\"");
}

static void test_a_value_may_look_like_an_option(void **state)
{
    (void)state;
    struct outcome outcome = PARSE("--script", "--quiet");
    assert_true(outcome.is_good);
    assert_string_equal(outcome.settings.script, "--quiet");
    assert_false(outcome.settings.is_quiet);
}

static void test_numbers_refuse_junk(void **state)
{
    (void)state;
    static const char *const junk[] = {"",
                                       "0",
                                       "1001",
                                       "-1",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "0x1",
                                       "1.0",
                                       "five",
                                       "18446744073709551617",
                                       "18446744073709551616",
                                       "36893488147419103246"};
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
        SCOPED(memory_free_at) char *argument = memory_format("--workers=%s", junk[i]);
        SCOPED(memory_free_at)
        char *expected = memory_format("--workers: \"%s\" is not a whole number from 1 to 1000", junk[i]);
        struct outcome outcome = PARSE(argument);
        assert_error(outcome, expected);
        assert_int_equal(outcome.settings.workers, 1);
        assert_false(outcome.settings.has_workers);
    }
}

static void test_other_values_are_refused_with_what_would_be_right(void **state)
{
    (void)state;
    assert_error(PARSE("-w", "x"), "-w (--workers): \"x\" is not a whole number from 1 to 1000");
    assert_error(PARSE("--ramp-up=10ms"), "--ramp-up: \"10ms\" is too short; it must be at least 100 ms");
    assert_error(PARSE("--ramp-up=2m"), "--ramp-up: \"2m\" is too long; it must be at most 1 m");
    assert_error(PARSE("--ramp-up=soon"),
                 "--ramp-up: \"soon\" is not a duration; write it like 10, 250ms, 1.5s, 5m30s or 1h");
    assert_error(PARSE("--form=xml"), "--form: \"xml\" is not one of text, json or ndjson");
    assert_error(PARSE("--offset=3"), "--offset: \"3\" does not start with @");
    assert_error(PARSE("--quiet=maybe"), "--quiet: \"maybe\" is neither true nor false");
    assert_error(PARSE("--verbose=4294967296"), "--verbose: \"4294967296\" is not a whole number");
    assert_error(PARSE("--users=7"), "unknown option --users; it is --workers here");
    assert_error(PARSE("--vus", "7"), "unknown option --vus; it is --workers here");
    assert_error(PARSE("--us"), "unknown option --us");
    assert_error(PARSE("--workers"), "--workers needs a value");
    assert_error(PARSE("-qw"), "-w (--workers) needs a value");
}

static void test_values_have_their_sizes(void **state)
{
    (void)state;
    struct settings settings;
    memset(&settings, 0xff, sizeof settings);
    struct error error;
    assert_true(set_sized("port", "65535", &settings, &error));
    assert_true(set_sized("room", "4294967295", &settings, &error));
    assert_int_equal(settings.port, 65535);
    assert_int_equal(settings.room, UINT32_MAX);
    option_put_number(&sized[0], &settings, 1);
    option_put_number(&sized[1], &settings, 2);
    assert_int_equal(settings.port, 1);
    assert_int_equal(settings.room, 2);
    assert_int_equal(option_number(&sized[0], &settings), 1);
    assert_int_equal(option_number(&sized[1], &settings), 2);
    assert_int_equal(settings.policy, UINT32_MAX); /* the neighbours are as they were */
    assert_true(set_sized("share", "0.25", &settings, &error));
    assert_true(settings.share > 0.24 && settings.share < 0.26);
    assert_true(set_sized("zone", "abcde", &settings, &error));
    assert_true(bytes_equal_string(settings.zone, "abcde"));
    static const struct {
        const char *name;
        const char *text;
        const char *error;
    } wrong[] = {
        {"port", "65536", "port: \"65536\" is not a whole number of at least 0"},
        {"room", "4294967296", "room: \"4294967296\" is not a whole number of at least 1"},
        {"room", "0", "room: \"0\" is not a whole number of at least 1"},
        {"share", "100.5", "share: \"100.5\" is not a number from 0 to 100"},
        {"share", "-1", "share: \"-1\" is not a number from 0 to 100"},
        {"share", "nan", "share: \"nan\" is not a number from 0 to 100"},
        {"share", "1e1", "share: \"1e1\" is not a number from 0 to 100"},
        {"share", "1.2.3", "share: \"1.2.3\" is not a number from 0 to 100"},
        {"share", "", "share: \"\" is not a number from 0 to 100"},
        {"zone", "", "zone: must have 1 to 5 characters"},
        {"zone", "abcdef", "zone: must have 1 to 5 characters"},
        {"zone", "!", "zone: starts with !"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(set_sized(wrong[i].name, wrong[i].text, &settings, &error));
        assert_string_equal(error.text, wrong[i].error);
    }
    assert_error(PARSE("-vvvv"), "-v (--verbose): is more than 3");
    assert_error(PARSE("--verbose=4"), "--verbose: is more than 3");
}

static void test_several_choices_may_have_one_value(void **state)
{
    (void)state;
    struct settings settings;
    struct error error;
    assert_true(set_sized("policy", "proceed", &settings, &error));
    assert_int_equal(settings.policy, 9);
    assert_true(set_sized("policy", "stop", &settings, &error));
    assert_int_equal(settings.policy, 4);
    assert_string_equal(option_choice(&sized[4], 9), "go");
    assert_null(option_choice(&sized[4], 1));
}

static void test_defaults_are_spelled_as_values(void **state)
{
    (void)state;
    struct settings settings = {0};
    option_set_defaults(sized, SIZED_COUNT, &settings);
    assert_int_equal(settings.port, 80);
    assert_int_equal(settings.room, 7);
    assert_true(settings.share > 2.4 && settings.share < 2.6);
    assert_int_equal(settings.policy, 9);
    assert_int_equal(settings.zone.size, 0); /* of a text it is words for help */
}

static void test_unknown_options_suggest_the_nearest(void **state)
{
    (void)state;
    assert_error(PARSE("--worker", "5"), "unknown option --worker; did you mean --workers?");
    assert_error(PARSE("--work"), "unknown option --work; did you mean --workers?");
    assert_error(PARSE("--wrker"), "unknown option --wrker; did you mean --workers?");
    assert_error(PARSE("--fom"), "unknown option --fom; did you mean --form?");
    assert_error(PARSE("--foo"), "unknown option --foo");
    assert_error(PARSE("--rampup=5"), "unknown option --rampup; did you mean --ramp-up?");
    assert_error(PARSE("--qiuet"), "unknown option --qiuet; did you mean --quiet?");
    assert_error(PARSE("--something-else"), "unknown option --something-else");
    assert_error(PARSE("--=x"), "unknown option --");
    assert_error(PARSE("-x"), "unknown option -x");
    assert_error(PARSE("-q\n"), "unknown option -?");
    char name[300];
    memset(name, 'a', sizeof name);
    name[0] = name[1] = '-';
    name[299] = '\0';
    assert_false(PARSE(name).is_good);
}

static void set_variable(const char *name, const char *text)
{
    assert_int_equal(setenv(name, text, 1), 0);
}

static int clear_environment(void **state)
{
    (void)state;
    static const char *const names[] = {"TUTTI_WORKERS", "TUTTI_RAMP_UP", "TUTTI_QUIET", "TUTTI_VERBOSE",
                                        "TUTTI_SCRIPT"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsetenv(names[i]);
    }
    return 0;
}

static void test_the_environment_comes_first(void **state)
{
    (void)state;
    set_variable("TUTTI_WORKERS", "7");
    set_variable("TUTTI_RAMP_UP", "250ms");
    set_variable("TUTTI_QUIET", "true");
    set_variable("TUTTI_VERBOSE", "2");
    set_variable("TUTTI_SCRIPT", "");
    struct outcome outcome = PARSE("--ramp-up", "1");
    assert_true(outcome.is_good);
    assert_int_equal(outcome.settings.workers, 7);
    assert_true(outcome.settings.has_workers);
    assert_int_equal(outcome.settings.ramp_up_ms, 1000);
    assert_true(outcome.settings.is_quiet);
    assert_int_equal(outcome.settings.verbosity, 2);
    assert_null(outcome.settings.script);
    set_variable("TUTTI_QUIET", "0");
    assert_false(PARSE("-v").settings.is_quiet);
}

static void test_the_environment_is_checked_too(void **state)
{
    (void)state;
    set_variable("TUTTI_QUIET", "yes");
    assert_error(PARSE("-v"), "TUTTI_QUIET: \"yes\" is neither true nor false");
    set_variable("TUTTI_QUIET", "1");
    set_variable("TUTTI_RAMP_UP", "1x");
    assert_error(PARSE("-v"),
                 "TUTTI_RAMP_UP: \"1x\" is not a duration; write it like 10, 250ms, 1.5s, 5m30s or 1h");
}

static void test_help_is_aligned(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    option_print_help(options, OPTION_COUNT_ALL, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "  -w, --workers N              how many workers  [1]\n"
                              "      --ramp-up TIME           over which time they start\n"
                              "  -q, --quiet                  says nothing\n"
                              "  -v, --verbose                says more, twice still more\n"
                              "  -s, --script FILE            the script\n"
                              "      --form text|json|ndjson  how it looks\n"
                              "      --page[=PORT]            a page\n"
                              "      --offset @N              where\n");
    memory_free(text);
}

static void test_help_stays_within_100_columns(void **state)
{
    (void)state;
    static const struct option wide[] = {
        {.name = "short",
         .type = OPTION_FLAG,
         .is_set_offset = SIZE_MAX,
         .help = "a help – with a dash – that goes on and on until it must be put on a second line of its "
                 "own, and on"},
        {.name = "a-name-that-is-far-too-long-for-its-column",
         .type = OPTION_FLAG,
         .is_set_offset = SIZE_MAX,
         .help = "comes below"},
    };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    option_print_help(wide, 2, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(
        text,
        "      --short  a help – with a dash – that goes on and on until it must be put on a second line of\n"
        "               its own, and on\n"
        "      --a-name-that-is-far-too-long-for-its-column\n"
        "               comes below\n");
    memory_free(text);
}

static bool check_short(struct bytes text, struct error *error)
{
    return text.size < 4 || error_set(error, "too long");
}

static void test_texts_are_kept_in_the_order_in_which_they_are_given(void **state)
{
    (void)state;
    struct option_texts texts = {0};
    static const struct option option = {.name = "many",
                                         .letter = 'm',
                                         .type = OPTION_TEXTS,
                                         .minimum = 1,
                                         .check = check_short,
                                         .is_set_offset = SIZE_MAX};
    const char *words[1];
    size_t count = 0;
    struct error error;
    const char *argv[] = {"p", "--many", "a", "-mb", "--many=c", "-m", "d", NULL};
    assert_int_equal(setenv("TUTTI_MANY", "env", 1), 0);
    assert_true(option_parse(&option, 1, 7, (char **)argv, &texts, words, 1, &count, &error));
    assert_int_equal(unsetenv("TUTTI_MANY"), 0);
    static const char *const wanted[] = {"env", "a", "b", "c", "d"};
    assert_int_equal(texts.count, 5);
    for (size_t i = 0; i < texts.count; i++) {
        assert_string_equal(texts.items[i], wanted[i]);
    }
    const char *bad[] = {"p", "-m", "long", NULL};
    assert_false(option_parse(&option, 1, 3, (char **)bad, &texts, words, 1, &count, &error));
    assert_string_equal(error.text, "-m (--many): too long");
    const char *empty[] = {"p", "-m", "", NULL};
    assert_false(option_parse(&option, 1, 3, (char **)empty, &texts, words, 1, &count, &error));
    texts.count = OPTION_TEXTS_MAX;
    assert_false(option_parse(&option, 1, 7, (char **)argv, &texts, words, 1, &count, &error));
    assert_string_equal(error.text, "--many: given more than 256 times");
}

/* Not `options`: these may be given several times. */
static void test_what_is_given_several_times_is_joined(void **state)
{
    (void)state;
    static const struct option several[] = {
        {.name = "must", .type = OPTION_BYTES, .is_list = true, .separator = ';', .is_set_offset = SIZE_MAX},
        {.name = "file", .letter = 'f', .type = OPTION_BYTES, .is_set_offset = SIZE_MAX},
        {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, .is_set_offset = SIZE_MAX},
    };
    const char *given[] = {"p",      "--must", "a",      "x", "--must=b", "-qf",    "--must", "-q",
                           "--file", "--must", "--must", "c", "--",       "--must", NULL};
    char *argv[15];
    memcpy(argv, given, sizeof argv);
    int argc = 14;
    SCOPED(memory_free_at) char *joined = option_join(several, 3, &argc, argv, &several[0]);
    assert_string_equal(joined, "a;b;c");
    static const char *const left[] = {"p", "x", "-qf", "--must", "-q", "--file", "--must", "--", "--must"};
    assert_int_equal(argc, 9);
    for (int i = 0; i < argc; i++) {
        assert_string_equal(argv[i], left[i]);
    }
    assert_null(option_join(several, 3, &argc, argv, &several[0]));
    struct bytes values = {0};
    const char *words[8];
    size_t count = 0;
    struct error error;
    const char *again[] = {"p", "--must", "a", "--must", "b", NULL};
    char *twice[6];
    memcpy(twice, again, sizeof twice);
    assert_true(option_parse(several, 1, 5, twice, &values, words, 8, &count, &error));
    assert_true(bytes_equal_string(values, "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_leaves_the_defaults),
        cmocka_unit_test(test_all_spellings_of_a_value),
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_a_value_that_may_be_left_out),
        cmocka_unit_test(test_words_mix_with_options),
        cmocka_unit_test(test_a_value_may_look_like_an_option),
        cmocka_unit_test(test_numbers_refuse_junk),
        cmocka_unit_test(test_other_values_are_refused_with_what_would_be_right),
        cmocka_unit_test(test_values_have_their_sizes),
        cmocka_unit_test(test_several_choices_may_have_one_value),
        cmocka_unit_test(test_defaults_are_spelled_as_values),
        cmocka_unit_test(test_unknown_options_suggest_the_nearest),
        cmocka_unit_test_teardown(test_the_environment_comes_first, clear_environment),
        cmocka_unit_test_teardown(test_the_environment_is_checked_too, clear_environment),
        cmocka_unit_test(test_help_is_aligned),
        cmocka_unit_test(test_help_stays_within_100_columns),
        cmocka_unit_test(test_texts_are_kept_in_the_order_in_which_they_are_given),
        cmocka_unit_test(test_what_is_given_several_times_is_joined),
    };
    return cmocka_run_group_tests(tests, clear_environment, NULL);
}
