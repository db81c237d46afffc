/* `tutti coordinator`: the daemon's options, from command line, environment and file, and whether they are
 * safe. */
#include "cli/base/text_file.h"
#include "cli/commands/subcommand.h"
#include "cli/local/daemon.h"
#include "cli/options/out_option.h"
#include "cli/options/token.h"
#include "common/bytes.h"
#include "common/digits.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/api/api.h"

#include <stdlib.h>
#include <string.h>

#define WHO "coordinator"
#define SCHEME "tcp://"

struct coordinator_options {
    const char *listen;
    const char *http;
    struct token_choice token;
    bool has_no_token;
    struct host_names names;
    struct trusted_proxies proxies;
    const char *keys;
    const char *state;
    uint64_t journal_max_bytes;
    uint32_t on_journal_failure;
    uint64_t target_port;
    uint32_t log_form;
    uint32_t log_level;
    const char *config;
    bool is_insecure;
    struct output_list outputs;
};

static const char *const form_choices[] = {"text", "json", NULL};
/* By enum recovery_policy. */
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

static bool parse_api_host(const char *text, void *value, struct error *error)
{
    return host_names_add(value, bytes_of_string(text), error);
}

static bool parse_trusted_proxy(const char *text, void *value, struct error *error)
{
    return trusted_proxies_add(value, bytes_of_string(text), error);
}

/* 4GiB, 500M, 1000000: K, M, G are powers of 1,024, whatever suffix follows them. */
static bool parse_size(const char *text, void *value, struct error *error)
{
    static const char *const units[] = {"",   "B", "K",   "KiB", "KB", "M",   "MiB",
                                        "MB", "G", "GiB", "GB",  "T",  "TiB", "TB"};
    const char *unit = text;
    uint64_t size = 0;
    bool is_number = digits_read(&unit, &size) && size > 0;
    for (size_t i = 0; is_number && i < sizeof units / sizeof units[0]; i++) {
        uint64_t bytes = 0;
        if (strcasecmp(unit, units[i]) == 0 &&
            !__builtin_mul_overflow(size, (uint64_t)1 << 10 * ((i + 1) / 3), &bytes)) {
            *(uint64_t *)value = bytes;
            return true;
        }
    }
    return error_set(error, "\"%.80s\" is not a size like 500M or 4GiB", text);
}

#define FIELD(field) .offset = offsetof(struct coordinator_options, field), .is_set_offset = SIZE_MAX

/* clang-format off */
static const struct option coordinator_options[] = {
    {.name = "listen", .type = OPTION_CUSTOM, FIELD(listen), .parse = parse_listen,
        .argument = "tcp://ADDRESS:PORT", .help = "the address that agents connect to", .fallback = "tcp://127.0.0.1:7440"},
    {.name = "http", .type = OPTION_CUSTOM, FIELD(http), .parse = parse_http, .argument = "ADDRESS:PORT",
        .help = "the address of the HTTP API", .fallback = "127.0.0.1:7441", .elsewhere = "api"},
    {.name = "token-file", .type = OPTION_TEXT, FIELD(token.path), .argument = "FILE",
        .help = "file with the token that users of the API need",
        .fallback = "a generated one, which commands of the same user on this host find"},
    {.name = "token", .type = OPTION_TEXT, FIELD(token.text), .argument = "TEXT",
        .help = "the token itself (visible to others on this host: prefer a file, or TUTTI_TOKEN)"},
    {.name = "no-token", .type = OPTION_FLAG, FIELD(has_no_token),
        .help = "require no token: everybody who can reach the API may start campaigns"},
    {.name = "api-host", .type = OPTION_CUSTOM, FIELD(names), .parse = parse_api_host, .argument = "NAME",
        .help = "a host name of the API besides its addresses; several: repeat it, or use commas"},
    {.name = "trusted-proxy", .type = OPTION_CUSTOM, FIELD(proxies), .parse = parse_trusted_proxy,
        .argument = "ADDRESS[/BITS]",
        .help = "a proxy whose X-Forwarded-For or Forwarded header names the client; several likewise"},
    {.name = "keys", .type = OPTION_TEXT, FIELD(keys), .argument = "DIR",
        .help = "folder of tutti keygen: only agents with a key in it may join, and everything is encrypted"},
    {.name = "state", .type = OPTION_TEXT, FIELD(state), .argument = "DIR",
        .help = "folder for campaigns and reports, which then survive this process"},
    {.name = "journal-max", .type = OPTION_CUSTOM, FIELD(journal_max_bytes), .parse = parse_size,
        .argument = "SIZE", .help = "maximum size of the journal in --state before it is compacted",
        .fallback = "8GiB"},
    {.name = "on-journal-failure", .type = OPTION_CHOICE, FIELD(on_journal_failure),
        .choices = failure_choices,
        .help = "what campaigns do when the journal cannot be written", .fallback = "go-on"},
    {.name = "target-port", .type = OPTION_NUMBER, FIELD(target_port), .maximum = 65535, .argument = "N",
        .help = "port of the practice target while a campaign uses `builtin`; 0 takes a free one",
        .fallback = "0"},
    OUT_OPTION(offsetof(struct coordinator_options, outputs)),
    {.name = "log-format", .type = OPTION_CHOICE, FIELD(log_form), .choices = form_choices,
        .help = "format of log lines", .fallback = "text"},
    {.name = "log-level", .type = OPTION_CHOICE, FIELD(log_level), .choices = level_choices,
        .help = "minimum level of lines to log", .fallback = "info"},
    {.name = "config", .type = OPTION_TEXT, FIELD(config), .argument = "FILE",
        .help = "options as lines of `name = value`; environment and command line take precedence"},
    {.name = "insecure", .type = OPTION_FLAG, FIELD(is_insecure),
        .help = "let other machines join without keys, and use the API without --token-file"},
};
/* clang-format on */
#define OPTION_ROWS (sizeof coordinator_options / sizeof coordinator_options[0])

static struct coordinator_options coordinator_command_defaults(void)
{
    return (struct coordinator_options){.listen = "tcp://127.0.0.1:7440",
                                        .http = "127.0.0.1:7441",
                                        .log_level = LOG_INFO,
                                        .journal_max_bytes = (uint64_t)8 << 30};
}

/* The command line takes precedence over the environment, and that over the file. `*text` holds the content
 * of the file. */
static bool read_options(int argc, char **argv, struct coordinator_options *options, char **text)
{
    size_t word_count = 0;
    struct error error;
    *options = coordinator_command_defaults();
    if (!subcommand_parse(&coordinator_subcommand, argc, argv, options, NULL, 0, &word_count)) {
        return false;
    }
    const char *config = options->config;
    const struct token_choice nearer = options->token;
    if (config == NULL) {
        return true;
    }
    *options = coordinator_command_defaults();
    *text = text_file_read(config, &error);
    bool is_good =
        *text != NULL &&
        (option_parse_lines(coordinator_options, OPTION_ROWS, *text, options, &error) ||
         error_wrap(&error, "%s: ", config)) &&
        (options->config == NULL || error_set(&error, "%s: config is not allowed in a file", config));
    if (!is_good) {
        log_line(LOG_ERROR, WHO, "%s", error.text);
        return false;
    }
    bool is_read = subcommand_parse(&coordinator_subcommand, argc, argv, options, NULL, 0, &word_count);
    if (nearer.text != NULL || nearer.path != NULL) {
        options->token = nearer; /* not contradicted by one in the file */
    }
    return is_read;
}

/* A token that comes only from the environment is meant for commands, or for another coordinator. */
static bool refuse_any_token(struct token_choice *choice, struct error *error)
{
    bool is_text_near = choice->text != NULL && choice->text != getenv("TUTTI_TOKEN");
    bool is_path_near = choice->path != NULL && choice->path != getenv("TUTTI_TOKEN_FILE");
    if (is_text_near || is_path_near) {
        return error_set(error, "--no-token and --token%s contradict each other",
                         is_path_near ? "-file" : "");
    }
    *choice = (struct token_choice){0};
    return true;
}

/* The token given by the operator; NULL in `*token` if we generate it, or if none is required. */
static bool read_token(const struct coordinator_options *options, char **token, struct error *error)
{
    struct token_choice choice = options->token;
    bool is_clear = options->has_no_token ? refuse_any_token(&choice, error) : token_choose(&choice, error);
    return is_clear && token_read(&choice, true, token, error);
}

/* Peers that can reach us from other machines must authenticate, unless the operator explicitly waives it. */
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
        return error_set(error,
                         "--http %s: other machines need a token that you hand out (--token-file); "
                         "--insecure does without, "
                         "and with --no-token lets everybody in who can reach it",
                         options->http);
    }
    return true;
}

static bool open_credentials(const char *folder, struct credentials **credentials, struct error *error)
{
    struct error warning;
    *credentials = credentials_open(folder, &warning, error);
    if (*credentials == NULL) {
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
    SCOPED(token_free) char *token = NULL;
    SCOPED(credentials_free) struct credentials *credentials = NULL;
    if (!read_token(options, &token, &error) || !check_exposure(options, token != NULL, &error) ||
        !listener_parse(options->http, &http, &error) ||
        (options->keys != NULL && !open_credentials(options->keys, &credentials, &error))) {
        log_line(LOG_ERROR, WHO, "%s", error.text);
        return EXIT_CODE_USAGE;
    }
    bool is_token_drawn = token == NULL && !options->has_no_token;
    if (is_token_drawn) {
        token = token_draw();
    }
    const struct daemon_settings settings = {.endpoint = options->listen,
                                             .http = &http,
                                             .token = token,
                                             .is_token_drawn = is_token_drawn,
                                             .names = &options->names,
                                             .proxies = &options->proxies,
                                             .state = options->state,
                                             .journal_max_bytes = options->journal_max_bytes,
                                             .on_journal_failure =
                                                 (enum recovery_policy)options->on_journal_failure,
                                             .outputs = &options->outputs,
                                             .target_port = (uint16_t)options->target_port,
                                             .credentials = options->keys != NULL ? &credentials : NULL};
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
    .summary = "The daemon that agents join and that runs campaigns",
    .details =
        "Stays in the foreground and logs to standard error. On SIGTERM or Ctrl-C it takes no new\n"
        "campaigns, brings those that run to an orderly end, and exits; at a second one it exits at once.\n"
        "Agents join with tutti agent; campaigns are started through the HTTP API by everybody who knows\n"
        "its token, which is generated at the start and found by commands of the same user on this host.\n"
        "With --state, a coordinator that was killed and restarted continues the campaigns that were\n"
        "running.\n",
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
