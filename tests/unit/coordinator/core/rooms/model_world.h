/* The workers of one run of the model: they execute random programs, and their actions are passed to the
 * rooms and to the oracle alike. */
#pragma once
#include "common/random.h"
#include "tests/unit/coordinator/core/rooms/oracle.h"
#include "tests/unit/coordinator/core/rooms/play.h"

#define WORLD_OPERATIONS 4
#define WORLD_OWN_TIMEOUT_MS 1000

enum act { ACT_WRITTEN, ACT_WAIT_WRITER, ACT_READ, ACT_WAIT_READERS, ACT_BARRIER, ACT_DECLARE, ACT_FAIL };

struct line {
    enum act act;
    uint32_t back;    /* of waits: how many steps ago */
    uint32_t readers; /* of a declaration */
    bool is_strict;
    bool has_own_timeout;
};

/* A worker as the test plays it: its true state, of which the rooms know only what was reported. */
struct actor {
    struct line lines[ORACLE_STEPS][WORLD_OPERATIONS];
    uint32_t line_counts[ORACLE_STEPS];
    uint64_t step;
    uint32_t position;
    uint32_t calls; /* of the barrier in this step */
    bool is_reporting;
    bool must_fail; /* its wait has failed */
    bool is_over;
};

struct world {
    struct play play;
    struct random random;
    struct oracle oracle;
    struct actor actors[ORACLE_WORKERS];
    uint64_t runs;
    bool may_lose;
};

/* The same world for the same seed; no worker has moved yet. The rooms' own timeout is too long to end a
 * wait. */
void world_init(struct world *world, uint64_t seed);
void world_finish(struct world *world);

bool world_chance(struct world *world, uint32_t percent);
uint32_t world_below(struct world *world, uint32_t bound);

bool world_can_move(const struct world *world, uint32_t worker);
bool world_is_over(const struct world *world);
/* The worker, which can move, executes the next step of its program. */
void world_act(struct world *world, uint32_t worker);
/* The worker's agent has learned that its room synchronises: from now on it reports the worker's progress. */
void world_learn_to_report(struct world *world, uint32_t worker);
void world_lose(struct world *world, uint32_t worker);
/* It continues on another agent at the step after the last one that it is known to have been in. */
void world_restart(struct world *world, uint32_t worker);
