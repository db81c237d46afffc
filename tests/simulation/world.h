/* The simulated world: one coordinator, hosts with agents and shards, the network between them, and a clock
 * that only events move. Everything follows from the plan and the seed. */
#pragma once
#include "agent/core/agent.h"
#include "agent/core/runner/runner.h"
#include "common/buffer.h"
#include "coordinator/core/coordinator.h"
#include "coordinator/core/journal/event_log.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/transcript.h"
#include "tests/simulation/truth.h"

#define WORLD_CAMPAIGN 1u

enum happening {
    HAPPENING_CREATE, /* a client requests the campaign */
    HAPPENING_STOP,
    HAPPENING_SCALE,
    HAPPENING_FAULT,
    HAPPENING_COORDINATOR_TICK,
    HAPPENING_COORDINATOR_TURN,
    HAPPENING_COORDINATOR_KILL,
    HAPPENING_COORDINATOR_RESTART,
    HAPPENING_FRAME_UP, /* arrives at the coordinator */
    /* The following belong to a host. */
    HAPPENING_FRAME_DOWN,
    HAPPENING_CONNECTED,
    HAPPENING_AGENT_TICK,
    HAPPENING_AGENT_TURN,
    HAPPENING_NOTICES,
    HAPPENING_COMMANDS,
    HAPPENING_RUNNER_TICK,
    HAPPENING_ACTOR, /* a worker's script continues */
    HAPPENING_RESTART,
    HAPPENING_COUNT
};

struct event {
    uint64_t due_ns;
    uint64_t wanted_ns; /* of a tick on a host, even if it is delayed by a freeze */
    uint64_t order;
    enum happening happening;
    uint8_t host;
    uint8_t shard;
    uint32_t index; /* worker or fault */
    uint64_t life;  /* of the host or of the runner that it was meant for */
    struct frame *frame;
};

/* A heap of events; equal ones in insertion order. */
struct queue {
    struct event *items;
    size_t count;
    size_t capacity;
    uint64_t next_order;
};
void queue_put(struct queue *queue, struct event event);
bool queue_take(struct queue *queue, struct event *event);
const struct event *queue_first(const struct queue *queue);

struct frame {
    struct frame *next;
    struct envelope envelope;
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* What has been sent in one direction of one link, and how much of it has arrived: shows when nothing is in
 * transit. */
struct flow {
    uint64_t incarnation;
    uint64_t sent;
    uint64_t arrived;
};

/* What ended a call, in short. */
struct answer {
    enum outcome outcome;
    bool has_value;
    int64_t value;
    uint64_t count;
    uint64_t total;
    uint64_t rank;
    bool is_won;
    bool is_maker;
    bool is_by_loss;
    bool was_aside;
    bool was_stuck; /* a deadlock had been found for this worker */
    uint64_t at_ns; /* the host's clock */
    char text[200]; /* only in a transcript */
};

enum actor_state {
    ACTOR_NONE,
    ACTOR_SETUP,
    ACTOR_BETWEEN,
    ACTOR_ACTING,   /* about to do its next act */
    ACTOR_SLEEPING, /* the same, by its own choice */
    ACTOR_MAKING,   /* runs a factory */
    ACTOR_WAITING,  /* waits for the answer to a call */
    ACTOR_ANSWERED, /* has it, and is about to continue */
    ACTOR_TEARDOWN,
    ACTOR_GONE,
};

/* The script of a worker on a host. */
struct actor {
    enum actor_state state;
    uint8_t shard;
    bool is_put_off;      /* there is no lease */
    bool is_refused;      /* by the server that it loads */
    uint64_t incarnation; /* of the agent that its runner was made for */
    uint64_t step;
    uint32_t position;
    uint32_t nth[PLAN_NAMES]; /* arrivals at barriers in this step */
    uint64_t wait_began_ns;
    struct act waits_in;
    uint64_t aside_until_ns;  /* while it waits: another task of it moves until then; 0: none does */
    uint64_t ticket;          /* of its last call */
    enum operation_kind call; /* that it waits in */
    uint64_t wait_step;
    uint32_t wait_nth;
    int64_t chain[2]; /* last value seen of the variable of role CHAIN: room, campaign */
    struct answer answer;
};

struct mailbox_item {
    uint8_t shard;
    void *item;
};
struct mailbox {
    struct mailbox_item *items;
    size_t count;
    size_t capacity;
};

struct shard {
    struct runner *runner;
    uint64_t incarnation; /* that the runner was made for */
    uint64_t life;        /* incremented with each runner */
    struct mailbox commands;
    bool has_commands_event;
    uint64_t tick_ns; /* when a tick is in the queue; 0: none */
    struct statistics counted;
    uint64_t dropped; /* arrivals, that its agent knows of */
};

struct host {
    struct agent *agent;
    uint64_t life;                /* incremented with each process */
    uint64_t incarnation;         /* as last seen on one of its frames */
    bool is_unanswered;           /* since then: how much the coordinator knows of its frames can be seen */
    uint64_t unheard_incarnation; /* that the restarted coordinator still waits for; 0: none */
    bool is_up;
    bool is_declared_lost; /* this incarnation */
    bool is_leaving;
    bool has_left;
    uint64_t restart_after_ns; /* it has left; 0: never */
    bool is_deafened; /* has not heard the coordinator for so long that it may not be sent to any more */
    uint64_t frozen_until_ns;
    uint64_t cut_until_ns[2]; /* up, down */
    uint64_t last_arrival_ns[2];
    int64_t offset_ns;
    uint64_t lease_until_ns; /* its clock */
    uint64_t tick_ns;
    bool has_turn_event;
    bool has_notices_event;
    struct mailbox notices;
    struct shard shards[PLAN_SHARDS];
    struct actor actors[PLAN_WORKERS];
    struct flow up;
    struct flow down;
    uint32_t reconnections;
    char name[8];
};

/* A worker began an edit, or saw one. */
struct sight {
    uint32_t room;
    uint64_t step;
    size_t name_size; /* identifies the notifier */
    uint32_t worker;
    bool is_edit;
    uint64_t at_ns; /* the world's clock */
};

/* The coordinator's journal and its deaths. */
struct recovery {
    struct event_log_writer writer;
    struct buffer journal; /* what the kernel has */
    bool has_journal;
    struct buffer renewed; /* a new base and the events since, which is about to become the journal */
    bool is_renewing;
    struct random dice;
    const struct kill *kill; /* that is about to happen */
    uint32_t steps_to_live;
    bool is_down;
    bool is_stop_unanswered;
    uint64_t down_ns;           /* in total */
    struct coordinator *shadow; /* must behave identically to the coordinator; NULL: there is none */
    struct coordinator_effects shadow_effects;
};

struct world {
    uint64_t seed;
    const struct plan *plan;
    struct random random;
    uint64_t now_ns;
    uint64_t created_ns;
    struct queue queue;
    struct coordinator *coordinator;
    struct coordinator_settings settings;
    struct coordinator_effects coordinator_effects;
    struct recovery recovery;
    uint64_t coordinator_tick_ns;
    bool has_coordinator_turn;
    struct host hosts[PLAN_HOSTS];
    struct agent_effects agent_effects;
    struct runner_effects runner_effects;
    struct frame *free_frames;
    struct truth truth;
    struct transcript *transcript; /* NULL: nobody reads it */

    enum campaign_state state;
    bool is_created;
    bool is_stop_asked;
    bool is_haste_asked; /* while it was already stopping */
    uint32_t workers;    /* of the campaign: current and lowest number of workers */
    uint32_t fewest_workers;
    uint64_t running_ns;  /* when its workers were told to begin; 0: not yet */
    uint64_t stopping_ns; /* when it began to stop; 0: not yet */
    uint64_t ended_ns;
    uint64_t unmourned[PLAN_FAULTS]; /* incarnations that are dead and have not been declared lost yet */
    uint32_t unmourned_count;
    uint32_t agents_declared; /* lost, whether they took part or not */
    uint32_t agents_unheard;  /* ... of agents that a restarted coordinator has never heard */
    uint32_t agents_lost;     /* of the campaign, declared, with workers that had not ended */
    uint32_t agents_gone;     /* likewise, all of whose workers had ended */
    uint32_t deadlocks;
    uint32_t stuck;         /* workers that are in a deadlock according to the oracle */
    uint32_t deadlock_mask; /* workers of a reported deadlock that have not been told yet */
    uint64_t deadlock_said_ns;
    uint64_t deadlock_since_ns; /* since when the oracle has seen one; 0: it sees none */
    uint64_t last_trouble_ns;   /* when a fault last ended or a frame last got lost */
    uint64_t data_frames;
    uint64_t events;
    uint64_t moments;
    uint64_t events_of[HAPPENING_COUNT];
    uint64_t steps_run;
    uint32_t search_changes; /* of the number of workers */
    double refused;          /* steps by the server, and the part that the next one has of it */
    struct sight *sights;
    size_t sight_count;
    size_t sight_capacity;
    bool is_dirty; /* the truth has changed since the last search for a deadlock */
    bool is_broken;
    char broken[1024]; /* the first promise that was broken */
};

struct world *world_new(void);
void world_free(struct world **world);
/* Plays the plan to its end. False if a promise was broken: world->broken says which. */
bool world_run(struct world *world, const struct plan *plan, uint64_t seed, struct transcript *transcript);
/* A promise is broken; the first one counts. */
void world_break(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
uint64_t world_between(struct world *world, uint64_t least, uint64_t most);
bool world_chance(struct world *world, double chance);

/* network.c */
struct frame *frame_new(struct world *world, const struct envelope *envelope, struct bytes message);
void frame_done(struct world *world, struct frame *frame);
void network_send_up(struct world *world, struct host *host, const struct envelope *envelope,
                     struct bytes message);
void network_send_down(struct world *world, struct host *host, const struct envelope *envelope,
                       struct bytes message);
void network_note_arrival(struct flow *flow, const struct envelope *envelope);
/* Whether everything that was sent has arrived, as far as both ends are alive. */
bool network_is_quiet(const struct world *world);

/* hub.c: the coordinator's shell. */
void hub_create(struct world *world);
/* The contents of its bundle again, as bundle_source.load; the context is the world. */
uint8_t *hub_load_bundle(void *context, const struct bundle_listing *listing);
void hub_step(struct world *world, struct coordinator_event *event);
void hub_wake(struct world *world);
/* Workers whose agent was lost before it could be told of them. */
void hub_settle_placement(struct world *world);
/* Whether the campaign's duration is over, so that no new step begins. */
bool hub_is_draining(const struct world *world);

/* recovery.c: the coordinator's journal and its deaths. */
void recovery_init(struct world *world);
void recovery_finish(struct world *world);
void recovery_begin(struct world *world);
void recovery_note(struct world *world, const struct coordinator_event *event);
void recovery_write(struct world *world);
/* At the end of a turn: begins a new base, or replaces the journal by one that was begun. */
void recovery_renew(struct world *world);
/* The shadow takes the step that the coordinator has just taken. */
void recovery_shadow(struct world *world, const struct coordinator_event *event);
void recovery_arm(struct world *world, uint32_t index);
/* Whether the coordinator dies in the step that it has just taken. */
bool recovery_is_last_step(struct world *world);
void recovery_die(struct world *world);
void recovery_restart(struct world *world);

/* host.c: the agent's shell. */
uint32_t host_index(const struct world *world, const struct host *host);
uint64_t host_clock(const struct world *world, const struct host *host);
void host_start(struct world *world, struct host *host);
void host_crash(struct world *world, struct host *host);
/* It is told to end, and starts again after this long; 0: never. */
void host_leave(struct world *world, struct host *host, uint64_t restart_after_ns);
void host_restart_after(struct world *world, struct host *host, uint64_t after_ns);
void host_happen(struct world *world, struct host *host, const struct event *event);
/* What the shard has counted goes to its agent. */
void host_tell_statistics(struct world *world, struct host *host, uint8_t shard);
/* Performs the effects of a runner. */
void host_carry_out(struct world *world, struct host *host, uint8_t shard);
void host_post_notice(struct world *world, struct host *host, uint8_t shard, struct notice *notice);
bool host_has_lease(const struct world *world, const struct host *host);
void host_runner_step(struct world *world, struct host *host, uint8_t shard, struct runner_event *event);
void host_drop_runner(struct world *world, struct host *host, uint8_t shard);

/* interpreter.c: takes the place of the scripts. */
void actor_begin_setup(struct world *world, struct host *host, uint8_t shard, uint32_t worker);
void actor_begin_step(struct world *world, struct host *host, uint32_t worker, uint64_t step);
void actor_take_answer(struct world *world, struct host *host, uint32_t worker, const struct reply *reply,
                       uint64_t rank);
void actor_begin_teardown(struct world *world, struct host *host, uint32_t worker);
/* Its turn has come. */
void actor_go_on(struct world *world, struct host *host, uint32_t worker);
void actor_schedule(struct world *world, struct host *host, uint32_t worker, uint64_t delay_ns);

void actor_end_step(struct world *world, struct host *host, uint32_t worker, enum step_result result,
                    const char *text);
void actor_go_to_next_act(struct world *world, struct host *host, uint32_t worker);

/* interpreter_call.c: the acts that are calls to the coordinator. */
void actor_call(struct world *world, struct host *host, uint32_t worker, const struct act *act);
/* The factory has run. */
void actor_settle(struct world *world, struct host *host, uint32_t worker);
void actor_end_making(struct world *world, struct host *host, uint32_t worker);
/* It acts at an absolute instant. */
void actor_tell_release(struct world *world, struct host *host, uint32_t worker);

/* judge_answer.c: which answers are possible. */
void judge_answer(struct world *world, uint32_t worker, struct actor *actor);

/* judge.c: what may happen. */
void judge_step(struct world *world, struct host *host, uint32_t worker, uint64_t step);
/* The script of a worker does something in a step that others could see. */
void judge_act(struct world *world, uint64_t incarnation, uint32_t worker, uint64_t step);
void judge_teardown(struct world *world, struct host *host, uint32_t worker);
void judge_progress(struct world *world, uint64_t incarnation, const struct operation *operation);
void judge_deadlock(struct world *world);
/* judge_sight.c: when readers saw edits. */
void judge_note_sight(struct world *world, uint32_t worker, const struct operation *operation);
void judge_sights(struct world *world, const struct campaign_report *report);
/* judge_search.c: the number of workers has changed; the campaign has ended. */
void judge_searching(struct world *world);
void judge_search(struct world *world, const struct campaign_report *report);
/* judge_arrivals.c: likewise. */
void judge_arrivals(struct world *world, const struct campaign_report *report);
/* No agent has more workers than its capacity, and none after the end. */
void judge_room(struct world *world);
/* Before time moves on. */
void judge_moment(struct world *world);
/* Once a simulated second. */
void judge_patience(struct world *world);
void judge_end(struct world *world);
