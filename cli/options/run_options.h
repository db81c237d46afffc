/* What `tutti run` or `tutti start` was told of a campaign: by the script, over it the environment, over both
 * the command line. */
#pragma once
#include "cli/options/percent.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/option.h"
#include "coordinator/live/output_target.h"
#include "proto/message/campaign.h"

struct command_words;
struct script_facts;

/* The log of requests: of `tutti run`, and of an agent. */
struct request_log_options {
    const char *path;    /* NULL: none */
    double share;        /* of the requests that succeed: 0…1 */
    uint64_t body_bytes; /* of the bodies of failures; 0: none */
};
#define REQUEST_LOG_MAX_BODY_BYTES 65536u
/* Rows of a table that fills a structure with a struct request_log_options `at` this offset. */
#define REQUEST_LOG_OPTIONS(at)                                                                              \
    {.name = "sample",                                                                                       \
     .type = OPTION_CUSTOM,                                                                                  \
     .offset = (at) + offsetof(struct request_log_options, share),                                           \
     .is_set_offset = SIZE_MAX,                                                                              \
     .parse = percent_parse,                                                                                 \
     .argument = "P%",                                                                                       \
     .fallback = "100%",                                                                                     \
     .help = "log so many of the requests that succeed; those that fail are all logged"},                    \
    {                                                                                                        \
        .name = "log-bodies", .type = OPTION_NUMBER, .maximum = REQUEST_LOG_MAX_BODY_BYTES,                  \
        .offset = (at) + offsetof(struct request_log_options, body_bytes), .is_set_offset = SIZE_MAX,        \
        .argument = "BYTES", .fallback = "0",                                                                \
        .help = "and of answers of 400 and more the first bytes of the body"                                 \
    }

/* Texts are borrowed from argv, the environment or `arguments`. */
struct run_options {
    struct campaign_options campaign; /* seed 0: to be drawn. First, so that its rows fit */
#define COMMAND_OPTION(type, field, ...) type field;
#define RUN_OPTION(type, field, ...) type field;
#include "agent/script/command_options.inc"
    /* Paths; NULL: none. */
    struct {
        const char *ca;
        const char *certificate;
        const char *key;
    } tls_files;
    uint64_t turn_limit_ms;
    struct option_texts env;       /* NAME=VALUE */
    struct option_texts env_files; /* paths */
    const char *config;            /* a path; NULL: none */
    /* Where script and config are, instead of in the present folder; NULL: not given. */
    struct {
        const char *url;
        const char *revision;
        const char *path; /* a folder in it */
    } git;
    bool may_use_system;
    bool has_no_live;      /* one line instead of a live screen */
    const char *artifacts; /* a folder; NULL: one is made up */
    /* Paths of further outputs; NULL: none. */
    const char *csv_path;
    const char *markdown_path;
    const char *junit_path;
    const char *html_path;
    struct {
        bool is_wanted;
        bool is_opened; /* in the browser of the user */
        uint16_t port;  /* 0: any */
    } dashboard;
    struct output_list outputs; /* where points go while it runs */
    struct request_log_options request_log;
    /* What the user or the script has set. */
    struct {
#define CAMPAIGN_OPTION(type, field, key, ...) bool field;
#define CAMPAIGN_OPTION_OF_START(type, field, key, ...) bool field;
#define CAMPAIGN_WORD(word, ...) bool word;
#include "proto/message/campaign_options.inc"
#define COMMAND_OPTION(type, field, ...) bool field;
#define RUN_OPTION(type, field, ...) bool field;
#include "agent/script/command_options.inc"
    } is_given;
    char **arguments; /* of run_options_merge; the first ones are its own */
    int own_argument_count;
};

enum run_option_row {
#define CAMPAIGN_OPTION(type, field, key, ...) RUN_ROW_##field,
#define CAMPAIGN_WORD(word, ...) RUN_ROW_##word,
#include "proto/message/campaign_options.inc"
#define COMMAND_OPTION(type, field, ...) RUN_ROW_##field,
#define RUN_OPTION(type, field, ...) RUN_ROW_##field,
#include "agent/script/command_options.inc"
    RUN_ROW_CONFIG,
    RUN_ROW_GIT,
    RUN_ROW_REVISION,
    RUN_ROW_PATH,
    RUN_ROW_ENV,
    RUN_ROW_ENV_FILE,
    RUN_ROW_CA,
    RUN_ROW_CERT,
    RUN_ROW_KEY,
    RUN_ROW_ALLOW_SYSTEM,
    RUN_ROW_TURN_LIMIT,
    RUN_ROW_NO_LIVE,
    RUN_ROW_ARTIFACTS,
    RUN_ROW_CSV,
    RUN_ROW_MARKDOWN,
    RUN_ROW_JUNIT,
    RUN_ROW_HTML,
    RUN_ROW_OUT,
    RUN_ROW_LOG,
    RUN_ROW_SAMPLE,
    RUN_ROW_LOG_BODIES,
    RUN_ROW_DASHBOARD,
    RUN_ROW_OPEN,
    RUN_OPTION_COUNT
};

extern const struct option run_option_table[RUN_OPTION_COUNT];

/* In all of these, `options` may be the first member of a larger structure that the table fills. */

/* The words of the command line and the environment, and the run of --config: enough to know which script,
 * and whether all is well spelt. False after it has said what is wrong, or has listed the runs of a file:
 * then `words->code` is the exit code. */
MUST_CHECK bool run_options_read(struct command_words *words, struct run_options *options,
                                 const char **script);

/* The same again with what the script asks for underneath; what the command does not know of that is left
 * out. */
MUST_CHECK bool run_options_merge(const struct command_words *words, const struct script_facts *facts,
                                  struct run_options *options, struct error *error);

/* After run_options_merge, also where it failed. */
void run_options_finish(struct run_options *options);
