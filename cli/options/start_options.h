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

#define CAMPAIGN_OPTION(...) +1
#define CAMPAIGN_OPTION_OF_START(...) +1
#define CAMPAIGN_WORD(...) +1
#define COMMAND_OPTION(...) +1
enum {
    START_OPTION_COUNT = 4 + CONTROL_OPTION_COUNT /* of its own, in start_option_table */
#include "agent/script/command_options.inc"
#include "proto/message/campaign_options.inc"
};

extern const struct option start_option_table[START_OPTION_COUNT];
