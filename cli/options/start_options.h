/* What `tutti start` was told: all that concerns the campaign, how to wait for it, and where the coordinator
 * is. */
#pragma once
#include "cli/options/control_options.h"
#include "cli/options/run_options.h"

#define START_EXPECTED_AGENTS 1u
#define START_DEADLINE_MS 60000u

struct start_options {
    struct run_options run; /* first: its table is filled in the same go */
    bool is_waiting;
    uint64_t expected_agents;
    uint64_t deadline_ms;
    const char *labels; /* NULL: all agents */
    struct control_options control;
};

/* Without those of `tutti run` for agents, shards, turns and artifacts; with --wait, --expect-agents,
 * --deadline and --on. */
#define START_OPTION_COUNT (RUN_OPTION_COUNT - 4 + 4 + CONTROL_OPTION_COUNT)
extern const struct option start_option_table[START_OPTION_COUNT];
