/* The life of a campaign's workers on one shard, pure: who begins when, who waits for what, who has ended and
 * who may be torn down. The shell around it runs the script. */
#pragma once
#include "agent/core/batch/command.h"
#include "agent/core/batch/gather.h"
#include "common/error.h"

struct crew;

enum crew_event_kind {
    CREW_TICK,       /* crew_due_ns was reached */
    CREW_COMMAND,    /* from the agent; borrowed. GLOBAL is the shell's alone */
    CREW_SETUP_DONE, /* of `worker`: is_ok, text */
    CREW_STEP_DONE,  /* of `worker`: result, text */
    CREW_TORN_DOWN,  /* of `worker`: both teardown fixtures have run */
};

enum step_result { STEP_OK, STEP_FAILED, STEP_STOPPED };

struct crew_event {
    enum crew_event_kind kind;
    uint64_t now_ns;
    const struct command *command;
    bool is_paused; /* TICK: there is no lease, so the coordinator is not heard */
    uint32_t worker;
    bool is_ok;
    enum step_result result;
    const char *text; /* why not; may be NULL */
};

enum crew_effect_kind {
    CREW_SETUP,      /* run `setup` and `setup_session` for the worker, then CREW_SETUP_DONE */
    CREW_SETUP_LATE, /* they have had --setup-timeout: they end where they are, and have failed */
    CREW_STEP,       /* run step number `step`, then CREW_STEP_DONE */
    CREW_ANSWER, /* the call that the worker waits in ends with `reply` (borrowed until the next step); `rank`
                    is this worker's own */
    CREW_TEARDOWN, /* run `teardown_session`, close what the worker has, `teardown`; then CREW_TORN_DOWN. A
                      worker that never began its setup is not torn down */
    CREW_NOTICE,   /* hand `notice` to the agent; the shell takes it. Before NOTICE_FINISHED it sends its last
                      statistics */
};

struct crew_effect {
    enum crew_effect_kind kind;
    uint32_t worker;
    uint64_t step;
    const struct reply *reply;
    uint64_t rank;
    struct notice *notice; /* NULLed by the shell that takes it; freed by crew_effects_clear if nobody did */
};

struct crew_effects {
    struct crew_effect *items;
    size_t count;
    size_t capacity;
};
void crew_effects_clear(struct crew_effects *effects);
void crew_effects_finish(struct crew_effects *effects);

/* Takes a hold of its own on `deployment`. `runs` stands in for options->runs, which the script may have
 * decided otherwise (single run: the number of scenarios). */
MUST_CHECK struct crew *crew_new(struct deployment *deployment, uint64_t runs);
void crew_free(struct crew **crew);
/* From now on what workers do goes into `gather`, borrowed, and not out as NOTICE_OPERATION: it is of the
 * step that is taken, and so before the notices among its effects. */
void crew_gather_into(struct crew *crew, struct gather *gather);
/* Clears `effects`, then fills it in order. The shell carries all out before it steps again, except that the
 * carrying out of CREW_STEP and CREW_ANSWER may be put off while there is no lease. */
void crew_step(struct crew *crew, const struct crew_event *event, struct crew_effects *effects);
uint64_t crew_due_ns(const struct crew *crew);

enum crew_call {
    CREW_CALL_DONE,    /* sent, no answer comes: go on */
    CREW_CALL_WAITS,   /* CREW_ANSWER will come */
    CREW_CALL_STOPPED, /* the campaign is stopping: raise `stopped` */
    CREW_CALL_REFUSED  /* misuse; `error` says which */
};
/* A worker's script calls the coordinator. `operation` has kind, room (of a variable), name, step, count,
 * timeout_ms, flags, value, expected, instants; the rest (workers, nth, call, the room of a notifier or
 * barrier) is filled in here. Borrowed; the notice in `effects` (cleared first), or the gathering, owns a
 * copy. A signal on another step than the worker's is refused. Variables may be used at any time, by global
 * fixtures in the name of any worker of the crew; notifiers and barriers not before the setup and not in a
 * teardown. */
MUST_CHECK enum crew_call crew_call(struct crew *crew, uint32_t worker, const struct operation *operation,
                                    struct crew_effects *effects, struct error *error);

/* How many workers the campaign has, as this one sees it in its step: where workers synchronise, the same for
 * all of a room in the same step. */
uint32_t crew_worker_count(const struct crew *crew, uint32_t worker);
/* The worker's step: 0 until its setup is done. */
uint64_t crew_worker_step(const struct crew *crew, uint32_t worker);
/* Workers between setup and teardown. */
uint32_t crew_running(const struct crew *crew);
/* Events that came to a worker in a state where they cannot: a mistake of the shell. */
uint64_t crew_refused_events(const struct crew *crew);
