/* What workers ask of the coordinator and what it answers: one wide structure in each direction. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/worker_set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPERATION_DIGEST_BYTES 16u /* of a SHA-256: enough to tell texts apart */
#define ROOM_CAMPAIGN UINT32_MAX   /* the room number of things that belong to the whole campaign */

/* Aggregated operations stand for many workers; the others have exactly one, in `workers`. */
enum operation_kind {
    /* Not answered. */
    OPERATION_PAST, /* aggregated: these workers have ended `step`; `text` says how it failed, empty if it did
                       not */
    OPERATION_ENDED, /* aggregated: these workers are past every step; `text` says why if they did not end
                        normally */
    OPERATION_READ, /* aggregated: one_read() of (room, name, step); `digest` of what they saw, if given; each
                       read at its own instant, unless `first_ns` is 0 */
    OPERATION_RELEASED, /* these workers acted at an absolute instant: `first_ns`…`last_ns`, coordinator's
                           clock */
    /* Answered once for each worker, when the wait ends. */
    OPERATION_WAIT_WRITER,  /* aggregated */
    OPERATION_WAIT_READERS, /* aggregated; `is_strict` */
    OPERATION_BARRIER,      /* aggregated: (room, name, step, nth); `count` = parties, 0 for all live ones;
                               `at_once` */
    /* Answered at once, for one worker. */
    OPERATION_DECLARE, /* `count` readers for (room, name, step); OUTCOME_REFUSED if another number was
                          declared */
    OPERATION_WRITTEN, /* `value` is the payload; reply `is_won`; called at `first_ns` */
    /* Variables, by (room or ROOM_CAMPAIGN, name); for one worker. */
    OPERATION_GET,           /* reply `value`, nil if unset */
    OPERATION_GET_OR_MAKE,   /* reply `value`, or `is_maker`: run your factory, then MADE or MAKING_FAILED */
    OPERATION_MADE,          /* `value` is the result of the factory; reply `value` = the current value */
    OPERATION_MAKING_FAILED, /* not answered: the next caller's factory runs */
    OPERATION_SET,           /* `value`; nil deletes */
    OPERATION_CAS,           /* `expected` → `value`; reply `is_won`, `value` = the current value */
    OPERATION_INCR,          /* adds `value`; reply `value` = the sum */
    OPERATION_DELETE,        /* reply `is_won`: there was one */
    OPERATION_WAIT_SET,      /* a wait: until it is not nil; reply `value` */
    OPERATION_WAIT_CHANGED,  /* a wait: until it differs from `expected`; reply `value` */
    /* Not answered. */
    OPERATION_WRITING, /* aggregated: the edit of (room, name, step) begins, at `first_ns` */
    OPERATION_BEGUN, /* aggregated: these workers are past the step before `step`, and begin `step` as soon as
                        this is acknowledged: used only if a step must not be begun twice */
    OPERATION_SETTLED,  /* nothing of this worker moves any more but by the end of its wait, which was
                           `is_aside` */
    OPERATION_GIVEN_UP, /* this worker's wait has nobody who waits in it: it is ended, as by its timeout */
    OPERATION_KIND_COUNT
};

/* Waits block their worker until the coordinator ends them: timeouts are decided there as well, so that the
 * coordinator always knows the true state of a waiting worker. */
bool operation_is_wait(
    enum operation_kind kind); /* WAIT_WRITER, WAIT_READERS, BARRIER, GET_OR_MAKE, WAIT_SET, WAIT_CHANGED */
bool operation_is_answered(enum operation_kind kind);
bool operation_is_aggregated(enum operation_kind kind);
/* "wait_for_writer", "barrier", … as a script calls it; for reports and messages. */
const char *operation_name(enum operation_kind kind);
struct operation;
/* When the worker at this index of `workers` did it. */
int64_t operation_instant_ns(const struct operation *operation, size_t place);

/* What the timeout of a wait at a barrier does. */
enum barrier_timeout {
    BARRIER_TIMEOUT_FAIL,  /* the wait ends as `timeout`; its worker has arrived, and counts for the others */
    BARRIER_TIMEOUT_GO,    /* the barrier opens: all who are present go on, and later ones pass */
    BARRIER_TIMEOUT_LEAVE, /* the wait ends as `timeout`, and its worker does not count any more */
    BARRIER_TIMEOUTS
};

struct operation {
    enum operation_kind kind;
    struct worker_set workers;
    uint32_t room;
    struct bytes name;
    uint64_t step; /* of the notifier or barrier; the one that ended, for PAST */
    uint32_t nth;  /* ordinal of this barrier(name) call within the step, from 0 */
    uint32_t call; /* counts the worker's answered calls; returned in the reply. Only if not aggregated */
    uint32_t count;
    uint64_t timeout_ms; /* of a wait; 0 is the campaign's default */
    bool is_strict;
    bool is_at_once;
    enum barrier_timeout on_timeout; /* BARRIER */
    /* Of a wait, in a task of the worker: others of its tasks go on meanwhile, so it is no part of a deadlock
     * until SETTLED; and it does not end with the step. */
    bool is_aside;
    struct bytes value;    /* canonical (common/value.h) where the kind has one */
    struct bytes expected; /* also canonical, where the kind has one */
    struct bytes text;
    /* On the coordinator's clock if it comes from an agent; 0: not known. */
    int64_t first_ns;
    int64_t last_ns;
    /* When each worker did it, in microseconds since first_ns, in the order of `workers`; NULL: all at
     * first_ns. */
    const uint32_t *after_us;
    size_t after_count;
    uint32_t uncertainty_us; /* error bound of the instants */
    struct bytes digest;     /* OPERATION_DIGEST_BYTES, or none */
    /* What is wrong with it, set by message_decode_from_agent; NULL: nothing. If set, only kind, workers and
     * call are valid, as far as they were correct. */
    const char *fault;
};

/* A deep copy in one piece of memory: its worker set does not grow. */
MUST_CHECK struct operation *operation_copy(const struct operation *operation);
/* Only what operation_copy made. */
void operation_free(struct operation **operation);

enum outcome {
    OUTCOME_OK,
    OUTCOME_TIMEOUT,
    OUTCOME_SHORT,
    OUTCOME_DEADLOCK,
    OUTCOME_STOPPED,
    OUTCOME_REFUSED, /* a misuse: `text` says which */
    OUTCOME_COUNT
};
const char *outcome_name(enum outcome outcome);

/* A value of at least this many bytes is sent once per message for all replies that point to the same
 * memory. */
#define REPLY_SHARED_BYTES 64u

struct shared;

struct reply {
    enum operation_kind kind; /* of what is answered */
    enum outcome outcome;
    struct worker_set workers; /* whose waits or calls this ends */
    uint32_t room;
    struct bytes name;
    uint64_t step;
    uint32_t nth;
    uint32_t call;
    uint64_t count;   /* read so far; arrived at the barrier */
    uint64_t total;   /* readers */
    uint64_t present; /* barrier: how many went on together, including these */
    uint64_t rank;    /* barrier: rank of the first worker in `workers`, from 1; the others follow in order */
    bool is_won;
    bool is_maker;
    bool is_by_loss; /* of OUTCOME_SHORT: those who are missing were lost with their agent, none has failed */
    struct bytes value;
    struct shared
        *shared; /* a reference to the memory of `value`, shared by many replies; NULL: `value` is borrowed */
    int64_t at_ns;             /* act at this instant of the coordinator's clock; 0 is at once */
    struct worker_set missing; /* the missing workers, at most LIMIT_MISSING */
    struct bytes text;         /* for a person; empty when ok */
};

/* A reply that many hold and nobody changes: counted, freed with the last holder. Holders may be of different
 * threads. */
struct shared_reply;

/* A deep copy of all but `workers`, with one holder: each holder knows by itself whom of them it answers. The
 * value is held, not copied, where `shared` has it. */
MUST_CHECK struct shared_reply *shared_reply_new(const struct reply *reply);
/* One holder more. */
struct shared_reply *shared_reply_hold(struct shared_reply *shared);
/* One holder less. NULL is tolerated. */
void shared_reply_release(struct shared_reply **shared);
/* Lasts as long as there is a holder. */
const struct reply *shared_reply_get(const struct shared_reply *shared);
