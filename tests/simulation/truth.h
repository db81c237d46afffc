/* What has really happened in a simulated campaign, recorded by those who act: the reference for what the
 * cores report. Knows nothing of messages. */
#pragma once
#include "tests/simulation/plan.h"

#define TRUTH_STEPS 640u
#define TRUTH_ROOMS PLAN_ROOMS
#define TRUTH_ARRIVALS 2u /* calls of one barrier in one step */
#define TRUTH_VALUES 512u /* of one variable */
#define TRUTH_NOBODY UINT32_MAX

struct truth_worker {
    uint64_t owner; /* the incarnation of the agent that it was assigned to; 0: none */
    uint64_t left;  /* the one that it was scaled away from before it came back */
    bool is_moving; /* lost, continues elsewhere */
    bool is_coming; /* it joins, and has not been told yet from which step */
    bool is_over;   /* past every step: ended, or lost permanently */
    bool is_lost;
    bool is_in_step;
    bool has_synchronised; /* has used a notifier or barrier itself */
    uint64_t begun_step;
    uint64_t acted_step; /* that it acted in last, */
    uint64_t acted_for;  /* and the agent that it did that on */
    uint32_t losses;     /* for its agents */
    uint8_t begun[TRUTH_STEPS];
    uint64_t ended_step;
    uint64_t over_ns;
    uint64_t came_ns; /* 0: it existed from the beginning */
    uint32_t steps_ok;
    uint32_t steps_failed;
    uint32_t steps_stopped;
};

struct truth_notifier {
    uint32_t readers; /* bits of workers */
    uint32_t
        forgotten;     /* those that read before nobody was left in the room; the coordinator may know them */
    uint32_t writers;  /* workers that have called written(), whether it won or not */
    uint32_t declared; /* confirmed number of readers; 0: none was declared */
    uint32_t named;    /* the lowest declared number; 0: none */
    bool is_mixed;     /* different numbers were declared */
    uint32_t payload;  /* 1 + the worker whose payload has been seen; 0: none */
    uint64_t written_ns; /* when written() was first called; 0: never */
    uint32_t winner;     /* 1 + the worker that was told that it was first; 0: none */
};

struct truth_barrier {
    uint32_t named; /* 1 + the declared parties; 0: nobody has arrived */
    bool is_mixed;  /* different numbers were declared */
    uint32_t arrived;
    uint32_t ranks; /* ranks that were assigned */
    uint32_t left;  /* arrivals that are forgotten: their workers run the step again, or have left */
    bool may_go;    /* who is present may go on when the wait of one of them times out */
};

struct truth_variable {
    uint32_t attempts; /* about to change it */
    uint32_t confirmed;
    uint32_t maker; /* the worker that runs the factory now; TRUTH_NOBODY */
    bool is_made;   /* a success was confirmed */
    int64_t made;
    uint32_t setters; /* bits of workers */
    bool was_deleted;
    int64_t highest;
    uint64_t seen[TRUTH_VALUES / 64]; /* sums that were returned; expected values that a cas replaced */
};

enum variable_role { VARIABLE_SUM, VARIABLE_CHAIN, VARIABLE_MADE, VARIABLE_FLAG, VARIABLE_ROLES };

struct truth {
    uint32_t workers;
    uint32_t room_size;
    uint32_t rooms;
    struct truth_worker worker[PLAN_WORKERS];
    uint32_t synchronising; /* bits of rooms that have used a notifier or barrier */
    struct truth_notifier notifier[TRUTH_ROOMS][PLAN_NAMES][TRUTH_STEPS];
    struct truth_barrier barrier[TRUTH_ROOMS][PLAN_NAMES][TRUTH_STEPS][TRUTH_ARRIVALS];
    struct truth_variable variable[TRUTH_ROOMS + 1][VARIABLE_ROLES]; /* the last row is the campaign's */
    uint64_t used_steps;                                             /* how far the tables were touched */
};

void truth_init(struct truth *truth, const struct plan *plan);
uint32_t truth_room(const struct truth *truth, uint32_t worker);
/* Bits of the workers of a room. */
uint32_t truth_room_mask(const struct truth *truth, uint32_t room);
bool truth_is_past(const struct truth *truth, uint32_t worker, uint64_t step);
/* Bits of the workers of the room of `worker`, without itself, that are not past `step`. */
uint32_t truth_others_within(const struct truth *truth, uint32_t worker, uint64_t step);
struct truth_notifier *truth_notifier(struct truth *truth, uint32_t worker, uint8_t name, uint64_t step);
struct truth_barrier *truth_barrier(struct truth *truth, uint32_t worker, uint8_t name, uint64_t step,
                                    uint32_t nth);
struct truth_variable *truth_variable(struct truth *truth, uint32_t worker, enum variable_role role,
                                      bool is_campaign);
/* False if it already had the mark. */
bool truth_mark(struct truth_variable *variable, int64_t value);
/* With its last worker a room forgets what was in its steps. */
void truth_forget_empty_rooms(struct truth *truth);
/* It joins, for the first time or again. */
void truth_come(struct truth *truth, uint32_t worker);
/* The worker continues with `step` somewhere else: what it did from there on has been forgotten with its
 * agent. */
void truth_restart(struct truth *truth, uint32_t worker, uint64_t step);
