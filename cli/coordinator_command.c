/* `tutti coordinator`: the daemon's options, from flags, environment and file, and whether they are safe. */
#include "cli/daemon.h"
#include "cli/subcommand.h"
#include "cli/text_file.h"
#include "common/bytes.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/api.h"

#include <stdlib.h>
#include <string.h>

#define WHO "coordinator"
#define SCHEME "tcp://"
#define SIZE_DIGITS 15u

struct coordinator_options {
    const char *listen;
    const char *http;
    const char *token_file;
    const char *keys;
    const char *state;
    uint64_t journal_max_bytes;
    uint32_t on_journal_failure;
    uint64_t target_port;
    uint32_t log_form;
    uint32_t log_level;
    const char *config;
    bool is_insecure;
};

static const char *const form_choices[] = {"text", "json", NULL};
/* By enum survival_policy. */
static const char *const failure_choices[] = {"go-on", "stop", NULL};
static const char *const level_choices[] = {"error", "warning", "info", "debug", NULL};

static bool parse_listen(const char *text, void *value, struct error *error)
{
    struct listener_address address;
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0 ||
        !listener_parse(text + strlen(SCHEME), &address, NULL)) {
        return error_set(error, "\"%.80s\" is not an address like tcp://127.0.0.1:7440", text);
    }
    *(const char **)value = text;
    return true;
}

static bool parse_http(const char *text, void *value, struct error *error)
{
    struct listener_address address;
    *(const char **)value = text;
    return listener_parse(text, &address, error);
}

/* 4GiB, 500M, 1000000: K, M, G are powers of 1,024, whatever stands behind them. */
static bool parse_size(const char *text, void *value, struct error *error)
{
    static const char *const units[] = {"",   "B", "K",   "KiB", "KB", "M",   "MiB",
                                        "MB", "G", "GiB", "GB",  "T",  "TiB", "TB"};
    size_t digits = strspn(text, "0123456789");
    uint64_t size = digits > 0 && digits <= SIZE_DIGITS ? strtoull(text, NULL, 10) : 0;
    for (size_t i = 0; size > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        uint64_t bytes = 0;
        if (strcasecmp(text + digits, units[i]) == 0 &&
            !__builtin_mul_overflow(size, (uint64_t)1 << 10 * ((i + 1) / 3), &bytes)) {
            *(uint64_t *)value = bytes;
            return true;
        }
    }
    return error_set(error, "\"%.80s\" is no size like 500M or 4GiB", text);
}

#define FIELD(field) .offset = offsetof(struct coordinator_options, field), .is_set_offset = SIZE_MAX

/* clang-format off */
static const struct option coordinator_options[] = {
    {.name = "listen", .type = OPTION_CUSTOM, FIELD(listen), .parse = parse_listen,
        .argument = "tcp://ADDRESS:PORT", .help = "where agents join", .fallback = "tcp://127.0.0.1:7440"},
    {.name = "http", .type = OPTION_CUSTOM, FIELD(http), .parse = parse_http, .argument = "ADDRESS:PORT",
        .help = "where the HTTP API is", .fallback = "127.0.0.1:7441"},
    {.name = "token-file", .type = OPTION_TEXT, FIELD(token_file), .argument = "FILE",
        .help = "whoever uses the API has to know the token in this file"},
    {.name = "keys", .type = OPTION_TEXT, FIELD(keys), .argument = "DIR",
        .help = "only agents with a key of this folder of tutti keygen join, and all is encrypted"},
    {.name = "state", .type = OPTION_TEXT, FIELD(state), .argument = "DIR",
        .help = "keep campaigns and reports there: both survive this process"},
    {.name = "journal-max", .type = OPTION_CUSTOM, FIELD(journal_max_bytes), .parse = parse_size,
        .argument = "SIZE", .help = "the most that the journal in --state may have before it begins again from a new base",
        .fallback = "8GiB"},
    {.name = "on-journal-failure", .type = OPTION_CHOICE, FIELD(on_journal_failure),
        .choices = failure_choices,
        .help = "what campaigns do when the journal cannot be written", .fallback = "go-on"},
    {.name = "target-port", .type = OPTION_NUMBER, FIELD(target_port), .maximum = 65535, .argument = "N",
        .help = "where the practice target is while a campaign wants `builtin`; 0 takes a free port",
        .fallback = "0"},
    {.name = "log-format", .type = OPTION_CHOICE, FIELD(log_form), .choices = form_choices,
        .help = "how log lines look", .fallback = "text"},
    {.name = "log-level", .type = OPTION_CHOICE, FIELD(log_level), .choices = level_choices,
        .help = "the least important lines to log", .fallback = "info"},
    {.name = "config", .type = OPTION_TEXT, FIELD(config), .argument = "FILE",
        .help = "options as lines of `name = value`; the environment and the command line win"},
    {.name = "insecure", .type = OPTION_FLAG, FIELD(is_insecure),
        .help = "let other machines in without keys, and into the API without a token"},
};
/* clang-format on */
#define OPTION_ROWS (sizeof(coordinator_options) / sizeof(coordinator_options[0]))

static struct coordinator_options defaults(void)
{
    return (struct coordinator_options){.listen = "tcp://127.0.0.1:7440",
                                        .http = "127.0.0.1:7441",
                                        .log_level = LOG_INFO,
                                        .journal_max_bytes = (uint64_t)8 << 30};
}

/* Flags over environment over file. `*text` holds what came out of the file. */
static bool read_options(int argc, char **argv, struct coordinator_options *options, char **text)
{
    size_t word_count = 0;
    struct error error;
    *options = defaults();
    if (!subcommand_parse(&coordinator_subcommand, argc, argv, options, NULL, 0, &word_count)) {
        return false;
    }
    const char *config = options->config;
    if (config == NULL) {
        return true;
    }
    *options = defaults();
    *text = text_file_read(config, &error);
    bool is_good =
        *text != NULL &&
        (option_parse_lines(coordinator_options, OPTION_ROWS, *text, options, &error) ||
         error_wrap(&error, "%s: ", config)) &&
        (options->config == NULL || error_set(&error, "%s: config cannot stand in a file", config));
    if (!is_good) {
        log_line(LOG_ERROR, WHO, "%s", error.text);
        return false;
    }
    return subcommand_parse(&coordinator_subcommand, argc, argv, options, NULL, 0, &word_count);
}

/* The one word of the file, for text_file_wipe. */
static char *read_token(const char *path, struct error *error)
{
    struct error warning;
    char *text = text_file_read_secret(path, &warning, error);
    if (text == NULL) {
        return NULL;
    }
    if (warning.text[0] != '\0') {
        log_line(LOG_WARNING, WHO, "--token-file: %s", warning.text);
    }
    size_t length = strcspn(text, " \t\r\n");
    bool is_alone = text[length + strspn(text + length, " \t\r\n")] == '\0';
    text[length] = '\0';
    if (is_alone && length >= API_TOKEN_MIN_BYTES && length <= API_TOKEN_MAX_BYTES &&
        bytes_is_printable(bytes_of_string(text))) {
        return text;
    }
    (void)error_set(error, "%s is no token: one word of %u to %u characters (openssl rand -hex 32)", path,
                    API_TOKEN_MIN_BYTES, API_TOKEN_MAX_BYTES);
    text_file_wipe(&text);
    return NULL;
}

/* Who may reach us has to prove who he is, or the operator says in so many words that he need not. */
static bool check_exposure(const struct coordinator_options *options, bool has_token, struct error *error)
{
    struct listener_address agents;
    struct listener_address http;
    if (options->is_insecure) {
        return true;
    }
    if (!listener_parse(options->listen + strlen(SCHEME), &agents, error) ||
        !listener_parse(options->http, &http, error)) {
        return false;
    }
    if (options->keys == NULL && !listener_is_loopback(&agents)) {
        return error_set(error,
                         "--listen %s: without keys only this machine may join, as on tcp://127.0.0.1:%u; "
                         "others need keys (--keys, see tutti help keygen); --insecure lets everybody in who "
                         "can reach it",
                         options->listen, (unsigned)agents.port);
    }
    if (!has_token && !listener_is_loopback(&http)) {
        return error_set(
            error,
            "--http %s: other machines need a token (--token-file); --insecure lets everybody in "
            "who can reach it",
            options->http);
    }
    return true;
}

static bool open_gate(const char *folder, struct gate **gate, struct error *error)
{
    struct error warning;
    *gate = gate_open(folder, &warning, error);
    if (*gate == NULL) {
        return error_wrap(error, "--keys: ");
    }
    if (warning.text[0] != '\0') {
        log_line(LOG_WARNING, WHO, "--keys: %s", warning.text);
    }
    return true;
}

static enum exit_code serve(const struct coordinator_options *options)
{
    struct error error;
    struct listener_address http;
    SCOPED(text_file_wipe) char *token = NULL;
    SCOPED(gate_free) struct gate *gate = NULL;
    if (options->token_file != NULL) {
        token = read_token(options->token_file, &error);
    }
    if ((options->token_file != NULL && token == NULL) || !check_exposure(options, token != NULL, &error) ||
        !listener_parse(options->http, &http, &error) ||
        (options->keys != NULL && !open_gate(options->keys, &gate, &error))) {
        log_line(LOG_ERROR, WHO, "%s", error.text);
        return EXIT_CODE_USAGE;
    }
    const struct daemon_settings settings = {.endpoint = options->listen,
                                             .http = &http,
                                             .token = token,
                                             .state = options->state,
                                             .journal_max_bytes = options->journal_max_bytes,
                                             .on_journal_failure =
                                                 (enum survival_policy)options->on_journal_failure,
                                             .target_port = (uint16_t)options->target_port,
                                             .gate = options->keys != NULL ? &gate : NULL};
    return daemon_run(&settings);
}

static int run_coordinator(int argc, char **argv)
{
    struct coordinator_options options;
    SCOPED(memory_free_at) char *text = NULL;
    if (!read_options(argc, argv, &options, &text)) {
        return EXIT_CODE_USAGE;
    }
    log_configure((enum log_level)options.log_level, options.log_form == 1 ? LOG_JSON : LOG_TEXT, 0);
    return (int)serve(&options);
}

const struct subcommand coordinator_subcommand = {
    .name = "coordinator",
    .usage = "[options]",
    .summary = "The daemon that agents join and that campaigns are started at",
    .details =
        "Stays in the foreground and logs to standard error. SIGTERM or Ctrl-C takes no new campaigns, "
        "brings\n"
        "those that run to their end in order, and leaves; a second one leaves at once. Agents join with\n"
        "tutti agent; campaigns are started through the HTTP API. With --state, killed and started again it\n"
        "goes on with the campaigns that ran.\n",
    .examples = "  tutti coordinator\n"
                "  tutti coordinator --listen tcp://0.0.0.0:7440 --keys keys\n"
                "  tutti coordinator --state /var/lib/tutti\n"
                "  tutti coordinator --http 0.0.0.0:7441 --token-file token\n"
                "  tutti coordinator --config /etc/tutti/coordinator.conf --log-format json\n",
    .options = coordinator_options,
    .option_count = OPTION_ROWS,
    .needs = {.descriptors = 48, .threads = 12},
    .run = run_coordinator,
};
