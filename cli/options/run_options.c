/* How the options of a campaign go over those of its script. */
#include "cli/options/run_options.h"
#include "agent/script/script.h"
#include "cli/base/exit_code.h"
#include "cli/options/command_line.h"
#include "cli/options/command_words.h"
#include "common/log.h"
#include "common/memory.h"
#include "proto/message/arrivals.h"

#include <stdlib.h>
#include <string.h>

/* Digits of a commit that a report has. */
#define COMMIT_SHOWN 12

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
    if (options->dashboard.is_opened && !options->dashboard.is_wanted) {
        return error_set(error, "--open is given without --dashboard");
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

/* False if it leads out of the folder that it is in. */
static bool is_inside(const char *path)
{
    struct bytes rest = bytes_of_string(path);
    while (rest.size > 0) {
        const uint8_t *slash = memchr(rest.data, '/', rest.size);
        size_t size = slash != NULL ? (size_t)(slash - rest.data) : rest.size;
        if (bytes_equal_string(bytes_of(rest.data, size), "..")) {
            return false;
        }
        size += slash != NULL ? 1 : 0;
        rest = bytes_of(rest.data + size, rest.size - size);
    }
    return *path != '/';
}

/* The folder that scripts and files of runs are in: for memory_free; empty for the present one; NULL with an
 * error. */
static char *find_folder(struct command_words *words, const struct run_options *options, struct error *error)
{
    const char *path = options->git.path;
    if (options->git.url == NULL) {
        bool is_lost = options->git.revision != NULL || path != NULL;
        (void)(is_lost && error_set(error, "--revision and --path are given without --git"));
        return is_lost ? NULL : memory_copy_string("");
    }
    if (path != NULL && !is_inside(path)) {
        (void)error_set(error, "--path: it leads out of the repository");
        return NULL;
    }
    if (!git_checkout_make(&words->checkout, options->git.url, options->git.revision, error)) {
        (void)error_wrap(error, "--git: ");
        words->code = (int)(words->checkout.is_interrupted ? EXIT_CODE_INTERRUPTED : EXIT_CODE_USAGE);
        return NULL;
    }
    return memory_format("%s/%s%s", words->checkout.folder, path != NULL ? path : "",
                         path != NULL ? "/" : "");
}

/* What a report calls a script of a repository: its commit, and where it is there. */
static void show_script(struct command_words *words)
{
    size_t size = words->checkout.folder != NULL ? strlen(words->checkout.folder) : 0;
    if (size > 0) {
        words->shown = memory_format("%.*s%s", COMMIT_SHOWN, words->checkout.commit, words->script + size);
    }
}

/* The script is the word, or what the run of this name in the file of --config says. */
static bool find_script(struct command_words *words, const struct run_options *options, const char **script,
                        struct error *error)
{
    if (options->config == NULL && *script == NULL) {
        return error_set(error, "which script? (see tutti help %s)", words->command->name);
    }
    SCOPED(memory_free_at) char *folder = find_folder(words, options, error);
    if (folder == NULL) {
        return false;
    }
    const char *path = options->config != NULL ? options->config : *script;
    if (options->git.url != NULL && !is_inside(path)) {
        return error_set(error, "%.80s leads out of the repository", path);
    }
    SCOPED(memory_free_at) char *place = memory_format("%s%s", folder, path);
    if (options->config == NULL) {
        words->script = memory_copy_string(place);
    } else if (!config_file_read(place, *script, &words->run, error)) {
        return error_wrap(error, "--config: ");
    } else {
        words->script = memory_copy_string(words->run.script);
    }
    *script = words->script;
    if (*script != NULL) {
        show_script(words);
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
    *script = word_count == 1 ? *script : NULL;
    if (!find_script(words, options, script, &error) || !check_together(options, &error) ||
        !command_words_add_environment(words, &options->env_files, &options->env, &error)) {
        log_line(LOG_ERROR, name, "%s", error.text);
        return false;
    }
    words->code = (int)(*script == NULL ? EXIT_CODE_PASSED : EXIT_CODE_USAGE);
    return *script != NULL;
}

/* Whether the word of the script or of --config counts: the command knows the option, the environment is
 * silent about it, and so is the command line if it is one that cannot stand there twice. */
static bool is_wanted(const struct command_words *words, const char *name)
{
    const struct subcommand *command = words->command;
    for (size_t i = 0; i < command->option_count; i++) {
        const struct option *option = &command->options[i];
        if (strcmp(option->name, name) != 0) {
            continue;
        }
        char variable[OPTION_VARIABLE_BYTES];
        option_variable(option, variable);
        const char *text = getenv(variable);
        bool is_said = text != NULL && *text != '\0' && !option->has_no_variable;
        return !is_said && (option->letter != 0 || !option_is_given(command->options, command->option_count,
                                                                    words->argc, words->argv, option));
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

static bool run_says_length(const struct config_run *run)
{
    return config_run_has(run, "runs") || config_run_has(run, "duration") || config_run_has(run, "stages") ||
           config_run_has(run, "shared-runs");
}

/* The options of --config, over those of the script. */
static void batcher_add_run(const struct command_words *words, bool has_length, char **arguments, int *count)
{
    for (size_t i = 0; i < words->run.option_count; i++) {
        const struct config_option *option = &words->run.options[i];
        if (is_wanted(words, option->name) && !(has_length && is_about_length(option->name))) {
            arguments[(*count)++] = memory_format("--%s=%s", option->name, option->text);
        }
    }
}

/* The script's options go in front of the others, as arguments of their own, so that one parser judges all;
 * it takes the environment first, so what stands there is left out here. */
static int batcher_arguments(const struct command_words *words, const struct script_facts *facts,
                             struct run_options *options, char **arguments)
{
    bool has_length = says_length(words, options);
    bool has_any_length = has_length || run_says_length(&words->run);
    int count = 0;
    arguments[count++] = words->argv[0];
    for (size_t i = 0; i < facts->option_count; i++) {
        const struct script_option *option = &facts->options[i];
        if (is_wanted(words, option->name) && !config_run_has(&words->run, option->name) &&
            !(has_any_length && is_about_length(option->name))) {
            arguments[count++] = memory_format("--%s=%s", option->name, option->text);
        }
    }
    batcher_add_run(words, has_length, arguments, &count);
    int own_count = batcher_join_arguments(words, arguments, &count);
    run_options_reset(words->command, options);
    options->arguments = arguments;
    options->own_argument_count = own_count;
    return count;
}

bool run_options_merge(const struct command_words *words, const struct script_facts *facts,
                       struct run_options *options, struct error *error)
{
    char **arguments =
        memory_new((size_t)words->argc + facts->option_count + words->run.option_count + 1, sizeof(char *));
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
