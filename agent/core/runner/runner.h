/* The life of a campaign's workers on one shard, pure: who begins when, who waits for what, who has ended and
 * who may be torn down. The shell around it runs the script. */
#pragma once
#include "agent/core/batch/batcher.h"
#include "agent/core/batch/command.h"
#include "common/error.h"

struct runner;

enum runner_event_kind {
    RUNNER_TICK,       /* runner_due_ns was reached */
    RUNNER_COMMAND,    /* from the agent; borrowed. GLOBAL is the shell's alone */
    RUNNER_SETUP_DONE, /* of `worker`: is_ok, text */
    RUNNER_STEP_DONE,  /* of `worker`: result, text */
    RUNNER_TORN_DOWN,  /* of `worker`: both teardown fixtures have run */
};

enum step_result { STEP_OK, STEP_FAILED, STEP_STOPPED };

struct runner_event {
    enum runner_event_kind kind;
    uint64_t now_ns;
    const struct command *command;
    bool is_paused; /* TICK: there is no lease, so the coordinator is not heard */
    uint32_t worker;
    bool is_ok;
    enum step_result result;
    const char *text; /* why not; may be NULL */
};

enum runner_effect_kind {
    RUNNER_SETUP,      /* run `setup` and `setup_session` for the worker, then RUNNER_SETUP_DONE */
    RUNNER_SETUP_LATE, /* --setup-timeout has expired: abort the setup and report it as failed */
    RUNNER_STEP,       /* run step number `step`, then RUNNER_STEP_DONE */
    RUNNER_ANSWER,     /* the call that the worker waits in ends with `reply` (held until the next step);
                          `rank` is this worker's own, `ticket` the caller's */
    RUNNER_TEARDOWN, /* run `teardown_session`, close what the worker has, `teardown`; then RUNNER_TORN_DOWN.
                        A worker that never began its setup is not torn down */
    RUNNER_NOTICE, /* hand `notice` to the agent; the shell takes it. Before NOTICE_FINISHED it sends its last
                    statistics */
};

struct runner_effect {
    enum runner_effect_kind kind;
    uint32_t worker;
    uint64_t step;
    uint64_t intended_ns; /* of a step: when it was to begin; 0: at no instant of its own */
    uint32_t load;        /* of a step: ordinal of the load of its worker */
    bool is_arrival;      /* of a step: it counts as one of the plan */
    struct shared_reply *reply;
    uint64_t rank;
    uint64_t ticket;
    struct notice
        *notice; /* NULLed by the shell that takes it; freed by runner_effects_clear if it does not */
};

struct runner_effects {
    struct runner_effect *items;
    size_t count;
    size_t capacity;
};
void runner_effects_clear(struct runner_effects *effects);
void runner_effects_finish(struct runner_effects *effects);

/* Holds `deployment` itself. `runs` stands in for options->runs, which the script may have decided otherwise
 * (single run: the number of scenarios). */
MUST_CHECK struct runner *runner_new(struct deployment *deployment, uint64_t runs);
void runner_free(struct runner **runner);
/* From now on what workers do goes into `batcher`, which is borrowed, instead of out as NOTICE_OPERATION. It
 * belongs to the step being taken, and so comes before the notices among its effects. */
void runner_gather_into(struct runner *runner, struct batcher *batcher);
/* Clears `effects`, then fills it in order. The shell performs all of them before it steps again, except that
 * it may put off RUNNER_STEP and RUNNER_ANSWER while there is no lease. */
void runner_step(struct runner *runner, const struct runner_event *event, struct runner_effects *effects);
uint64_t runner_due_ns(const struct runner *runner);

enum runner_call {
    RUNNER_CALL_DONE,    /* sent, no answer comes: go on */
    RUNNER_CALL_WAITS,   /* RUNNER_ANSWER will come */
    RUNNER_CALL_BUSY,    /* not until an earlier call of the worker is answered */
    RUNNER_CALL_STOPPED, /* the campaign is stopping: raise `stopped` */
    RUNNER_CALL_REFUSED  /* misuse; `error` says which */
};
/* A worker's script calls the coordinator. `operation` has kind, room (of a variable), name, step, count,
 * timeout_ms, flags, value, expected, instants; `ticket` says
 * which task waits for the answer, 0: the worker itself, whose call is forgotten with its step; the rest
 * (workers, nth, call, the room of a notifier or barrier) is filled in here. Borrowed; the notice in
 * `effects` (cleared first), or the batcher, owns a copy. A signal on another step than the worker's is
 * refused. Variables may be used at any time, by global fixtures in the name of any worker of the runner;
 * notifiers and barriers not before the setup and not in a teardown. A worker has LIMIT_CALLS_AT_ONCE calls
 * at once that are not answered, and one wait among them. */
MUST_CHECK enum runner_call runner_call(struct runner *runner, uint32_t worker,
                                        const struct operation *operation, uint64_t ticket,
                                        struct runner_effects *effects, struct error *error);
/* Nobody waits for the answer of this call any more: if it is a wait, the coordinator is asked to end it. */
void runner_give_up(struct runner *runner, uint32_t worker, uint64_t ticket, struct runner_effects *effects);
/* What the worker waits for, which was sent as `is_aside`, is all that it still does. */
void runner_settle(struct runner *runner, uint32_t worker, struct runner_effects *effects);

/* How many workers the campaign has, as this worker sees it in its step: in a room that synchronises all see
 * the same number in the same step. */
uint32_t runner_worker_count(const struct runner *runner, uint32_t worker);
/* The worker's step: 0 until its setup is done. */
uint64_t runner_worker_step(const struct runner *runner, uint32_t worker);
/* Whether any room of the campaign synchronises, as far as this runner knows. */
bool runner_is_synchronising(const struct runner *runner);
/* Workers between setup and teardown. */
uint32_t runner_running(const struct runner *runner);
/* Arrivals of the plan that have found no worker, so far. */
uint64_t runner_dropped(const struct runner *runner);
/* Events that came to a worker in a state where they cannot: a bug of the shell. */
uint64_t runner_refused_events(const struct runner *runner);
