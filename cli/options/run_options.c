/* How the options of a campaign go over those of its script. */
#include "cli/options/run_options.h"
#include "agent/script/script.h"
#include "cli/base/text_file.h"
#include "cli/options/command_line.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/trusted_file.h"
#include "proto/message/arrivals.h"
#include "proto/message/environment.h"

#include <stdlib.h>
#include <string.h>

/* Of --env-file: comments and quotes come on top of what the variables may have. */
#define ENVIRONMENT_FILE_BYTES ((size_t)4 * ENVIRONMENT_MAX_BYTES)

/* What nobody sets has its default, in the whole structure that the command's table fills. */
static void run_options_reset(const struct subcommand *command, struct run_options *options)
{
    *options = (struct run_options){0};
    option_set_defaults(command->options, command->option_count, options);
}

/* What each option alone cannot say. */
static bool check_together(const struct run_options *options, struct error *error)
{
    if (options->is_quiet && options->campaign.verbosity > 0) {
        return error_set(error, "--quiet and --verbose contradict each other");
    }
    if (options->campaign.is_single_run && options->campaign.single_mode.size > 0) {
        return error_set(error, "--single-run and --single-mode contradict each other");
    }
    if (options->campaign.is_unverified && options->tls_files.ca != NULL) {
        return error_set(error, "--insecure and --ca contradict each other");
    }
    if (options->tls_files.key != NULL && options->tls_files.certificate == NULL) {
        return error_set(error, "--key is given without --cert");
    }
    return true;
}

static void settle(struct run_options *options)
{
    campaign_options_settle(&options->campaign, options->is_given.runs, options->is_given.fail);
    uint32_t workers = campaign_most_workers(&options->campaign);
    if (!options->is_given.agents && workers < options->agents) {
        options->agents = workers;
    }
}

void command_words_init(struct command_words *words, const struct subcommand *command, int argc, char **argv)
{
    *words = (struct command_words){.command = command, .argc = argc, .argv = argv};
    environment_init(&words->environment);
}

void command_words_finish(struct command_words *words)
{
    trusted_file_wipe(&words->environment);
}

static bool command_words_add_file(struct command_words *words, const char *path, struct error *error)
{
    char *text = text_file_read_up_to(path, ENVIRONMENT_FILE_BYTES, error);
    bool is_good = text != NULL && (environment_set_lines(&words->environment, text, error) ||
                                    error_wrap(error, "%s: ", path));
    text_file_wipe(&text);
    return is_good || error_wrap(error, "--env-file: ");
}

bool command_words_add_environment(struct command_words *words, const struct option_texts *files,
                                   const struct option_texts *env, struct error *error)
{
    for (size_t i = 0; i < files->count; i++) {
        if (!command_words_add_file(words, files->items[i], error)) {
            return false;
        }
    }
    for (size_t i = 0; i < env->count; i++) {
        if (!environment_set_word(&words->environment, env->items[i], error)) {
            return error_wrap(error, "-e (--env): ");
        }
    }
    return true;
}

bool run_options_read(struct command_words *words, struct run_options *options, const char **script)
{
    struct error error;
    size_t word_count = 0;
    const char *name = words->command->name;
    run_options_reset(words->command, options);
    if (!subcommand_parse(words->command, words->argc, words->argv, options, script, 1, &word_count)) {
        return false;
    }
    bool is_good = word_count == 1 || error_set(&error, "which script? (see tutti help %s)", name);
    if (!is_good || !check_together(options, &error) ||
        !command_words_add_environment(words, &options->env_files, &options->env, &error)) {
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
    run_options_reset(words->command, options);
    return option_parse(words->command->options, words->command->option_count, words->argc, words->argv,
                        options, &script, 1, &word_count, NULL) &&
           (options->is_given.runs || options->campaign.duration_ms > 0 ||
            options->campaign.stages.size > 0 || options->campaign.shared_runs > 0);
}

/* Appends what the user has given, the values of an option that may be given several times as one. Returns
 * how many of all have memory of their own. */
static int batcher_join_arguments(const struct command_words *words, char **arguments, int *count)
{
    SCOPED(memory_free_at) char **given = memory_copy(words->argv, (size_t)words->argc * sizeof *given);
    int given_count = words->argc;
    for (size_t i = 0; i < words->command->option_count; i++) {
        const struct option *option = &words->command->options[i];
        SCOPED(memory_free_at)
        char *joined = option->separator == 0
                           ? NULL
                           : option_join(words->command->options, words->command->option_count, &given_count,
                                         given, option);
        if (joined != NULL) {
            arguments[(*count)++] = memory_format("--%s=%s", option->name, joined);
        }
    }
    int own_count = *count;
    for (int i = 1; i < given_count; i++) {
        arguments[(*count)++] = given[i];
    }
    return own_count;
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
    int own_count = batcher_join_arguments(words, arguments, &count);
    run_options_reset(words->command, options);
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
    options->campaign.env = buffer_bytes(&words->environment);
    settle(options);
    return check_together(options, error) && campaign_options_check(&options->campaign, error);
}

void run_options_finish(struct run_options *options)
{
    for (int i = 1; i < options->own_argument_count; i++) {
        memory_free(options->arguments[i]);
    }
    memory_free(options->arguments);
}
