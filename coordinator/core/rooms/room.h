/* A group of workers that meet: how far each of them is, and what is known of the steps that are not over. */
#pragma once
#include "common/attributes.h"
#include "common/timers.h"
#include "coordinator/core/base/string_pool.h"
#include "coordinator/core/sync/meeting.h"

struct barrier;
struct map;
struct notifier;

#define ROOM_MAX_MEETINGS 100000u /* notifiers and barriers that live at once */
#define ROOM_MAX_STEP ((uint64_t)INT64_MAX)

struct seat {
    uint64_t past;        /* the last step that ended */
    uint64_t failed_step; /* the last one that failed, and how; NULL if none has */
    struct pool_string *failure;
    const struct pool_string *end; /* why its worker ended, if not in order; borrowed */
    bool is_known;                 /* whether its progress is; before, it is past nothing */
    uint64_t joined_past;          /* what it was past when its worker joined, without having done it */
    uint64_t signalled;            /* the furthest step that it has written, read or come to a barrier in */
    uint64_t begun;                /* the furthest step that it was about to begin, as far as it says that */
};

/* A worker that has gone past steps, and how far it was before. */
struct leaver {
    uint32_t seat;
    uint64_t before;
};

struct room {
    uint32_t id;
    uint32_t first; /* worker of seat 0 */
    uint32_t size;
    uint32_t live; /* workers that have not ended */
    /* Before the room synchronises there are no seats, and no steps. */
    struct seat *seats;
    uint64_t *ended;
    uint64_t changes_at;       /* the step from which on its number of workers was another one last */
    uint64_t furthest;         /* the last step that anybody has ended */
    struct step_state **steps; /* rising */
    size_t step_count;
    size_t step_capacity;
    /* Somebody went past steps among these since they were last looked at: from the first to the last. */
    bool has_passed;
    uint64_t passed_first;
    uint64_t passed_last;
    /* Who has gone past steps that have not learned of it yet: all of them up to the same one. */
    struct leaver *leavers;
    size_t leaver_count;
    size_t leaver_capacity;
    uint64_t leave_until;
    uint32_t meeting_count;
    struct meeting *first_dirty;
    struct meeting *last_dirty; /* while there is a first */
    struct quota *quota;
    bool is_dirty;         /* stands in the list of rooms that have to be settled */
    bool is_done;          /* it was told that all workers have ended */
    bool has_drained;      /* a worker ended in order while the campaign drained */
    uint32_t tally;        /* waits on this room that can be part of a deadlock */
    struct timer search;   /* when to look for one */
    struct map *variables; /* of this room; NULL before the first */
};

MUST_CHECK struct room *room_new(uint32_t id, uint32_t first, uint32_t size, struct quota *quota);
/* Frees the variables' map, but not the variables. */
void room_free(struct room **room);

/* From now on progress counts. `ended` is of the whole campaign, by worker. */
void room_synchronise(struct room *room, const uint64_t *ended);

bool room_is_past(const struct room *room, uint32_t seat, uint64_t step);
/* Whether the worker was in this step: ended it, or was lost in it. Workers that ended in order before it
 * never were. */
bool room_has_begun(const struct room *room, uint32_t seat, uint64_t step);
/* The step that ended last is at least this one. False if that was known. `failure` may be NULL. */
bool room_pass(struct room *room, uint32_t seat, uint64_t step, struct pool_string *failure);
/* The worker has ended, or goes on after all. `live` is counted by whoever calls. */
void room_end(struct room *room, uint32_t seat, const struct pool_string *end);
void room_revive(struct room *room, uint32_t seat);

enum room_find {
    ROOM_FOUND,
    ROOM_RETIRED, /* the step is over for everybody and forgotten */
    ROOM_FULL     /* of meetings, or the quota is used up */
};
/* Finds the notifier or barrier, or makes it. */
MUST_CHECK enum room_find room_notifier(struct room *room, uint64_t step, struct bytes name,
                                        struct notifier **notifier);
MUST_CHECK enum room_find room_barrier(struct room *room, uint64_t step, struct bytes name, uint32_t nth,
                                       uint32_t parties, struct barrier **barrier);
/* NULL if there is none. */
struct barrier *room_barrier_known(const struct room *room, uint64_t step, struct bytes name, uint32_t nth);
/* Something happened to it that may end waits. */
void room_mark(struct room *room, struct meeting *meeting);
/* Takes one that has to be looked at out, or gives NULL. */
struct meeting *room_take_marked(struct room *room);
/* Marks what those may end who went past a step since the last call. */
void room_mark_passed(struct room *room);
/* Calls `closing` for each step that goes. */
typedef void room_closing(void *context, const struct room *room, const struct step_state *state);
void room_retire(struct room *room, room_closing *closing, void *context);
/* Likewise, for those that are left at the end; they stay. */
void room_close(const struct room *room, room_closing *closing, void *context);
