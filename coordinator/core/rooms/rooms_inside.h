/* Internals shared by the parts of rooms; not included elsewhere. */
#pragma once
#include "common/buffer.h"
#include "common/container.h"
#include "common/histogram.h"
#include "common/map.h"
#include "common/memory.h"
#include "common/timers.h"
#include "coordinator/core/base/bitset.h"
#include "coordinator/core/base/replies.h"
#include "coordinator/core/base/string_pool.h"
#include "coordinator/core/rooms/latecomers.h"
#include "coordinator/core/rooms/room.h"
#include "coordinator/core/rooms/rooms.h"
#include "coordinator/core/rooms/sightings.h"
#include "coordinator/core/sync/barrier.h"
#include "coordinator/core/sync/notifier.h"
#include "coordinator/core/sync/variable.h"
#include "coordinator/core/sync/wait.h"
#include "proto/message/limits.h"

/* How far apart workers acted that should have acted at the same instant. */
struct release {
    uint32_t reported;
    int64_t first_ns;
    int64_t last_ns;
};

struct rooms {
    uint32_t worker_count;
    uint32_t room_size;   /* ids per room; the last one may have fewer workers */
    uint32_t start_count; /* workers that begin at the start instant */
    bool synchronises_all;
    bool repeats_steps; /* a lost worker begins its step again elsewhere */
    uint32_t room_count;
    uint64_t sync_timeout_ms;
    uint64_t start_delay_ns;
    uint64_t deadlock_delay_ns;

    struct room **items; /* by id; NULL if there is nothing to remember */
    struct room **dirty; /* to be settled, in the order in which something happened to them */
    size_t dirty_count;
    size_t dirty_capacity;
    uint64_t *ended; /* by worker */
    uint64_t *lost;  /* of those */
    uint64_t *gone;  /* by worker: lost or restarted since the last settling, so that earlier calls are not
                        answered; NULL if none */
    struct pool_string *
        *ends; /* by worker: why it ended, if not normally; NULL before the first such worker */
    uint32_t live;
    uint64_t steps_ended; /* according to the agents, if all rooms synchronise */
    uint64_t steps_lost;  /* skipped when a lost worker continued elsewhere */

    struct string_pool *texts;
    struct waits waits;
    struct variables variables;
    struct quota meeting_quota;
    struct timers *searches;      /* of deadlock searches: those of the rooms, and: */
    struct timer campaign_search; /* when every live worker waits, for anything */
    uint32_t campaign_tally;      /* waits on the campaign's variables that can be part of a deadlock */

    struct replies replies;
    uint8_t *asked;   /* by worker: calls to be answered since the last settling; NULL before any */
    uint32_t *askers; /* workers with such calls */
    size_t asker_count;
    size_t asker_capacity;
    struct worker_set synchronised;
    struct worker_set done;
    struct buffer deadlock;  /* description of the deadlock; empty if there is none to report */
    uint32_t more_deadlocks; /* found at the same time, in other rooms */
    uint64_t work;           /* of this settling: approximately the number of seats looked at */
    bool is_told;            /* the results were returned: from now on they are new ones */
    bool is_settled;         /* nothing has happened since */
    bool is_draining;
    bool is_stopping;
    bool has_drained; /* a worker ended normally while draining */
    bool has_found_deadlock;

    struct release start;
    bool is_start_known; /* all workers have reported */
    struct histogram *release_spread_us;
    struct sightings *sightings;
    struct latecomers *latecomers;
};

/* Adjusts the quota to the current number of workers. */
void rooms_set_quota(struct rooms *rooms);
/* Without workers, counts and sightings; the caller fills them in. */
MUST_CHECK struct rooms *rooms_empty(uint32_t worker_count, uint32_t room_size);

/* Must be called before any change: discards results that have been returned. */
void rooms_begin_news(struct rooms *rooms);
/* The room with this id, created if it does not exist yet. */
struct room *rooms_need_room(struct rooms *rooms, uint32_t id);
/* The same, and it synchronises from now on. */
struct room *rooms_need_seats(struct rooms *rooms, uint64_t now_ns, uint32_t id);
/* The room of the worker, or NULL if there is nothing to remember about it. */
struct room *rooms_room_of(const struct rooms *rooms, uint32_t worker);
/* Something happened in it: settle it, and search for a deadlock a while later. */
void rooms_touch(struct rooms *rooms, uint64_t now_ns, struct room *room);
bool rooms_has_ended(const struct rooms *rooms, uint32_t worker);

/* The worker has ended; `text` is empty if normally. No effect if that was known. */
void rooms_end_worker(struct rooms *rooms, uint64_t now_ns, uint32_t worker, struct pool_string *text);
/* Its earlier calls are over: it receives no answers that are in transit. */
void rooms_silence(struct rooms *rooms, uint32_t worker);
/* Forgets its wait without a reply. */
void rooms_forget_wait(struct rooms *rooms, uint32_t worker);

/* rooms_progress.c */
void rooms_apply_past(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_ended(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_begun(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_released(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
/* `context` is the rooms. The step of a room is over: adds its meetings' spreads and sightings to the
 * counts. */
void rooms_close_step(void *context, const struct room *room, const struct step_state *state);

/* rooms_meet.c */
void rooms_apply_read(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_declare(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_writing(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_written(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_wait_writer(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_wait_readers(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_barrier(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);

/* rooms_variable.c */
void rooms_apply_get(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_get_or_make(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_made(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_making_failed(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_set(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_cas(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_incr(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_wait_variable(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
/* Another waiting worker is asked to make what this worker was making. */
void rooms_unmake(struct rooms *rooms, uint32_t worker);
struct map **rooms_variables_of(struct rooms *rooms, uint32_t room);

/* rooms_begin.c: beginning waits, and answers that are given at once */
/* Fills in what every wait has. The caller adds the rest, and calls waits_begin. */
struct wait rooms_wait_like(struct rooms *rooms, const struct operation *operation, uint32_t worker,
                            uint32_t *tally);
void rooms_apply_settled(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
/* The answer to the operation, for all its workers; `text` may be NULL. */
struct reply *rooms_answer(struct rooms *rooms, const struct operation *operation, enum outcome outcome,
                           const char *text);

/* rooms_asked.c. Called when each of these calls has been answered, or is waiting. */
void rooms_forget_asked(struct rooms *rooms);

/* rooms_timeout.c */
void rooms_apply_given_up(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);

/* rooms_settle.c */
/* How much a settling may cost before the rest is left for the next one, so that other work gets its turn. */
#define ROOMS_WORK_MOST 400000u
/* A reply that identifies what the wait was for; the caller adds the workers. */
struct reply *rooms_reply_to(struct rooms *rooms, const struct wait *wait, enum outcome outcome);
/* Ends the waits at it, if it is open. */
void rooms_settle_barrier(struct rooms *rooms, uint64_t now_ns, const struct room *room,
                          struct barrier *barrier);
/* The wait ends with this reply. */
void rooms_end_wait(struct rooms *rooms, struct wait *wait, struct reply *reply);

/* room_pack.c */
void room_pack(const struct room *room, struct buffer *into);
/* Unpacks into a new room, which is already among the rooms. */
void room_unpack(struct rooms *rooms, struct room *room, struct unpack *from);
void wait_list_pack(const struct wait_list *list, struct buffer *into);
/* `like` gives the common part of the waits: their kind, if known, and their tally. */
void wait_list_unpack(struct rooms *rooms, const struct wait *like, struct wait_list *list,
                      struct unpack *from);

/* rooms_search.c */
void rooms_search(struct rooms *rooms, uint64_t now_ns);
