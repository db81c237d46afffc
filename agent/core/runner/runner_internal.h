/* The inside of the runner, shared by its own files only. */
#pragma once
#include "agent/core/runner/runner.h"
#include "agent/core/runner/worker_index.h"
#include "common/map.h"
#include "proto/message/arrivals.h"

/* What the runner knows of a room that synchronises; for the others there is none. */
struct room {
    uint32_t id;
    bool is_synchronising; /* the coordinator wants to know of its progress */
    bool is_signalled;     /* one of ours has used a notifier or barrier */
    bool is_done;          /* all its workers have ended, here and elsewhere */
    bool is_halted;        /* it was synchronising when the campaign began to drain */
    uint64_t pause_step;   /* while the campaign is paused, before it; 0: at once */
    bool has_last_step;    /* once it is known how far the room goes */
    uint64_t last_step;
    struct change *changes; /* changes of the number of workers, in the order in which they came */
    size_t change_count;
    size_t change_capacity;
};

/* From this step of the room on, the campaign has another number of workers. */
struct change {
    uint64_t from_step;
    uint32_t before;
    uint32_t after;
};

/* A worker that begins once more as soon as it is torn down. */
struct comeback {
    uint32_t worker;
    uint64_t first_step;
};

struct pace_queue {
    uint64_t *items;
    size_t first;
    size_t count;
    size_t capacity;
};

/* From this instant of the plan on, every so many-th arrival is of the same worker. */
struct arrival_share {
    uint64_t at_ns;
    uint64_t slots;
    struct room_step *starts; /* rooms that begin, or begin again, with this step */
    size_t start_count;
};

/* Workers that a load could have more, by its max_workers, which arrivals wait for. */
struct growth {
    uint32_t wanted; /* asked for, or about to be */
    bool is_asking;  /* the coordinator has still to answer */
    uint32_t asked;  /* of those, the ones that it was asked for and that have not come */
    uint32_t given;  /* that have come since it was asked */
    uint64_t behind; /* with rooms: arrivals that were due and not begun when that was last looked at */
    uint64_t not_before_ns;
};

/* When the steps of a load begin, where they do not simply follow each other. */
struct lane {
    struct load load; /* its texts are the options' */
    bool is_open;     /* they begin by the plan of arrivals */
    uint64_t slots;   /* every so many-th arrival is of the same worker, or room */
    uint64_t first_slot;
    struct arrival_share *shares; /* other numbers of slots, which are to come */
    size_t share_count;
    size_t share_capacity;
    uint64_t end_ns; /* of the plan, since the start of the load; RATE_NEVER: it has none */
    struct think_time think;
    struct arrivals arrivals;
    uint64_t passed_ns;           /* when the one before the next comes, since the start of the load */
    struct arrival_mark marks[2]; /* arrivals that it was at before, the latest last */
    struct pace_queue free;       /* workers that an arrival may be given to; some are not free any more */
    struct pace_queue late;       /* arrivals, by their instants, that wait for a worker */
    size_t owed;                  /* of those, the ones that a worker was free for when they were due */
    struct growth growth;
    uint32_t workers;     /* that it has now */
    uint32_t *more_rooms; /* of several loads: the rooms that it has got since the beginning */
    size_t more_count;
    size_t more_capacity;
    bool is_over;     /* no arrival is left, and those that are free have been told */
    uint64_t busy_ns; /* since when no worker was free, the last time; 0: none has ever been */
};

/* Of several loads: workers that one of them has got since the beginning, up to the next of these. */
struct load_growth {
    uint32_t first_worker;
    uint32_t load;
};

struct pacer {
    struct lane *lanes; /* by the ids of their workers */
    size_t lane_count;
    bool has_rooms;              /* an arrival is one of a room: all its seats begin */
    struct load_growth *growths; /* by their workers */
    size_t growth_count;
    size_t growth_capacity;
    struct room_turns *turns; /* by room */
    size_t turn_count;
    size_t turn_capacity;
    bool is_over;      /* what comes now is the rest of it, at once */
    bool must_rest;    /* something comes between two steps of some worker */
    uint64_t begin_ns; /* of the plan; 0: not yet */
    uint64_t from_ns;  /* arrivals before this instant of it are others' */
    struct pace told;  /* what has changed of it, without rooms */
    uint64_t dropped;  /* arrivals that have found no worker */
};

struct runner {
    struct deployment *deployment;
    const struct campaign_options *options;
    uint64_t runs;
    int64_t shared_runs; /* that are left of our workers' part of those of all; only where there are such */
    bool tells_steps; /* a step must not be begun twice: the coordinator hears of each, and it waits for that
                       */
    struct worker_index *index;
    struct timers *timers;
    struct pacer pace;
    struct map *rooms;
    struct room *last_room;  /* looked up last; NULL: none yet */
    struct batcher *batcher; /* NULL: operations leave as notices */
    uint32_t counts[WORKER_STATE_COUNT];
    bool has_begun;
    uint64_t begin_ns; /* 0: at no instant of its own */
    bool has_assigned;
    uint32_t worker_count; /* of the campaign now, and the most it ever had */
    uint32_t most_workers;
    bool has_scaled;
    uint64_t given; /* workers that this runner was ever given; those that come back count again */
    struct comeback *comebacks;
    size_t comeback_count;
    size_t comeback_capacity;
    bool is_draining;
    bool is_stopping;
    bool is_forgotten;
    bool has_finished; /* the notice is out */
    bool has_failed;   /* likewise */
    char *stop_text;
    struct shared_reply **answers; /* given out, held until the next step */
    size_t answer_count;
    size_t answer_capacity;
    uint64_t refused_events;
    /* For calls that are never answered. */
    uint64_t look_due_ns; /* TIMERS_NEVER: nobody waits */
    uint64_t paused_ns;   /* when there was last no lease; 0: there always was one */
    size_t looked_at;     /* this many workers, in this round */
    bool has_found_waiting;

    /* Of the step being taken. */
    const struct runner_event *event;
    struct runner_effects *effects;
};

struct runner_effect *runner_add_effect(struct runner_effects *effects, enum runner_effect_kind kind);
/* What a worker does, on its way to the coordinator. */
void runner_tell(const struct runner *runner, struct runner_effects *effects,
                 const struct operation *operation);
/* A set of one worker that needs no memory but `run`. */
struct worker_set runner_only(struct worker_run *run, const struct worker *worker);
struct notice *runner_add_notice(const struct runner *runner, enum notice_kind kind);
/* NULL if nothing is known about it. */
struct room *runner_room(const struct runner *runner, uint32_t room);
struct room *runner_ensure_room(struct runner *runner, uint32_t room);
struct room *runner_room_of(const struct runner *runner, const struct worker *worker);

/* The only function that assigns a worker's state. What cannot happen in its state is counted and ignored. */
void runner_move(struct runner *runner, struct worker *worker, enum worker_event event);
/* What comes next for a worker between two steps. */
enum worker_event runner_choose(const struct runner *runner, const struct worker *worker, bool has_rested);
/* In runner_scale.c. How many workers there are in this step of the room of `worker`. */
uint32_t runner_count_at(const struct runner *runner, const struct worker *worker, uint64_t step);
void runner_scale(struct runner *runner, const struct command *command);
/* Begins with this step, or ends if none is left. */
void runner_start(struct runner *runner, struct worker *worker);
/* A worker that was here before is wanted again. */
void runner_start_again(struct runner *runner, struct worker *worker, uint64_t first_step);
/* It is gone; it may be wanted again by now. */
void runner_come_back(struct runner *runner, struct worker *worker);
/* Rooms have ids below this. */
uint32_t runner_room_limit(const struct runner *runner);
/* Progress of workers, as the coordinator hears it. */
void runner_report_past(struct runner *runner, const struct worker *worker, struct bytes text);
/* It begins its step, and so is past the one before. */
void runner_report_begun(struct runner *runner, const struct worker *worker);
/* The coordinator forgets its waits with that, so they end here. */
void runner_report_ended(struct runner *runner, struct worker *worker, const char *text);
/* When it really began, less its delay in the ramp-up, so that all can be compared. Reports nothing where the
 * campaign has no instant to begin at. */
void runner_report_start(struct runner *runner, const struct worker *worker);
/* Sends the notice that all workers are gone, if they are and it has not been sent. */
void runner_check_finished(struct runner *runner);

void runner_take_command(struct runner *runner, const struct command *command);
void runner_take_reply(struct runner *runner, const struct command *command);
/* Ends this call of the worker by this reply, which is copied. */
void runner_answer(struct runner *runner, struct worker *worker, struct pending *pending,
                   const struct reply *reply);
/* In runner_patience.c. A worker waits from now on. */
void runner_expect_answer(struct runner *runner);
/* Ends the calls that the coordinator should have answered long ago. */
void runner_look_for_vain_waits(struct runner *runner, const struct runner_event *tick);
/* Ends the calls that the worker waits in, if any, since it or the campaign stops; `text` says so. */
void runner_stop_calls(struct runner *runner, struct worker *worker, const char *text);

/* In runner_scale.c. It is to end before its next step, by how many there are. */
bool runner_is_one_too_many(const struct runner *runner, const struct worker *worker);

/* In runner_growth.c. The load has got workers from this id on. */
void runner_growth_note(struct runner *runner, uint32_t load, uint32_t first_worker, uint32_t workers);
/* So many more workers are wanted; false if there can be none. */
bool runner_growth_ask(struct runner *runner, struct lane *lane, uint32_t workers);
/* An arrival has found its room in a step: asks for more rooms while there are more and more of those. */
void runner_growth_of_rooms(struct runner *runner, struct lane *lane);
/* Workers that are wanted and not here yet. */
size_t runner_growth_coming(const struct lane *lane);
/* Sends the notice that workers are wanted, unless one is to be answered yet. */
void runner_growth_tell(struct runner *runner);
/* These were dealt to us, whether we wanted them or not. */
void runner_growth_take(struct runner *runner, const struct worker_set *workers);
/* No more will come of those of this load that the coordinator was asked for. */
void runner_growth_answer(struct runner *runner, uint32_t load);

/* In runner_pace.c. The worker brings its part of the runs of all, without those that it has made. */
void runner_share_runs(struct runner *runner, const struct worker *worker);
/* Whether the worker may make one more step, by how many it and all of them may make. */
bool runner_has_runs(const struct runner *runner, const struct worker *worker);
void runner_pace_init(struct runner *runner);
void runner_pace_finish(struct runner *runner);
/* Whether its steps begin by arrivals that go to any worker that is free. */
bool runner_pace_is_of_anyone(const struct runner *runner, const struct worker *worker);
/* Whether its load is over by its own time. */
bool runner_pace_is_over(const struct runner *runner, const struct worker *worker);
/* Whether it begins its first step as soon as it is set up. */
bool runner_pace_is_immediate(const struct runner *runner, const struct worker *worker);
/* Whether something comes between two steps of a worker. */
bool runner_must_rest(const struct runner *runner);
/* It waits until its next step is to begin; at once if that is now. */
void runner_rest(struct runner *runner, struct worker *worker);
/* Its pause is over. */
void runner_pace_free(struct runner *runner, struct worker *worker);
/* It begins the step after the present one: notes when it was to. */
void runner_pace_step(struct runner *runner, struct worker *worker);
/* Whether its steps count as arrivals: of a room only those of the first seat do. */
bool runner_pace_is_arrival(const struct runner *runner, const struct worker *worker);
/* It ends: counts the arrivals that it leaves. */
void runner_pace_end(struct runner *runner, const struct worker *worker);
/* Gives the arrivals that are due to workers that are free. */
void runner_take_arrivals(struct runner *runner);
/* The time of the plan is up, by the coordinator's clock: takes what is left of it. */
void runner_take_last_arrivals(struct runner *runner);
/* It pauses, goes on, or has another rate. */
void runner_pace_change(struct runner *runner, const struct command *command);
uint64_t runner_arrival_due_ns(const struct runner *runner);
struct lane *runner_lane_of(const struct runner *runner, uint32_t worker);
/* The ordinal of its load. */
uint32_t runner_pace_load(const struct runner *runner, const struct worker *worker);
/* The instant of this clock at which the load is so far; TIMERS_NEVER for RATE_NEVER. */
uint64_t runner_pace_instant(const struct runner *runner, const struct lane *lane, uint64_t load_ns);
/* Whether the plan stands still at this instant. */
bool runner_pace_is_paused_at(const struct runner *runner, uint64_t at_ns);

/* In runner_arrivals.c. The worker begins a step that was due at this instant, if it may make one more. */
void runner_pace_give(struct runner *runner, struct worker *worker, uint64_t intended_ns);
/* The arrival that has waited longest; there is one. */
uint64_t runner_arrivals_pop_late(struct lane *lane);
/* It, or its room, has a part of the arrivals still, so that it does not leave before those have come. */
bool runner_arrivals_keep(const struct runner *runner, const struct worker *worker);
/* From an instant on arrivals are split another way, which may have been some time ago. */
void runner_arrivals_share(struct runner *runner, struct lane *lane, const struct command *command);
void runner_pace_push(struct pace_queue *queue, uint64_t item);
/* The oldest; there is one. */
uint64_t runner_pace_pop(struct pace_queue *queue);
/* Nothing keeps it from beginning a step that an arrival is given to. */
bool runner_pace_is_free(const struct worker *worker);

/* In runner_rooms.c. The next arrival of the room has come, so long after the start of its load. */
void runner_turns_come(struct runner *runner, struct lane *lane, uint32_t room, uint64_t at_ns);
/* Its latest arrival was not its. */
void runner_turns_take_back(struct runner *runner, uint32_t room);
/* The rooms of these workers are new, or back again: none of the arrivals until they begin is theirs. */
void runner_turns_renew(struct runner *runner, uint32_t first_worker, uint32_t workers);
/* With the arrivals from now on the room begins, or begins again. */
void runner_turns_start(struct runner *runner, const struct room_step *start);
/* Arrivals of its room that have come and that it has not begun. */
uint64_t runner_turns_left(const struct runner *runner, const struct worker *worker);
/* When the first of those came, since the start of the load; RATE_NEVER if there is none. */
uint64_t runner_turns_next_ns(const struct runner *runner, const struct worker *worker);
/* How many those are of all rooms whose first seat is here and has been set up. */
uint64_t runner_turns_behind(const struct runner *runner, const struct lane *lane);
/* Ends the seats that no arrival will come to any more. */
void runner_turns_end(struct runner *runner, const struct lane *lane);
void runner_turns_free(struct runner *runner);
