/* The options of `tutti run` as a table, and how they go over those of the script. */
#include "cli/run_options.h"
#include "agent/script.h"
#include "cli/subcommand.h"
#include "common/log.h"
#include "common/memory.h"
#include "proto/limits.h"

#include <stdlib.h>
#include <string.h>

#define AGENTS_MAX 1000u
#define DAY_MS (24u * 3600u * 1000u)
#define YEAR_MS (365ull * DAY_MS)
#define SYNC_TIMEOUT_FALLBACK_MS 60000u
#define AGENTS_FALLBACK 2u

static const char *const on_loss_choices[] = {"shrink", "replace", "fail", NULL};
static const char *const on_deadlock_choices[] = {"stop", "fail", NULL};

static bool is_digits(const char *text, size_t size)
{
    return size > 0 && strspn(text, "0123456789") >= size;
}

/* "10" or "2.5%" */
static bool parse_fail(const char *text, void *value, struct error *error)
{
    struct fail_limit *limit = value;
    size_t length = strlen(text);
    if (length > 1 && text[length - 1] == '%') {
        char *end = NULL;
        double percent = strtod(text, &end);
        bool is_plain = strspn(text, "0123456789.") == length - 1;
        if (is_plain && end == text + length - 1 && percent >= 0 && percent <= 100) {
            *limit = (struct fail_limit){.percent = percent};
            return true;
        }
    } else if (is_digits(text, length) && length <= 18) {
        *limit = (struct fail_limit){.steps = strtoull(text, NULL, 10)};
        return true;
    }
    return error_set(error, "\"%.40s\" is neither a number of steps nor a percentage like 5%%", text);
}

static bool parse_words(const char *text, void *value, struct error *error)
{
    if (*text == '\0' || strlen(text) > LIMIT_NAME_BYTES) {
        return error_set(error, "must have 1 to %u characters", LIMIT_NAME_BYTES);
    }
    *(const char **)value = text;
    return true;
}

static bool parse_target(const char *text, void *value, struct error *error)
{
    if (*text == '\0' || strlen(text) > LIMIT_TEXT_BYTES) {
        return error_set(error, "must have 1 to %u characters", LIMIT_TEXT_BYTES);
    }
    *(const char **)value = text;
    return true;
}

#define FIELD(row, field)                                                                                    \
    .offset = offsetof(struct run_options, field), .is_set_offset = offsetof(struct run_options, is_set[row])

/* clang-format off */
const struct option run_option_table[RUN_OPTION_COUNT] = {
    [RUN_WORKERS] = {.name = "workers", .letter = 'w', .type = OPTION_NUMBER, FIELD(RUN_WORKERS, workers),
        .minimum = 1, .maximum = LIMIT_WORKERS, .argument = "N",
        .help = "virtual users, over all agents", .fallback = "1"},
    [RUN_RUNS] = {.name = "runs", .letter = 'r', .type = OPTION_NUMBER, FIELD(RUN_RUNS, runs), .argument = "N",
        .help = "steps of each worker; 0 is no limit", .fallback = "1 where no duration is given"},
    [RUN_DURATION] = {.name = "duration", .letter = 'd', .type = OPTION_DURATION, FIELD(RUN_DURATION, duration_ms),
        .maximum = YEAR_MS, .argument = "TIME", .help = "begin no more steps after this; 0 is no limit"},
    [RUN_RAMP_UP] = {.name = "ramp-up", .type = OPTION_DURATION, FIELD(RUN_RAMP_UP, ramp_up_ms),
        .maximum = YEAR_MS, .argument = "TIME", .help = "start the workers evenly over this time", .fallback = "0"},
    [RUN_DELAY] = {.name = "delay", .type = OPTION_DURATION, FIELD(RUN_DELAY, delay_ms), .maximum = YEAR_MS,
        .argument = "TIME", .help = "rest of a worker after each step", .fallback = "0"},
    [RUN_AGENTS] = {.name = "agents", .type = OPTION_NUMBER, FIELD(RUN_AGENTS, agents), .minimum = 1,
        .maximum = AGENTS_MAX, .argument = "N", .help = "agent processes to start", .fallback = "2"},
    [RUN_SHARDS] = {.name = "shards", .type = OPTION_NUMBER, FIELD(RUN_SHARDS, shards), .minimum = 1,
        .maximum = LIMIT_SHARDS, .argument = "N", .help = "threads of each agent", .fallback = "1"},
    [RUN_ROOM_SIZE] = {.name = "room-size", .type = OPTION_NUMBER, FIELD(RUN_ROOM_SIZE, room_size),
        .maximum = LIMIT_ROOM_SIZE, .argument = "N",
        .help = "workers that meet each other; 0 is all of them", .fallback = "0"},
    [RUN_ON_LOSS] = {.name = "on-loss", .type = OPTION_CHOICE, FIELD(RUN_ON_LOSS, on_loss),
        .choices = on_loss_choices,
        .help = "when an agent is lost: go on without its workers, restart them elsewhere, or stop", .fallback = "shrink"},
    [RUN_ON_DEADLOCK] = {.name = "on-deadlock", .type = OPTION_CHOICE, FIELD(RUN_ON_DEADLOCK, on_deadlock),
        .choices = on_deadlock_choices,
        .help = "when all wait for each other: stop, or fail those steps and go on", .fallback = "stop"},
    [RUN_SYNC_TIMEOUT] = {.name = "sync-timeout", .type = OPTION_DURATION, FIELD(RUN_SYNC_TIMEOUT, sync_timeout_ms),
        .minimum = 1, .maximum = YEAR_MS, .argument = "TIME",
        .help = "end of a wait that has no timeout of its own", .fallback = "60s"},
    [RUN_TARGET] = {.name = "target", .type = OPTION_CUSTOM, FIELD(RUN_TARGET, target), .parse = parse_target,
        .argument = "URL|builtin", .help = "what the script finds in tutti.target; builtin starts the practice target"},
    [RUN_SINGLE_RUN] = {.name = "single-run", .type = OPTION_FLAG, FIELD(RUN_SINGLE_RUN, is_single_run),
        .help = "each worker runs every scenario once, in the order of their names"},
    [RUN_SINGLE_MODE] = {.name = "single-mode", .letter = 's', .type = OPTION_CUSTOM, FIELD(RUN_SINGLE_MODE, single_mode),
        .parse = parse_words, .argument = "NAME", .help = "run only this scenario"},
    [RUN_EXCEPTION] = {.name = "exception", .letter = 'x', .type = OPTION_FLAG, FIELD(RUN_EXCEPTION, is_stopped_by_failure),
        .help = "stop everything at the first failed step"},
    [RUN_FAIL] = {.name = "fail", .letter = 'f', .type = OPTION_CUSTOM, FIELD(RUN_FAIL, fail), .parse = parse_fail,
        .argument = "N|P%", .help = "so many failed steps, or this share of them, fail the run; 0 is never",
        .fallback = "1"},
    [RUN_SEED] = {.name = "seed", .type = OPTION_NUMBER, FIELD(RUN_SEED, seed), .minimum = 1, .argument = "N",
        .help = "makes the picking of scenarios repeatable"},
    [RUN_JSON] = {.name = "json", .type = OPTION_CUSTOM, FIELD(RUN_JSON, json_path), .parse = parse_target,
        .argument = "FILE", .help = "write the report there as JSON; - is standard output"},
    [RUN_QUIET] = {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, FIELD(RUN_QUIET, is_quiet),
        .help = "print nothing but errors"},
    [RUN_VERBOSE] = {.name = "verbose", .letter = 'v', .type = OPTION_COUNT, FIELD(RUN_VERBOSE, verbosity),
        .help = "tell more: the seed, agents that come and go, tracebacks"},
    [RUN_ALLOW_SYSTEM] = {.name = "allow-system", .type = OPTION_FLAG, FIELD(RUN_ALLOW_SYSTEM, may_use_system),
        .help = "let the script use io, os and C modules: all that you may do, it may do"},
};
/* clang-format on */

static struct run_options defaults(void)
{
    return (struct run_options){
        .workers = 1,
        .agents = AGENTS_FALLBACK,
        .shards = 1,
        .sync_timeout_ms = SYNC_TIMEOUT_FALLBACK_MS,
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

bool run_options_read(int argc, char **argv, struct run_options *options, const char **script)
{
    *options = defaults();
    struct error error;
    size_t word_count = 0;
    if (!subcommand_parse(&run_subcommand, argc, argv, options, script, 1, &word_count)) {
        return false;
    }
    bool is_good = word_count == 1 || error_set(&error, "which script? (see tutti help run)");
    if (!is_good || !check_together(options, &error)) {
        log_line(LOG_ERROR, "run", "%s", error.text);
        return false;
    }
    return true;
}

static bool is_in_environment(const char *name)
{
    for (size_t i = 0; i < RUN_OPTION_COUNT; i++) {
        if (strcmp(run_option_table[i].name, name) == 0) {
            char variable[OPTION_VARIABLE_BYTES];
            option_variable(&run_option_table[i], variable);
            const char *text = getenv(variable);
            return text != NULL && *text != '\0';
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
static bool says_length(int argc, char **argv)
{
    struct run_options options = defaults();
    const char *script = NULL;
    size_t word_count = 0;
    return option_parse(run_option_table, RUN_OPTION_COUNT, argc, argv, &options, &script, 1, &word_count,
                        NULL) &&
           (options.is_set[RUN_RUNS] || options.duration_ms > 0);
}

/* The script's options go in front of the others, as arguments of their own, so that one parser judges all;
 * it takes the environment first, so what stands there is left out here. */
bool run_options_merge(int argc, char **argv, const struct script_facts *facts, struct run_options *options,
                       struct error *error)
{
    char **arguments = memory_new((size_t)argc + facts->option_count + 1, sizeof(char *));
    bool has_length = says_length(argc, argv);
    int count = 0;
    arguments[count++] = argv[0];
    for (size_t i = 0; i < facts->option_count; i++) {
        const struct script_option *option = &facts->options[i];
        if (!is_in_environment(option->name) && !(has_length && is_about_length(option->name))) {
            arguments[count++] = memory_format("--%s=%s", option->name, option->text);
        }
    }
    int own_count = count;
    for (int i = 1; i < argc; i++) {
        arguments[count++] = argv[i];
    }
    *options = defaults();
    const char *script = NULL;
    size_t word_count = 0;
    bool is_good = option_parse(run_option_table, RUN_OPTION_COUNT, count, arguments, options, &script, 1,
                                &word_count, error);
    options->arguments = arguments;
    options->own_argument_count = own_count;
    if (!is_good) {
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
        .on_loss = (enum on_loss)options->on_loss,
        .on_deadlock = (enum on_deadlock)options->on_deadlock,
        .sync_timeout_ms = options->sync_timeout_ms,
        .is_single_run = options->is_single_run,
        .single_mode = bytes_of_string(options->single_mode),
        .is_stopped_by_failure = options->is_stopped_by_failure,
        .fail_steps = options->fail.steps,
        .fail_percent = options->fail.percent,
        .verbosity = options->verbosity,
    };
}
