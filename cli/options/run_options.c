/* How the options of a campaign go over those of its script. */
#include "cli/options/run_options.h"
#include "agent/script/script.h"
#include "cli/options/command_line.h"
#include "common/log.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <stdlib.h>
#include <string.h>

#define SYNC_TIMEOUT_FALLBACK_MS 60000u
#define SETUP_TIMEOUT_FALLBACK_MS 60000u
#define AGENTS_FALLBACK 2u

static struct run_options run_options_defaults(void)
{
    return (struct run_options){
        .workers = 1,
        .agents = AGENTS_FALLBACK,
        .shards = 1,
        .turn_limit_ms = LIMIT_TURN_MS,
        .sync_timeout_ms = SYNC_TIMEOUT_FALLBACK_MS,
        .setup_timeout_ms = SETUP_TIMEOUT_FALLBACK_MS,
        .fail = {.steps = 1},
    };
}

/* What each option alone cannot say. */
static bool check_together(const struct run_options *options, struct error *error)
{
    if (options->is_quiet && options->verbosity > 0) {
        return error_set(error, "--quiet and --verbose contradict each other");
    }
    if (options->is_single_run && options->single_mode != NULL) {
        return error_set(error, "--single-run and --single-mode contradict each other");
    }
    return true;
}

/* Nobody means to run for ever, or for no time, by saying nothing. */
static void settle(struct run_options *options)
{
    if (!options->is_set[RUN_RUNS] && options->duration_ms == 0) {
        options->runs = 1;
    }
    if (!options->is_set[RUN_AGENTS] && options->workers < options->agents) {
        options->agents = options->workers;
    }
}

bool run_options_read(const struct command_words *words, struct run_options *options, const char **script)
{
    *options = run_options_defaults();
    struct error error;
    size_t word_count = 0;
    const char *name = words->command->name;
    if (!subcommand_parse(words->command, words->argc, words->argv, options, script, 1, &word_count)) {
        return false;
    }
    bool is_good = word_count == 1 || error_set(&error, "which script? (see tutti help %s)", name);
    if (!is_good || !check_together(options, &error)) {
        log_line(LOG_ERROR, name, "%s", error.text);
        return false;
    }
    return true;
}

/* Whether the script's word counts: the command knows the option, and the environment is silent about it. */
static bool is_wanted(const struct subcommand *command, const char *name)
{
    for (size_t i = 0; i < command->option_count; i++) {
        if (strcmp(command->options[i].name, name) == 0) {
            char variable[OPTION_VARIABLE_BYTES];
            option_variable(&command->options[i], variable);
            const char *text = getenv(variable);
            return text == NULL || *text == '\0';
        }
    }
    return false;
}

/* How long it goes on is one thing to a person: who says --duration does not want the runs that the script
 * says, nor the other way round. */
static bool is_about_length(const char *name)
{
    return strcmp(name, "runs") == 0 || strcmp(name, "duration") == 0;
}

/* Errors are told when all is parsed. */
static bool says_length(const struct command_words *words, struct run_options *options)
{
    const char *script = NULL;
    size_t word_count = 0;
    *options = run_options_defaults();
    return option_parse(words->command->options, words->command->option_count, words->argc, words->argv,
                        options, &script, 1, &word_count, NULL) &&
           (options->is_set[RUN_RUNS] || options->duration_ms > 0);
}

/* The script's options go in front of the others, as arguments of their own, so that one parser judges all;
 * it takes the environment first, so what stands there is left out here. */
static int batcher_arguments(const struct command_words *words, const struct script_facts *facts,
                             struct run_options *options, char **arguments)
{
    bool has_length = says_length(words, options);
    int count = 0;
    arguments[count++] = words->argv[0];
    for (size_t i = 0; i < facts->option_count; i++) {
        const struct script_option *option = &facts->options[i];
        if (is_wanted(words->command, option->name) && !(has_length && is_about_length(option->name))) {
            arguments[count++] = memory_format("--%s=%s", option->name, option->text);
        }
    }
    int own_count = count;
    for (int i = 1; i < words->argc; i++) {
        arguments[count++] = words->argv[i];
    }
    *options = run_options_defaults();
    options->arguments = arguments;
    options->own_argument_count = own_count;
    return count;
}

bool run_options_merge(const struct command_words *words, const struct script_facts *facts,
                       struct run_options *options, struct error *error)
{
    char **arguments = memory_new((size_t)words->argc + facts->option_count + 1, sizeof(char *));
    int count = batcher_arguments(words, facts, options, arguments);
    const char *script = NULL;
    size_t word_count = 0;
    if (!option_parse(words->command->options, words->command->option_count, count, arguments, options,
                      &script, 1, &word_count, error)) {
        return error_wrap(error, "the options of the script: ");
    }
    settle(options);
    return check_together(options, error);
}

void run_options_finish(struct run_options *options)
{
    for (int i = 1; i < options->own_argument_count; i++) {
        memory_free(options->arguments[i]);
    }
    memory_free(options->arguments);
}

void run_options_to_campaign(const struct run_options *options, struct campaign_options *campaign)
{
    *campaign = (struct campaign_options){
        .workers = (uint32_t)options->workers,
        .runs = options->runs,
        .duration_ms = options->duration_ms,
        .ramp_up_ms = options->ramp_up_ms,
        .delay_ms = options->delay_ms,
        .room_size = (uint32_t)options->room_size,
        .on_loss = on_loss_of(options->on_loss),
        .on_deadlock = (enum on_deadlock)options->on_deadlock,
        .sync_timeout_ms = options->sync_timeout_ms,
        .setup_timeout_ms = options->setup_timeout_ms,
        .is_single_run = options->is_single_run,
        .single_mode = bytes_of_string(options->single_mode),
        .is_stopped_by_failure = options->is_stopped_by_failure,
        .fail_steps = options->fail.steps,
        .fail_percent = options->fail.percent,
        .verbosity = options->verbosity,
        .browser = (enum browser_kind)options->browser,
    };
}
