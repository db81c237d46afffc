/* What `tutti start` was told: all that concerns the campaign, how to wait for it, and where the coordinator
 * is. */
#pragma once
#include "cli/options/control_options.h"
#include "cli/options/run_options.h"

struct start_options {
    struct run_options run; /* first: its table is filled in the same go */
    bool is_waiting;
    uint64_t expected_agents;
    uint64_t deadline_ms;
    struct control_options control;
};

enum start_option_row {
#define CAMPAIGN_OPTION(type, field, key, ...) START_ROW_##field,
#define CAMPAIGN_OPTION_OF_START(type, field, key, ...) START_ROW_##field,
#define CAMPAIGN_WORD(word, ...) START_ROW_##word,
#include "proto/message/campaign_options.inc"
#define COMMAND_OPTION(type, field, ...) START_ROW_##field,
#include "agent/script/command_options.inc"
    START_ROW_CONFIG,
    START_ROW_GIT,
    START_ROW_REVISION,
    START_ROW_PATH,
    START_ROW_ENV,
    START_ROW_ENV_FILE,
    START_ROW_CA,
    START_ROW_CERT,
    START_ROW_KEY,
    START_ROW_ALLOW_SYSTEM,
    START_ROW_WAIT,
    START_ROW_NO_LIVE,
    START_ROW_HTML,
    START_ROW_EXPECT_AGENTS,
    START_ROW_DEADLINE,
    START_ROW_CONTROL,
    START_OPTION_COUNT = START_ROW_CONTROL + CONTROL_OPTION_COUNT
};

extern const struct option start_option_table[START_OPTION_COUNT];
