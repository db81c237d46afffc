/* A worker as the shell sees it: a coroutine, what it does now, and what it waits for. */
#pragma once
#include "agent/core/runner/runner.h"
#include "agent/http/engine.h"
#include "agent/script/limits.h"
#include "agent/shard/alarm.h"
#include "common/attributes.h"

#include <lua.h>

struct lua_driver;
struct shard_campaign;

/* What of the script runs in the worker's coroutine. */
enum vu_phase {
    VU_IDLE, /* nothing: between two of those below */
    VU_SETUP,
    VU_SETUP_SESSION,
    VU_STEP,
    VU_WITNESS,    /* after a step that has failed: what its browsers show is kept */
    VU_STEP_DELAY, /* the scenario's own delay, after it has succeeded */
    VU_STEP_OVER,  /* all is done, but the runner does not know yet */
    VU_TEARDOWN_SESSION,
    VU_CLOSING, /* what the session still held: its browsers */
    VU_TEARDOWN,
    VU_GLOBAL /* of the stand-in for nobody that runs the global fixtures */
};

/* What the coroutine waits for, and afterwards what has come of it. */
enum vu_wait {
    WAIT_NOTHING,
    WAIT_SLEEP,
    WAIT_ANSWER,
    WAIT_RESPONSE,
    WAIT_LEASE,
    WAIT_DRIVER,
    WAIT_TURN /* for nothing: it has given way to others, in the middle of what it does */
};
enum vu_wake { WAKE_DONE, WAKE_STOPPED };

struct vu {
    struct shard_campaign *campaign;
    struct vu *next;         /* in the queue of those whose turn it is */
    lua_State *thread;       /* NULL until it is needed; the registry has it, by its address */
    struct limits_used used; /* before it gave way */
    /* The coroutine that made the call it waits for: `thread`, or one of the script's. To compare with, no
     * more: it may be gone. */
    const lua_State *waiting;
    int object_reference; /* the script's `worker` */
    uint32_t id;
    uint32_t scenario; /* the one of this step */
    uint8_t phase;
    uint8_t wait;
    uint8_t wake;
    bool is_queued;
    bool is_begun;         /* the phase's function was entered */
    bool is_cut_short;     /* the setup has had its time: in its turn it ends, as one that has failed */
    bool has_been_stopped; /* `stopped` was raised in this phase: the next time nothing catches it */
    struct alarm alarm;
    uint64_t queued_ns; /* since when it is in the queue */
    uint64_t step;
    uint64_t drawn_step; /* in which `draws` random rows were drawn */
    uint64_t draws;
    uint64_t step_began_ns;
    uint64_t wait_began_ns;
    struct shared_reply *answer; /* held with the others whom it answers */
    uint64_t rank;
    uint64_t release_ns;            /* of its answer; 0: at once */
    int witness_reference;          /* what runs in PLAYER_WITNESS */
    char *failure_text;             /* of the step, until that is over */
    int closer_reference;           /* what runs in PLAYER_CLOSING */
    struct http_client *http;       /* made at its first request */
    struct http_client *webdriver;  /* likewise, for its browsers: their cookies are not the script's */
    struct http_response *response; /* the client's own, until its next request; NULL once it was looked at */
    struct lua_driver *drivers;     /* that it has started */
    struct lua_driver *awaited_driver;
};

/* What the functions that a script calls know of a worker, and a worker of them. */
struct vu_hooks {
    /* Pushes the script's `worker`. */
    void (*push_object)(lua_State *lua, struct vu *vu);
    /* What it waits for from its driver does not matter any more. */
    void (*forget_driver)(struct vu *vu);
    /* It ends: so do its drivers. */
    void (*drop_drivers)(struct vu *vu);
};

const struct vu_hooks *vu_hooks(const struct vu *vu);

MUST_CHECK struct vu *vu_new(struct shard_campaign *campaign, uint32_t id);
/* Cancels what is under way. */
void vu_free(struct vu **vu);

/* Its turn: goes on from where it waits, or enters what it has to run. */
void vu_turn(struct vu *vu);

/* Something of the script comes next: one of setup, step (number `step`), teardown_session, global. */
void vu_begin(struct vu *vu, enum vu_phase phase, uint64_t step);
/* Its wait is over, but it goes on only at this instant, to the microsecond if we can. */
void vu_release_at(struct vu *vu, uint64_t at_ns);

/* For the API functions, within a turn: the worker whose turn it is; raises where there is none (loading, or
 * a coroutine that runs outside a turn). `function` names the call. */
struct vu *vu_current(lua_State *lua, const char *function);
/* Raises `stopped` if the campaign is stopping and this phase gives way to that. */
void vu_check_stopped(lua_State *lua, struct vu *vu);
/* Ends the turn until player_wake; then `go_on` is called. */
int vu_yield(lua_State *lua, struct vu *vu, enum vu_wait wait, lua_KFunction go_on, lua_KContext context);
/* For a continuation: takes note that the wait is over; raises if it was ended by the stop of the campaign,
 * or if somebody else resumed the coroutine. */
void vu_resumed(lua_State *lua, struct vu *vu, enum vu_wait wait);
/* Before an act that others can see. True if the lease has run out since the turn began, for the process was
 * frozen or the script took long: then the caller returns player_await_lease, and `again` is called, with the
 * same stack, when it is held again. */
bool vu_has_no_lease(const struct vu *vu);
int vu_await_lease(lua_State *lua, struct vu *vu, lua_CFunction again);
/* From a hook between two instructions, in a coroutine that may yield: the turn ends, and goes on when the
 * others have had theirs. Raises where the campaign is stopping. */
void vu_give_way(lua_State *lua);
/* What it waits for has come: queues it. */
void vu_wake(struct vu *vu, enum vu_wake wake);
/* Ends its wait if it is one that only this agent knows of (sleep, request). */
void vu_stop(struct vu *vu);
/* Ends its setup where it is: whatever it waits for, nothing of the script can catch that. Not within a turn.
 */
void vu_cut_short(struct vu *vu);
int vu_raise_stopped(lua_State *lua, struct vu *vu, double waited_s, const char *text);
void vu_drop_answer(struct vu *vu);
/* The next phase begins in a new coroutine. */
void vu_drop_thread(struct vu *vu);
