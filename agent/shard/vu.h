/* A virtual user: a worker as its shard runs it, or a task of it. Its life is the table of vu_phase.h; what
 * it runs is a coroutine of the script (vu_coroutine.h). A worker and its tasks (vu_task.h) share what
 * belongs to the worker, and wait each for itself. */
#pragma once
#include "agent/core/runner/runner.h"
#include "agent/http/engine.h"
#include "agent/script/limits.h"
#include "agent/shard/alarms.h"
#include "agent/shard/vu_phase.h"
#include "common/attributes.h"
#include "proto/message/tags.h"

#include <lua.h>

struct lua_driver;
struct operation;
struct shard_campaign;
struct vu_batch;
struct vu_socket;
struct vu_stream;
struct vu_tasks;
struct vu_websocket;

/* What the coroutine waits for. */
enum vu_wait {
    WAIT_NOTHING,
    WAIT_SLEEP,
    WAIT_ANSWER,
    WAIT_RESPONSE,
    WAIT_LEASE,
    WAIT_DRIVER,
    WAIT_SOCKET,
    WAIT_WEBSOCKET,
    WAIT_SIGNAL, /* for what another task of the worker does */
    WAIT_TASK,   /* for tasks to end */
    WAIT_CALL,   /* to make a call to the coordinator, once another one of the worker is answered */
    WAIT_TURN    /* for its next turn: it has given way to others in the middle of what it does */
};
/* How the wait has ended. */
enum vu_wake { WAKE_DONE, WAKE_STOPPED };

/* What belongs to the worker, whichever of its tasks uses it. */
struct vu_shared {
    struct vu *main;
    struct vu_tasks *tasks; /* NULL before the first */
    int object_reference;   /* the script's `worker` */
    int witness_reference;  /* what runs in VU_WITNESS */
    int closer_reference;   /* what runs in VU_CLOSING */
    int http_defaults;      /* what its setup gave for its requests */
    uint64_t drawn_step;    /* in which there were so many `draws`: of random rows and bytes */
    uint64_t draws;
    uint64_t traced;                 /* likewise of the share that gets a trace */
    uint64_t logged;                 /* requests that were, or were not, of the share that is logged */
    struct tag_set tags;             /* of all that the worker measures */
    uint64_t late_us;                /* of its step, until its first request has been counted */
    struct http_client *http;        /* made at its first request */
    struct http_client *webdriver;   /* likewise, for its browsers: their cookies are not the script's */
    struct vu_stream *streams;       /* that are open */
    struct vu_socket *sockets;       /* likewise */
    struct vu_websocket *websockets; /* that are not closed */
    struct lua_driver *drivers;      /* that it has started */
};

struct vu {
    struct vu_shared *shared; /* owned by the worker's own vu */
    struct shard_campaign *campaign;
    struct vu *next;         /* in the queue for turns */
    lua_State *thread;       /* NULL until it is needed; anchored in the registry, by its address */
    struct limits_used used; /* by this turn, before it gave way */
    /* The coroutine that made the call it waits for: `thread`, or one of the script's. Only to be compared:
     * it may be gone. */
    const lua_State *waiting;
    uint32_t id;
    uint32_t scenario; /* the one of this step */
    uint32_t load;     /* ordinal of the one that it belongs to */
    uint8_t phase;     /* enum vu_phase; vu.c alone writes it */
    uint8_t wait;
    uint8_t wake;
    uint8_t result;        /* enum step_result, of the step or setup that is to be reported */
    bool is_queued;        /* for a turn */
    bool is_begun;         /* the phase's function has been entered */
    bool is_cut_short;     /* the setup has timed out: it fails in the next turn */
    bool has_been_stopped; /* `stopped` has been raised in this phase: the next one cannot be caught */
    bool is_timed;         /* its wait for tasks has a timeout */
    bool waits_long;       /* its call is one that only others can end */
    bool is_kept;          /* a task that outlives the step */
    bool is_ending;        /* a task that is being cancelled */
    bool is_listener;      /* a task whose wait, when it ends, moves nothing else of its worker */
    bool is_arrival;       /* its step counts as one of the plan */
    uint8_t slot;          /* of a task, among those of its worker; VU_NO_SLOT: it is none */
    struct alarm alarm;
    uint64_t queued_ns; /* since when it is queued */
    uint64_t step;
    uint64_t step_began_ns;
    uint64_t intended_ns; /* when its step was to begin; 0: at no instant of its own */
    uint64_t wait_began_ns;
    uint64_t serial;             /* of a task: counted over the campaign */
    uint64_t awaited[2];         /* the slots of the tasks that it waits for, as a bitset */
    uint64_t awaited_signal;     /* in WAIT_SIGNAL, see vu_signal.h */
    uint64_t ticket;             /* of its last call to the coordinator */
    struct operation *parked;    /* the call that it is to make, in WAIT_CALL */
    struct shared_reply *answer; /* held with the others whom it answers */
    uint64_t rank;
    uint64_t release_ns;     /* when its answer may be acted on; 0: at once */
    char *failure_text;      /* why the step, setup or global fixture failed, until it is reported */
    char *failure_trace;     /* with --verbose: the stack of that failure, a line each; or NULL */
    bool is_failure_by_loss; /* it failed only because others were lost with their agent */
    char *failure_key;       /* what the report groups the failure by, until it is counted; NULL: its text */
    struct http_exchange *exchange;         /* the last request of either, until its response was looked at */
    struct vu_batch *batch;                 /* the same of several at once; NULL: none */
    struct vu_stream *awaited_stream;       /* NULL: it waits for something else */
    struct vu_socket *awaited_socket;       /* NULL: it waits for something else */
    struct vu_websocket *awaited_websocket; /* NULL: it waits for something else */
    struct vu *next_waiting;                /* for the same connection */
    struct http_response *response;         /* the exchange's own; NULL while it is awaited */
    struct lua_driver *awaited_driver;
};

#define VU_NO_SLOT UINT8_MAX

/* What the Lua functions know of a worker and have to be asked. */
struct vu_hooks {
    /* Pushes the script's `worker`. */
    void (*push_object)(lua_State *lua, struct vu *vu);
    /* It does not wait for a driver any more. */
    void (*forget_driver)(struct vu *vu);
    /* It ends: so do its drivers. */
    void (*drop_drivers)(struct vu *vu);
};

const struct vu_hooks *vu_hooks(const struct vu *vu);

MUST_CHECK struct vu *vu_new(struct shard_campaign *campaign, uint32_t id);
/* A task of the same worker as `like`, in this slot; see vu_task.h. */
MUST_CHECK struct vu *vu_new_task(const struct vu *like, uint8_t slot);
/* Cancels what is under way; with a worker its tasks go too. */
void vu_free(struct vu **vu);

/* One of VU_BEGIN_*: the phase runs when the vu has its turn. */
void vu_begin(struct vu *vu, enum vu_event begin, uint64_t step);
/* Enters or resumes what it runs. The vu may be freed when this returns. */
void vu_turn(struct vu *vu);
/* The campaign stops: ends a wait that only this agent knows of (sleep, request, driver), where the phase
 * gives way. Not within a turn. The vu may be freed when this returns. */
void vu_stop(struct vu *vu);
/* Fails its setup where it is: it does not go on, so the script cannot catch that. Not within a turn. */
void vu_cut_short(struct vu *vu);
/* What it waits for has come: queues it. */
void vu_wake(struct vu *vu, enum vu_wake wake);
/* Its wait is over, but it goes on only at this instant, to the microsecond if possible. */
void vu_release_at(struct vu *vu, uint64_t at_ns);
void vu_drop_answer(struct vu *vu);
/* Its requests are cancelled, or their responses no longer needed. */
void vu_forget_exchange(struct vu *vu);
/* Whether a stop of the campaign interrupts what the worker does now. */
bool vu_gives_way(const struct vu *vu);
/* Whether it runs a global fixture, and so is none of the campaign's workers. */
bool vu_is_global(const struct vu *vu);
