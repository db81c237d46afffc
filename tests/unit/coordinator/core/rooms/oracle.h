/* The semantics of a room, shared with the executable model of the design: plain facts, and for each wait the
 * question whether it is over, answered by looking at everything. Slow and obvious. */
#pragma once
#include "proto/message/operation.h"

#include <stdbool.h>
#include <stdint.h>

#define ORACLE_WORKERS 6
#define ORACLE_STEPS 16
#define ORACLE_CALLS 4 /* of the barrier in a step */

struct oracle_wait {
    bool is_on;
    enum operation_kind kind;
    uint64_t step;
    uint32_t nth;
    bool is_strict;
    bool has_own_timeout;
    uint64_t due_ns;    /* if it has */
    bool was_forgotten; /* the step, when it began: it ends at once, with any outcome */
};

struct oracle_worker {
    uint64_t past;      /* as far as it is known */
    uint64_t signalled; /* the last step in which it has written, read or arrived at a barrier */
    bool is_known;
    bool has_ended;
    bool was_lost;
    struct oracle_wait wait;
};

struct oracle {
    uint32_t count;
    struct oracle_worker workers[ORACLE_WORKERS];
    bool wrote[ORACLE_STEPS];
    uint32_t writer[ORACLE_STEPS];
    bool read[ORACLE_STEPS][ORACLE_WORKERS];
    bool is_declared[ORACLE_STEPS];
    uint32_t declared[ORACLE_STEPS];
    uint32_t ranks[ORACLE_STEPS][ORACLE_CALLS][ORACLE_WORKERS]; /* 0: has not arrived */
    uint32_t parties[ORACLE_STEPS];
};

bool oracle_is_past(const struct oracle *oracle, uint32_t worker, uint64_t step);
/* All live workers are also past the following step: nothing has to be known of it. */
bool oracle_is_forgotten(const struct oracle *oracle, uint64_t step);
/* How the wait of this worker ends now. False while it has to wait. */
bool oracle_outcome(const struct oracle *oracle, uint32_t worker, enum outcome *outcome);
uint32_t oracle_read(const struct oracle *oracle, uint64_t step);
/* The further result of wait_for_readers for this worker. */
uint32_t oracle_readers(const struct oracle *oracle, uint32_t worker, uint64_t step);
uint32_t oracle_arrived(const struct oracle *oracle, uint64_t step, uint32_t nth);
/* The workers that are part of the current deadlock. */
void oracle_deadlock(const struct oracle *oracle, bool is_stuck[ORACLE_WORKERS]);
