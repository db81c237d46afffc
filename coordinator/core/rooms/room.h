/* A group of workers that meet: the progress of each of them, and what is known of the steps that are not
 * over. */
#pragma once
#include "common/attributes.h"
#include "common/timers.h"
#include "coordinator/core/base/string_pool.h"
#include "coordinator/core/sync/meeting.h"

struct barrier;
struct map;
struct notifier;

#define ROOM_MAX_MEETINGS 100000u /* notifiers and barriers that exist at the same time */
#define ROOM_MAX_STEP ((uint64_t)INT64_MAX)

struct seat {
    uint64_t past;        /* the last step that ended */
    uint64_t failed_step; /* the last step that failed, and how; NULL if none has */
    struct pool_string *failure;
    uint64_t lost_step; /* the last step that was passed over because its agent was lost; 0 if none was */
    const struct pool_string *end; /* why its worker ended, if not normally; borrowed */
    bool is_known;                 /* whether its progress is known; before, it is past no step */
    uint64_t joined_past;          /* the step it was past when its worker joined, without having run it */
    uint64_t signalled; /* the furthest step in which it has written, read or arrived at a barrier */
    uint64_t begun;     /* the furthest step that it was about to begin, according to its reports */
};

/* A worker that has gone past steps, and its previous progress. */
struct leaver {
    uint32_t seat;
    uint64_t before;
};

struct room {
    uint32_t id;
    uint32_t first; /* worker in seat 0 */
    uint32_t size;
    uint32_t live; /* workers that have not ended */
    /* Before the room synchronises there are neither seats nor steps. */
    struct seat *seats;
    uint64_t *ended;
    uint64_t changes_at;       /* the step from which its number of workers last changed */
    uint64_t furthest;         /* the last step that any worker has ended */
    struct step_state **steps; /* in ascending order */
    size_t step_count;
    size_t step_capacity;
    /* Workers went past some of these steps since they were last checked: from the first to the last. */
    bool has_passed;
    uint64_t passed_first;
    uint64_t passed_last;
    /* Workers that have gone past steps which do not know of it yet: all of them up to the same step. */
    struct leaver *leavers;
    size_t leaver_count;
    size_t leaver_capacity;
    uint64_t leave_until;
    uint32_t meeting_count;
    struct meeting *first_dirty;
    struct meeting *last_dirty; /* valid while there is a first */
    struct quota *quota;
    uint64_t settling;     /* the number of the next one, from 1; not kept when it is packed */
    bool is_dirty;         /* is in the list of rooms to be settled */
    bool is_done;          /* it was reported that all workers have ended */
    bool has_drained;      /* a worker ended normally while the campaign drained */
    uint32_t tally;        /* waits in this room that can be part of a deadlock */
    struct timer search;   /* when to search for one */
    struct map *variables; /* of this room; NULL before the first */
};

MUST_CHECK struct room *room_new(uint32_t id, uint32_t first, uint32_t size, struct quota *quota);
/* Frees the variables' map, but not the variables. */
void room_free(struct room **room);

/* From now on progress counts. `ended` is indexed by worker of the whole campaign. */
void room_synchronise(struct room *room, const uint64_t *ended);

bool room_is_past(const struct room *room, uint32_t seat, uint64_t step);
/* Whether the worker was in this step: it ended the step, or was lost in it. Workers that ended normally
 * before it never were. */
bool room_has_begun(const struct room *room, uint32_t seat, uint64_t step);
/* The worker has ended at least this step. False if that was known. `failure` may be NULL. */
bool room_pass(struct room *room, uint32_t seat, uint64_t step, struct pool_string *failure);
/* The worker has ended, or continues after all. The caller counts `live`. */
void room_end(struct room *room, uint32_t seat, const struct pool_string *end);
void room_revive(struct room *room, uint32_t seat);

enum room_find {
    ROOM_FOUND,
    ROOM_RETIRED, /* the step is over for all workers and forgotten */
    ROOM_FULL     /* too many meetings, or the quota is used up */
};
/* Finds the notifier or barrier, or creates it. */
MUST_CHECK enum room_find room_notifier(struct room *room, uint64_t step, struct bytes name,
                                        struct notifier **notifier);
MUST_CHECK enum room_find room_barrier(struct room *room, uint64_t step, struct bytes name, uint32_t nth,
                                       uint32_t parties, struct barrier **barrier);
/* NULL if it does not exist. */
struct barrier *room_barrier_known(const struct room *room, uint64_t step, struct bytes name, uint32_t nth);
/* Something happened to it that may end waits. */
void room_mark(struct room *room, struct meeting *meeting);
/* Removes and returns one that has to be checked, or returns NULL. */
struct meeting *room_take_marked(struct room *room);
/* Marks the meetings whose waits may end because workers went past a step since the last call. */
void room_mark_passed(struct room *room);
/* Calls `closing` for each step that is forgotten. */
typedef void room_closing(void *context, const struct room *room, const struct step_state *state);
void room_retire(struct room *room, room_closing *closing, void *context);
/* The same for the steps that are left at the end; they are kept. */
void room_close(const struct room *room, room_closing *closing, void *context);
