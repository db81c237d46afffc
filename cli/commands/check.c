/* `tutti check`: what is in a script, without running it. */
#include "agent/lua/lua_api.h"
#include "agent/script/script.h"
#include "cli/base/exit_code.h"
#include "cli/base/format.h"
#include "cli/commands/check_source.h"
#include "cli/commands/subcommand.h"
#include "cli/options/campaign_script.h"
#include "cli/options/command_words.h"
#include "cli/options/run_options.h"
#include "common/digits.h"
#include "common/log.h"
#include "common/memory.h"
#include "proto/message/threshold.h"

#include <stdio.h>
#include <string.h>

struct check_options {
    bool may_use_system;
    const char *target;
    const char *browser;
    struct option_texts env;
    struct option_texts env_files;
};

static const struct option check_options[] = {
    {.name = "allow-system",
     .type = OPTION_FLAG,
     .offset = offsetof(struct check_options, may_use_system),
     .is_set_offset = SIZE_MAX,
     .help = "let the script use io, os and C modules while it loads"},
    {.name = "target",
     .type = OPTION_TEXT,
     .offset = offsetof(struct check_options, target),
     .is_set_offset = SIZE_MAX,
     .argument = "URL",
     .help = "the value of tutti.target for the script"},
    {.name = "browser",
     .type = OPTION_TEXT,
     .offset = offsetof(struct check_options, browser),
     .is_set_offset = SIZE_MAX,
     .argument = "NAME,…",
     .help = "the browsers whose drivers are looked for, if the script opens any; as for tutti run"},
    {.name = "env",
     .letter = 'e',
     .type = OPTION_TEXTS,
     .offset = offsetof(struct check_options, env),
     .is_set_offset = SIZE_MAX,
     .argument = "NAME=VALUE",
     .has_no_variable = true,
     .help = "the value of tutti.env.NAME for the script; may be given several times"},
    {.name = "env-file",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct check_options, env_files),
     .is_set_offset = SIZE_MAX,
     .argument = "FILE",
     .help = "the same from the lines of a file"},
};

static void print_scenarios(const struct script_facts *facts)
{
    double total = 0;
    for (size_t i = 0; i < facts->scenario_count; i++) {
        total += facts->scenarios[i].weight;
    }
    printf("scenarios\n");
    for (size_t i = 0; i < facts->scenario_count; i++) {
        const struct script_scenario *scenario = &facts->scenarios[i];
        printf("  %s  weight %g", scenario->name, scenario->weight);
        if (total > 0) {
            printf(" (%.0f %%)", scenario->weight * 100 / total);
        }
        if (scenario->delay_s > 0) {
            printf("  delay %g s", scenario->delay_s);
        }
        printf("\n");
    }
}

static bool is_threshold(const struct script_option *option)
{
    return strcmp(option->name, run_option_table[RUN_ROW_thresholds].name) == 0;
}

static void print_options(const struct script_facts *facts)
{
    size_t count = 0;
    printf("options\n");
    for (size_t i = 0; i < facts->option_count; i++) {
        if (!is_threshold(&facts->options[i])) {
            printf("  %s = %s\n", facts->options[i].name, facts->options[i].text);
            count++;
        }
    }
    if (count == 0) {
        printf("  none\n");
    }
}

/* One a line. */
static void print_thresholds(const struct script_facts *facts)
{
    for (size_t i = 0; i < facts->option_count; i++) {
        struct bytes rest = bytes_of_string(facts->options[i].text);
        struct bytes one;
        if (!is_threshold(&facts->options[i])) {
            continue;
        }
        printf("thresholds\n");
        while (thresholds_next(&rest, &one)) {
            struct threshold threshold;
            if (threshold_parse(one, &threshold, NULL)) {
                printf("  %.*s\n", BYTES_FORMAT(threshold.text));
            }
        }
    }
}

static void print_fixtures(const struct script_facts *facts)
{
    printf("fixtures\n  ");
    for (size_t i = 0; i < facts->fixture_count; i++) {
        printf("%s%s", i > 0 ? ", " : "", facts->fixtures[i]);
    }
    printf("%s\n", facts->fixture_count == 0 ? "none" : "");
}

static void print_bundle(const struct script_facts *facts)
{
    printf("bundle %.*s\n", BYTES_FORMAT(facts->bundle.hash));
    for (size_t i = 0; i < facts->bundle.file_count; i++) {
        char size[FORMAT_BYTES];
        format_count(facts->bundle.files[i].content.size, size);
        printf("  %.*s  %s byte%s\n", BYTES_FORMAT(facts->bundle.files[i].path), size,
               digits_plural(facts->bundle.files[i].content.size));
    }
}

/* A picker may name one whatever its weight is. */
static bool check_weights(const struct script_facts *facts, struct error *error)
{
    double total = 0;
    for (size_t i = 0; i < facts->scenario_count; i++) {
        total += facts->scenarios[i].weight;
    }
    for (size_t i = 0; i < facts->fixture_count; i++) {
        total += strcmp(facts->fixtures[i], "scenario_picker") == 0 ? 1 : 0;
    }
    return total > 0 ||
           error_set(error, "%s weight 0, and there is no scenario_picker: no step would find one",
                     facts->scenario_count == 1 ? "its scenario has" : "all scenarios have");
}

static int run_check(int argc, char **argv)
{
    struct check_options options = {0};
    const char *script = NULL;
    size_t word_count = 0;
    if (!subcommand_parse(&check_subcommand, argc, argv, &options, &script, 1, &word_count)) {
        return EXIT_CODE_USAGE;
    }
    if (word_count == 0) {
        log_line(LOG_ERROR, "check", "which script? (see tutti help check)");
        return EXIT_CODE_USAGE;
    }
    struct error error;
    struct run_options merged = {0};
    SCOPED(memory_free_at) char *browser = memory_copy_string(options.browser != NULL ? options.browser : "");
    char name[] = "--browser";
    char *given[] = {argv[0], name, browser, NULL};
    SCOPED(command_words_finish) struct command_words words;
    command_words_init(&words, &run_subcommand, options.browser != NULL ? 3 : 1, given);
    bool is_known = command_words_add_environment(&words, &options.env_files, &options.env, &error);
    struct script_inspection inspection = {.path = script,
                                           .library = &lua_api_library,
                                           .is_system_allowed = options.may_use_system,
                                           .environment = buffer_bytes(&words.environment),
                                           .target = options.target};
    struct script_facts *facts = is_known ? script_inspect(&inspection, &error) : NULL;
    bool is_good = facts != NULL && run_options_merge(&words, facts, &merged, &error) &&
                   campaign_script_has_driver(script, &merged, facts, &error) && check_weights(facts, &error);
    if (is_good) {
        print_scenarios(facts);
        print_options(facts);
        print_thresholds(facts);
        print_fixtures(facts);
        print_bundle(facts);
        check_source("check", facts);
    } else {
        log_line(LOG_ERROR, "check", "%s", error.text);
    }
    run_options_finish(&merged);
    script_facts_free(&facts);
    return is_good ? EXIT_CODE_PASSED : EXIT_CODE_USAGE;
}

const struct subcommand check_subcommand = {
    .name = "check",
    .usage = "SCRIPT [options]",
    .summary = "Examines a script without running it",
    .details =
        "Prints its scenarios with their weights, its options, thresholds and fixtures, and the files that\n"
        "are sent to the agents with their common hash. Warns of fields of worker that nobody sets and that\n"
        "are nearly ours, and of functions that have the name of a fixture and are none. Exit code 2 if\n"
        "`tutti run` would refuse it, or if no step would find a scenario.\n",
    .examples = "  tutti check examples/pad.lua\n",
    .options = check_options,
    .option_count = sizeof check_options / sizeof check_options[0],
    .needs = {.descriptors = 12, .threads = 0},
    .run = run_check,
};
