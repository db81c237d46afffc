/* Where the options of a run come from, and what they result in. */
#include "agent/script/script.h"
#include "cli/commands/subcommand.h"
#include "cli/options/command_words.h"
#include "cli/options/run_options.h"
#include "tests/unit/common/check.h"

#include <stdlib.h>
#include <string.h>

struct said {
    const char *name;
    const char *text;
};

static bool merge(int argc, const char *const *argv, const struct said *said, size_t count,
                  struct run_options *options, struct error *error)
{
    struct script_option own[4];
    for (size_t i = 0; i < count; i++) {
        own[i] = (struct script_option){(char *)said[i].name, (char *)said[i].text};
    }
    struct script_facts facts = {.options = own, .option_count = count};
    const struct command_words words = {.command = &run_subcommand, .argc = argc, .argv = (char **)argv};
    return run_options_merge(&words, &facts, options, error);
}

static void the_nearer_word_wins(void **state)
{
    (void)state;
    const struct said said[] = {{"workers", "3"}, {"runs", "30"}, {"on-loss", "fail"}, {"fail", "5%"}};
    const char *const argv[] = {"run", "a.lua", "-r", "7"};
    struct run_options options;
    struct error error;
    setenv("TUTTI_WORKERS", "4", 1);
    assert_true(merge(4, argv, said, 4, &options, &error));
    unsetenv("TUTTI_WORKERS");
    assert_int_equal(options.campaign.workers, 4);
    assert_int_equal(options.campaign.runs, 7);
    assert_int_equal(options.campaign.on_loss, ON_LOSS_FAIL);
    assert_int_equal(options.campaign.fail_steps, 0);
    assert_true(options.campaign.fail_percent == 5);
    run_options_finish(&options);
}

static void the_length_comes_from_one_place(void **state)
{
    (void)state;
    const struct said runs[] = {{"runs", "30"}};
    const struct said duration[] = {{"duration", "5000ms"}};
    const char *const timed[] = {"run", "a.lua", "-d", "5"};
    const char *const counted[] = {"run", "a.lua", "-r", "7"};
    struct run_options options;
    struct error error;
    assert_true(merge(4, timed, runs, 1, &options, &error));
    assert_int_equal(options.campaign.runs, 0);
    assert_int_equal(options.campaign.duration_ms, 5000);
    run_options_finish(&options);
    assert_true(merge(4, counted, duration, 1, &options, &error));
    assert_int_equal(options.campaign.runs, 7);
    assert_int_equal(options.campaign.duration_ms, 0);
    run_options_finish(&options);
}

static void silence_means_one_run_of_one_worker(void **state)
{
    (void)state;
    const char *const argv[] = {"run", "a.lua"};
    const char *const timed[] = {"run", "a.lua", "-d", "5"};
    struct run_options options;
    struct error error;
    assert_true(merge(2, argv, NULL, 0, &options, &error));
    assert_int_equal(options.campaign.workers, 1);
    assert_int_equal(options.campaign.runs, 1);
    assert_int_equal(options.campaign.fail_steps, 1);
    assert_int_equal(options.campaign.sync_timeout_ms, 60000);
    assert_int_equal(options.agents, 1);
    run_options_finish(&options);
    assert_true(merge(4, timed, NULL, 0, &options, &error));
    assert_int_equal(options.campaign.runs, 0);
    run_options_finish(&options);
}

static void what_contradicts_itself_is_refused(void **state)
{
    (void)state;
    const struct said said[] = {{"single-run", "true"}};
    const char *const argv[] = {"run", "a.lua", "-s", "pad"};
    struct run_options options;
    struct error error;
    assert_false(merge(4, argv, said, 1, &options, &error));
    assert_non_null(strstr(error.text, "contradict"));
    run_options_finish(&options);
}

static void failing_is_counted_or_a_share(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
    } cases[] = {{"0", true},   {"10", true},    {"0%", true},     {"2.5%", true},  {"100%", true},
                 {"", false},   {"-1", false},   {"%", false},     {"101%", false}, {"5 %", false},
                 {"x%", false}, {"1e1%", false}, {"1.2.3%", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const argv[] = {"run", "a.lua", "--fail", cases[i].text};
        struct run_options options;
        struct error error;
        assert_int_equal(merge(4, argv, NULL, 0, &options, &error), cases[i].is_good);
        run_options_finish(&options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearer_word_wins),
        cmocka_unit_test(the_length_comes_from_one_place),
        cmocka_unit_test(silence_means_one_run_of_one_worker),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(failing_is_counted_or_a_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
