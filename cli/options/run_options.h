/* What `tutti run` or `tutti start` was told of a campaign: by the script, over it the environment, over both
 * the command line. */
#pragma once
#include "common/error.h"
#include "common/option.h"
#include "proto/message/campaign.h"

struct script_facts;
struct subcommand;

/* Both 0 is never. */
struct fail_limit {
    uint64_t steps;
    double percent;
};

enum run_option {
    RUN_WORKERS,
    RUN_RUNS,
    RUN_DURATION,
    RUN_RAMP_UP,
    RUN_DELAY,
    RUN_AGENTS,
    RUN_SHARDS,
    RUN_ROOM_SIZE,
    RUN_ON_LOSS,
    RUN_ON_DEADLOCK,
    RUN_SYNC_TIMEOUT,
    RUN_SETUP_TIMEOUT,
    RUN_TARGET,
    RUN_BROWSER,
    RUN_SINGLE_RUN,
    RUN_SINGLE_MODE,
    RUN_EXCEPTION,
    RUN_FAIL,
    RUN_SEED,
    RUN_JSON,
    RUN_QUIET,
    RUN_VERBOSE,
    RUN_ALLOW_SYSTEM,
    RUN_TURN_LIMIT,
    RUN_ARTIFACTS,
    RUN_OPTION_COUNT
};

/* Texts are borrowed from argv, the environment or `arguments`. */
struct run_options {
    uint64_t workers;
    uint64_t runs;
    uint64_t duration_ms;
    uint64_t ramp_up_ms;
    uint64_t delay_ms;
    uint64_t agents;
    uint64_t shards;
    uint64_t turn_limit_ms; /* 0: the agent's default */
    uint64_t room_size;
    uint32_t on_loss;
    uint32_t on_deadlock;
    uint64_t sync_timeout_ms;
    uint64_t setup_timeout_ms;
    const char *target;
    uint32_t browser;
    bool is_single_run;
    const char *single_mode;
    bool is_stopped_by_failure;
    struct fail_limit fail;
    uint64_t seed;
    const char *json_path;
    bool is_quiet;
    uint32_t verbosity;
    bool may_use_system;
    const char *artifacts; /* a folder; NULL: one is made up */
    bool is_set[RUN_OPTION_COUNT];
    char **arguments; /* of run_options_merge; the first ones are its own */
    int own_argument_count;
};

extern const struct option run_option_table[RUN_OPTION_COUNT];

/* A command that has all options of a campaign in its table, and how it was called. */
struct command_words {
    const struct subcommand *command;
    int argc;
    char **argv;
};

/* In all of these, `options` may be the first member of a larger structure that the table fills. */

/* The words of the command line and the environment: enough to know which script, and whether all is well
 * spelt. False after it has said what is wrong. */
MUST_CHECK bool run_options_read(const struct command_words *words, struct run_options *options,
                                 const char **script);

/* The same again with what the script asks for underneath; what the command does not know of that is left
 * out. */
MUST_CHECK bool run_options_merge(const struct command_words *words, const struct script_facts *facts,
                                  struct run_options *options, struct error *error);

/* After run_options_merge, also where it failed. */
void run_options_finish(struct run_options *options);

/* Target and seed are the caller's business. Borrows from `options`. */
void run_options_to_campaign(const struct run_options *options, struct campaign_options *campaign);
