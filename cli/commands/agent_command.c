/* `tutti agent`: the process that runs workers, on this host. */
#include "agent/main/agent_daemon.h"
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "cli/options/run_options.h"
#include "common/bytes.h"
#include "common/host_means.h"
#include "common/log.h"
#include "proto/keys/key_folder.h"
#include "proto/message/labels.h"
#include "proto/message/limits.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DESCRIPTORS_A_SHARD 10u

struct agent_options {
    const char *coordinator;
    const char *name;
    const char *key;
    uint64_t shards;
    const char *labels;
    const char *readable;
    const char *runnable;
    uint64_t capacity;
    uint64_t browser_starts;
    uint64_t turn_limit_ms;
    struct request_log_options request_log;
    bool may_use_system;
    bool is_parent_bound;
    bool is_quiet;
    uint32_t verbosity;
    uint32_t log_level;
    uint32_t log_form; /* an enum log_form */
};

static const char *const level_choices[] = {"error", "warning", "info", "debug", NULL};
static const char *const form_choices[] = {"text", "json", NULL};

static bool parse_name(const char *text, void *value, struct error *error)
{
    struct bytes name = bytes_of_string(text);
    if (name.size == 0 || name.size > LIMIT_NAME_BYTES || !bytes_is_printable(name)) {
        return error_set(error, "must have 1 to %u printable characters", LIMIT_NAME_BYTES);
    }
    *(const char **)value = text;
    return true;
}

static bool agent_command_parse_labels(const char *text, void *value, struct error *error)
{
    *(const char **)value = text;
    return labels_check(bytes_of_string(text), error);
}

static bool parse_paths(const char *text, void *value, struct error *error)
{
    for (const char *path = text; path != NULL; path = strchr(path, ',')) {
        path += *path == ',';
        if (*path != '/') {
            return error_set(error, "\"%.80s\" is not a list of whole paths", text);
        }
    }
    *(const char **)value = text;
    return true;
}

static bool parse_endpoint(const char *text, void *value, struct error *error)
{
    const char *colon = strrchr(text, ':');
    if (strncmp(text, "tcp://", 6) != 0 || colon < text + 7 || strlen(text) > LIMIT_NAME_BYTES ||
        colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
        return error_set(error, "\"%.80s\" is not an address like tcp://127.0.0.1:7440", text);
    }
    *(const char **)value = text;
    return true;
}

#define FIELD(field) .offset = offsetof(struct agent_options, field), .is_set_offset = SIZE_MAX

/* clang-format off */
static const struct option agent_options[] = {
    {.name = "coordinator", .type = OPTION_CUSTOM, FIELD(coordinator), .parse = parse_endpoint,
        .argument = "tcp://HOST:PORT", .help = "the coordinator to join"},
    {.name = "name", .type = OPTION_CUSTOM, FIELD(name), .parse = parse_name, .argument = "NAME",
        .help = "its name at the coordinator", .fallback = "that of the key, or host name and process id"},
    {.name = "key", .type = OPTION_TEXT, FIELD(key), .argument = "FILE",
        .help = "this agent's key, made by tutti keygen; - reads it from standard input"},
    {.name = "shards", .type = OPTION_NUMBER, FIELD(shards), .maximum = LIMIT_SHARDS, .argument = "N",
        .help = "threads that run workers; 0 is one per core", .fallback = "0"},
    {.name = "labels", .type = OPTION_CUSTOM, FIELD(labels), .parse = agent_command_parse_labels, .argument = "NAME=VALUE,…",
        .help = "labels for tutti start --on to select by, like zone=a,disk=ssd"},
    {.name = "capacity", .type = OPTION_NUMBER, FIELD(capacity), .minimum = 1, .maximum = LIMIT_WORKERS,
        .argument = "N", .help = "how many workers to run at the same time, of all campaigns together", .fallback = "any number"},
    {.name = "browser-starts", .type = OPTION_NUMBER, FIELD(browser_starts), .maximum = LIMIT_SHARDS, .argument = "N",
        .help = "browsers that may start at the same time; 0 is one per core", .fallback = "0"},
    {.name = "turn-limit", .type = OPTION_DURATION, FIELD(turn_limit_ms), .minimum = 10, .maximum = LIMIT_TURN_MAX_MS,
        .argument = "TIME", .help = "processor time that a worker may use between two waits", .fallback = "2s"},
    {.name = "log-requests", .type = OPTION_TEXT, FIELD(request_log.path), .argument = "FILE",
        .help = "append each request to this file, as JSON in a line"},
    REQUEST_LOG_OPTIONS(offsetof(struct agent_options, request_log)),
    {.name = "allow-system", .type = OPTION_FLAG, FIELD(may_use_system),
        .help = "let scripts use io, os and C modules: they may do all that this user may do, without a sandbox"},
    {.name = "allow-read", .type = OPTION_CUSTOM, FIELD(readable), .parse = parse_paths, .argument = "PATH,…",
        .help = "files and folders that agent and browsers may also read, such as own certificates"},
    {.name = "allow-run", .type = OPTION_CUSTOM, FIELD(runnable), .parse = parse_paths, .argument = "PATH,…",
        .help = "programs, or folders of programs, that browsers may also run, like /srv/browsers"},
    {.name = "parent-bound", .type = OPTION_FLAG, FIELD(is_parent_bound),
        .help = "end with the process that started this one, and leave Ctrl-C to it"},
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, FIELD(is_quiet), .help = "drop what scripts print"},
    {.name = "verbose", .letter = 'v', .type = OPTION_COUNT, FIELD(verbosity), .help = "log more: as --log-level debug"},
    {.name = "log-level", .type = OPTION_CHOICE, FIELD(log_level), .choices = level_choices,
        .help = "minimum level of lines to log", .fallback = "info"},
    {.name = "log-format", .type = OPTION_CHOICE, FIELD(log_form), .choices = form_choices,
        .help = "format of log lines", .fallback = "text"},
};
/* clang-format on */

/* Standard input has been read to its end; scripts that may use io find it empty. */
static void close_input(void)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0) {
        (void)dup2(nothing, STDIN_FILENO);
        (void)close(nothing);
    }
}

static bool read_key(struct agent_options *options, struct agent_key *key)
{
    struct error error;
    struct error warning;
    if (!agent_key_read(options->key, key, &warning, &error)) {
        log_line(LOG_ERROR, "agent", "--key: %s", error.text);
        return false;
    }
    if (strcmp(options->key, "-") == 0) {
        close_input();
    }
    if (warning.text[0] != '\0') {
        log_line(LOG_WARNING, "agent", "--key: %s", warning.text);
    }
    if (options->name != NULL && strcmp(options->name, key->name) != 0) {
        log_line(LOG_ERROR, "agent", "--name is %s, but the key is that of %s", options->name, key->name);
        return false;
    }
    options->name = key->name;
    return true;
}

/* Each one is a thread with a loop, connections and scripts of its own. */
static bool has_room_for_shards(const struct agent_options *options)
{
    struct error error;
    uint32_t shards = options->shards > 0 ? (uint32_t)options->shards : host_means_now().cores;
    const struct process_needs needs = {
        .descriptors = agent_subcommand.needs.descriptors + shards * DESCRIPTORS_A_SHARD,
        .threads = agent_subcommand.needs.threads + shards,
    };
    if (!process_limits_check(&needs, &error)) {
        log_line(LOG_ERROR, "agent", "%s", error.text);
        return false;
    }
    return true;
}

static int run_agent(int argc, char **argv)
{
    struct agent_options options = {.request_log.share = 1, .log_level = LOG_INFO};
    struct agent_key key;
    size_t word_count = 0;
    if (!subcommand_parse(&agent_subcommand, argc, argv, &options, NULL, 0, &word_count)) {
        return EXIT_CODE_USAGE;
    }
    if (options.coordinator == NULL) {
        log_line(LOG_ERROR, "agent", "--coordinator is required (see tutti help agent)");
        return EXIT_CODE_USAGE;
    }
    if (!has_room_for_shards(&options)) {
        return EXIT_CODE_LOST;
    }
    if (options.is_parent_bound) {
        uint32_t level = LOG_WARNING + options.verbosity;
        log_configure(level < LOG_DEBUG ? (enum log_level)level : LOG_DEBUG, LOG_TEXT, 1);
    } else {
        log_configure(options.verbosity > 0 ? LOG_DEBUG : (enum log_level)options.log_level,
                      options.log_form == 1 ? LOG_JSON : LOG_TEXT, 0);
    }
    if (options.key != NULL && !read_key(&options, &key)) {
        return EXIT_CODE_USAGE;
    }
    /* `tutti run` gives an empty one, whatever the environment says. */
    bool has_log = options.request_log.path != NULL && options.request_log.path[0] != '\0';
    struct agent_run_options run = {
        .coordinator = options.coordinator,
        .name = options.name,
        .key = options.key != NULL ? &key : NULL,
        .shards = (uint32_t)options.shards,
        .labels = options.labels,
        .capacity = (uint32_t)options.capacity,
        .browser_starts = (uint32_t)options.browser_starts,
        .request_log = has_log ? options.request_log.path : NULL,
        .request_log_share = options.request_log.share,
        .request_log_body_bytes = (uint32_t)options.request_log.body_bytes,
        .turn_limit_ms = options.turn_limit_ms,
        .is_system_allowed = options.may_use_system,
        .has_no_walls = options.may_use_system,
        .readable = options.readable,
        .runnable = options.runnable,
        .is_interrupt_ignored = options.is_parent_bound,
        .dies_with_parent = options.is_parent_bound,
        .is_quiet = options.is_quiet,
    };
    return agent_run(&run);
}

const struct subcommand agent_subcommand = {
    .name = "agent",
    .usage = "--coordinator tcp://HOST:PORT [options]",
    .summary = "Runs workers on this host for a coordinator",
    .details =
        "Connects to the coordinator and stays until SIGTERM or Ctrl-C; when the connection is lost it\n"
        "reconnects. `tutti run` starts its agents by itself.\n",
    .examples = "  tutti agent --coordinator tcp://10.0.0.1:7440 --key host-7.key\n"
                "  tutti agent --coordinator tcp://10.0.0.1:7440 --labels zone=a,disk=ssd --capacity 5000\n",
    .options = agent_options,
    .option_count = sizeof agent_options / sizeof agent_options[0],
    .needs = {.descriptors = 32, .threads = 9},
    .run = run_agent,
};
