/* The agent process: one loop that joins the coordinator's socket, the agent core and the shards. */
#pragma once
#include "common/attributes.h"
#include "common/log.h"
#include "proto/keys/keys.h"

#include <stdbool.h>
#include <stdint.h>

struct agent_run_options {
    const char *coordinator;   /* "tcp://127.0.0.1:7440" */
    const char *name;          /* NULL: the host's name and our process id */
    struct agent_key *key;     /* NULL: none; its secret is wiped once it is not needed any more */
    uint32_t shards;           /* 0: one for each core */
    const char *labels;        /* NULL: none */
    uint32_t capacity;         /* workers that it takes at a time; 0: any number */
    uint32_t browser_starts;   /* browsers that may start at the same time; 0: one for each core */
    bool is_system_allowed;    /* scripts may use io, os and C modules */
    bool has_no_walls;         /* see agent/walls/walls.h; browsers have none either */
    const char *readable;      /* what lies behind no wall, separated by commas: files, folders; NULL: none */
    const char *runnable;      /* likewise: programs that browsers may run */
    bool is_interrupt_ignored; /* SIGINT is for the parent (`tutti run`) */
    bool dies_with_parent;     /* PR_SET_PDEATHSIG */
    bool is_quiet;             /* scripts' prints are dropped */
    uint64_t memory_limit_bytes;     /* of the scripts of one shard; 0: 1 GiB */
    uint64_t instruction_limit;      /* of one turn of a worker; 0: 200,000,000 */
    const char *request_log;         /* a file that requests are appended to as JSON; NULL: none */
    double request_log_share;        /* of those that succeed: 0…1 */
    uint32_t request_log_body_bytes; /* of the bodies of failures; 0: none */
    uint64_t turn_limit_ms;          /* likewise, in processor time; 0: 2 s */
};

/* Runs until SIGTERM (or SIGINT): says goodbye to the coordinator and returns 0; a second signal ends the
 * process at once. Or until the coordinator refuses the agent for good: returns 2, with the reason on
 * standard error. */
int agent_run(const struct agent_run_options *options);
