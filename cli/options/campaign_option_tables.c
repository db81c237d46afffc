/* The options of `tutti run` and `tutti start`: those of every campaign, those of both, and those of each. */
#include "cli/options/live_option.h"
#include "cli/options/out_option.h"
#include "cli/options/run_options.h"
#include "cli/options/start_options.h"
#include "common/host_override.h"
#include "proto/message/browser_mix.h"
#include "proto/message/campaign_option.h"
#include "proto/message/environment.h"
#include "proto/message/goal.h"
#include "proto/message/labels.h"
#include "proto/message/limits.h"
#include "proto/message/load.h"
#include "proto/message/threshold.h"

#define AGENTS_MAX 1000u

#define RUN_FIELD(field) .offset = offsetof(struct run_options, field), .is_set_offset = SIZE_MAX
#define START_FIELD(field) .offset = offsetof(struct start_options, field), .is_set_offset = SIZE_MAX
/* Of both: struct run_options is the first of what `tutti start` fills. */
#define GIVEN_FIELD(type, field, member)                                                                     \
    .size = sizeof(type), .offset = offsetof(struct run_options, field),                                     \
    .is_set_offset = offsetof(struct run_options, is_given.member)

#define CAMPAIGN_ROW(type, field, ...) {GIVEN_FIELD(type, campaign.field, field), __VA_ARGS__},
#define COMMAND_ROW(type, field, ...) {GIVEN_FIELD(type, field, field), __VA_ARGS__},
#define WORD_ROW(word, ...)                                                                                  \
    {.offset = offsetof(struct run_options, campaign),                                                       \
     .is_set_offset = offsetof(struct run_options, is_given.word),                                           \
     __VA_ARGS__},

/* clang-format off */
const struct option run_option_table[RUN_OPTION_COUNT] = {
#define CAMPAIGN_OPTION(type, field, key, ...) CAMPAIGN_ROW(type, field, __VA_ARGS__)
#define CAMPAIGN_WORD(word, ...) WORD_ROW(word, __VA_ARGS__)
#include "proto/message/campaign_options.inc"
#define COMMAND_OPTION(type, field, ...) COMMAND_ROW(type, field, __VA_ARGS__)
#define RUN_OPTION(type, field, ...) COMMAND_ROW(type, field, __VA_ARGS__)
#include "agent/script/command_options.inc"
#define ENVIRONMENT \
    {.name = "config", .type = OPTION_TEXT, RUN_FIELD(config), .minimum = 1, .maximum = LIMIT_TEXT_BYTES, \
        .argument = "FILE", .help = "script and options are those of a run in this file, which is named in place of the script; without a name: list them"}, \
    {.name = "git", .type = OPTION_TEXT, RUN_FIELD(git.url), .minimum = 1, .maximum = LIMIT_TEXT_BYTES, .has_no_variable = true, \
        .argument = "URL", .help = "script and --config are in this git repository"}, \
    {.name = "revision", .type = OPTION_TEXT, RUN_FIELD(git.revision), .minimum = 1, .maximum = LIMIT_NAME_BYTES, .has_no_variable = true, \
        .argument = "REV", .help = "at this branch, tag or commit of it", .fallback = "HEAD"}, \
    {.name = "path", .type = OPTION_TEXT, RUN_FIELD(git.path), .minimum = 1, .maximum = LIMIT_PATH_BYTES, .has_no_variable = true, \
        .argument = "DIR", .help = "in this folder of it"}, \
    {.name = "env", .letter = 'e', .type = OPTION_TEXTS, RUN_FIELD(env), .minimum = 1, .maximum = ENVIRONMENT_MAX_BYTES, \
        .argument = "NAME=VALUE", .help = "tutti.env.NAME in the script; may be given several times", .has_no_variable = true, \
        .elsewhere = "var param variable"}, \
    {.name = "env-file", .type = OPTION_TEXTS, RUN_FIELD(env_files), .minimum = 1, .maximum = LIMIT_TEXT_BYTES, \
        .argument = "FILE", .help = "the same from the lines of a file; may be given several times"}
    ENVIRONMENT,
/* TUTTI_KEY is the key of an agent. */
#define TLS_FILES \
    {.name = "ca", .type = OPTION_TEXT, RUN_FIELD(tls_files.ca), .minimum = 1, .maximum = LIMIT_TEXT_BYTES, \
        .argument = "FILE", .help = "requests of tutti.http trust the authorities in this file (PEM) instead of the machine's"}, \
    {.name = "cert", .type = OPTION_TEXT, RUN_FIELD(tls_files.certificate), .minimum = 1, .maximum = LIMIT_TEXT_BYTES, \
        .argument = "FILE", .help = "and show the certificate in this one, with its chain"}, \
    {.name = "key", .type = OPTION_TEXT, RUN_FIELD(tls_files.key), .minimum = 1, .maximum = LIMIT_TEXT_BYTES, \
        .argument = "FILE", .help = "its private key, if that is not in the same file", .has_no_variable = true}
    TLS_FILES,
#define ALLOW_SYSTEM {.name = "allow-system", .type = OPTION_FLAG, RUN_FIELD(may_use_system), \
        .help = "let the script use io, os and C modules: all that you may do, it may do"}
    ALLOW_SYSTEM,
    {.name = "turn-limit", .type = OPTION_DURATION, RUN_FIELD(turn_limit_ms), .minimum = 10,
        .maximum = LIMIT_TURN_MAX_MS, .argument = "TIME",
        .help = "processor time that a worker may use between two waits", .fallback = "2s"},
    NO_LIVE_OPTION(offsetof(struct run_options, has_no_live)),
    {.name = "artifacts", .type = OPTION_TEXT, RUN_FIELD(artifacts), .minimum = 1, .maximum = LIMIT_TEXT_BYTES,
        .argument = "DIR", .help = "where pictures and sources of browsers go when a step fails",
        .fallback = "tutti-artifacts/…"},
    {.name = "csv", .type = OPTION_TEXT, RUN_FIELD(csv_path), .minimum = 1, .maximum = LIMIT_TEXT_BYTES,
        .argument = "DIR", .help = "write summary.csv, requests.csv, tags.csv and series.csv to this folder"},
    {.name = "markdown", .type = OPTION_TEXT, RUN_FIELD(markdown_path), .minimum = 1, .maximum = LIMIT_TEXT_BYTES,
        .argument = "FILE", .help = "write the report to this file as Markdown"},
    {.name = "junit", .type = OPTION_TEXT, RUN_FIELD(junit_path), .minimum = 1, .maximum = LIMIT_TEXT_BYTES,
        .argument = "FILE", .help = "write verdict, scenarios, checks and thresholds to this file as JUnit's test cases"},
    HTML_OPTION(offsetof(struct run_options, html_path)),
    OUT_OPTION(offsetof(struct run_options, outputs)),
    {.name = "log", .type = OPTION_TEXT, RUN_FIELD(request_log.path), .minimum = 1, .maximum = LIMIT_TEXT_BYTES,
        .argument = "FILE", .help = "write each request to this file, as JSON in a line", .elsewhere = "logfile"},
    REQUEST_LOG_OPTIONS(offsetof(struct run_options, request_log)),
    {.name = "dashboard", .type = OPTION_NUMBER, .size = sizeof(uint16_t), .maximum = UINT16_MAX,
        .offset = offsetof(struct run_options, dashboard.port), .is_set_offset = offsetof(struct run_options, dashboard.is_wanted),
        .argument = "[=PORT]", .bare = "0", .help = "serve a page with the run to this machine as long as it lasts, at any port or this one"},
    {.name = "open", .type = OPTION_FLAG, RUN_FIELD(dashboard.is_opened), .has_no_variable = true,
        .help = "and open it in the browser"},
};

const struct option start_option_table[START_OPTION_COUNT] = {
#define CAMPAIGN_OPTION(type, field, key, ...) CAMPAIGN_ROW(type, field, __VA_ARGS__)
#define CAMPAIGN_OPTION_OF_START(type, field, key, ...) CAMPAIGN_ROW(type, field, __VA_ARGS__)
#define CAMPAIGN_WORD(word, ...) WORD_ROW(word, __VA_ARGS__)
#include "proto/message/campaign_options.inc"
#define COMMAND_OPTION(type, field, ...) COMMAND_ROW(type, field, __VA_ARGS__)
#include "agent/script/command_options.inc"
    ENVIRONMENT,
    TLS_FILES,
    ALLOW_SYSTEM,
    {.name = "wait", .type = OPTION_FLAG, START_FIELD(is_waiting),
        .help = "follow it to its end, report, and exit by its verdict"},
    NO_LIVE_OPTION(offsetof(struct start_options, run.has_no_live)),
    HTML_OPTION(offsetof(struct start_options, run.html_path)),
    {.name = "expect-agents", .type = OPTION_NUMBER, START_FIELD(expected_agents), .minimum = 1,
        .maximum = AGENTS_MAX, .argument = "N", .help = "begin when so many agents are there", .fallback = "1", .elsewhere = "agents expect-workers"},
    {.name = "deadline", .type = OPTION_DURATION, START_FIELD(deadline_ms), .minimum = 1,
        .maximum = LIMIT_DURATION_MS, .argument = "TIME", .help = "give up if they are not there by then",
        .fallback = "60s"},
    CONTROL_OPTIONS(offsetof(struct start_options, control))
};
/* clang-format on */
