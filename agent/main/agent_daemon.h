/* The agent process: one loop that joins the coordinator's socket, the agent core and the shards. */
#pragma once
#include "common/attributes.h"
#include "common/log.h"
#include "proto/keys/keys.h"

#include <stdbool.h>
#include <stdint.h>

struct agent_run_options {
    const char *coordinator; /* "tcp://127.0.0.1:7440" */
    const char *name;        /* NULL: the host's name and our process id */
    struct agent_key *key;   /* NULL: none; its secret is wiped when it is no longer needed */
    uint32_t shards;         /* 0: one for each core */
    const char *labels;      /* NULL: none */
    uint32_t capacity;       /* workers that it takes at once; 0: any number */
    uint32_t browser_starts; /* browsers that may come up at once; 0: one for each core */
    bool is_system_allowed;  /* scripts may use io, os and C modules */
    bool has_no_walls;       /* see agent/walls/walls.h; around browsers neither */
    const char *readable;    /* files and folders, separated by commas, that lie behind no wall; NULL: none */
    const char *runnable;    /* the same of programs, for browsers */
    bool is_interrupt_ignored;   /* SIGINT is for the parent (`tutti run`) */
    bool dies_with_parent;       /* PR_SET_PDEATHSIG */
    bool is_quiet;               /* scripts' prints are dropped */
    uint64_t memory_limit_bytes; /* of the scripts of one shard; 0: 1 GiB */
    uint64_t instruction_limit;  /* of one turn of a worker; 0: 200,000,000 */
    uint64_t turn_limit_ms;      /* likewise, in processor time; 0: 2 s */
};

/* Runs until SIGTERM (or SIGINT) → 0, with a goodbye to the coordinator; a second one ends the
 * process at once. Or
 * until the coordinator refuses it for good → 2 with the reason on standard error. */
int agent_run(const struct agent_run_options *options);
