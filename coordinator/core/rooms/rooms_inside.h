/* What the parts of rooms share; nobody else includes this. */
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
#include "coordinator/core/rooms/room.h"
#include "coordinator/core/rooms/rooms.h"
#include "coordinator/core/rooms/sightings.h"
#include "coordinator/core/sync/barrier.h"
#include "coordinator/core/sync/notifier.h"
#include "coordinator/core/sync/variable.h"
#include "coordinator/core/sync/wait.h"
#include "proto/message/limits.h"

/* How far apart workers acted that were to act at one instant. */
struct release {
    uint32_t reported;
    int64_t first_ns;
    int64_t last_ns;
};

struct rooms {
    uint32_t worker_count;
    uint32_t room_size;   /* ids of a room; the last one may have fewer workers */
    uint32_t start_count; /* workers that begin at the start instant */
    bool synchronises_all;
    bool repeats_steps; /* a lost worker begins its step again elsewhere */
    uint32_t room_count;
    uint64_t sync_timeout_ms;
    uint64_t start_delay_ns;
    uint64_t deadlock_delay_ns;

    struct room **items; /* by id; NULL as long as there is nothing to remember */
    struct room **dirty; /* to be settled, in the order in which something happened to them */
    size_t dirty_count;
    size_t dirty_capacity;
    uint64_t *ended; /* by worker */
    uint64_t *lost;  /* of those */
    uint64_t *gone;  /* by worker: lost or restarted since the last settling, so that nobody hears an answer
                        to what it asked before; NULL if none */
    struct pool_string **ends; /* by worker: why it ended, if not in order; NULL before the first such */
    uint32_t live;
    uint64_t steps_ended; /* as agents say, where all rooms synchronise */
    uint64_t steps_lost;  /* that were passed over when a lost worker went on elsewhere */

    struct string_pool *texts;
    struct waits waits;
    struct variables variables;
    struct quota meeting_quota;
    struct timers *searches;      /* for deadlocks: of rooms, and: */
    struct timer campaign_search; /* when every live worker waits, for whatever */
    uint32_t campaign_tally;      /* waits on the campaign's variables that can be part of a deadlock */

    struct replies replies;
    uint8_t *asked;   /* by worker: calls that are to be answered, since the last settling; NULL before any */
    uint32_t *askers; /* those who have asked */
    size_t asker_count;
    size_t asker_capacity;
    struct worker_set synchronised;
    struct worker_set done;
    struct buffer deadlock;  /* the finding; empty if there is none to tell */
    uint32_t more_deadlocks; /* found together with it, in other rooms */
    uint64_t work;           /* of this settling, about: seats that were looked at */
    bool is_told;            /* the news was given out: what comes now is new */
    bool is_settled;         /* nothing has happened since */
    bool is_draining;
    bool is_stopping;
    bool has_drained; /* a worker ended in order while draining */
    bool has_found_deadlock;

    struct release start;
    bool is_start_known; /* all have reported */
    struct histogram *release_spread_us;
    struct sightings *sightings;
};

/* For as many workers as there are now. */
void rooms_set_quota(struct rooms *rooms);
/* Without workers, counts and sightings; the caller fills them in. */
MUST_CHECK struct rooms *rooms_empty(uint32_t worker_count, uint32_t room_size);

/* Whoever changes something calls it first: what was told is forgotten. */
void rooms_begin_news(struct rooms *rooms);
/* The room with this id, made if there is none yet. */
struct room *rooms_need_room(struct rooms *rooms, uint32_t id);
/* Likewise, and it synchronises from now on. */
struct room *rooms_need_seats(struct rooms *rooms, uint64_t now_ns, uint32_t id);
/* That the worker belongs to, or NULL if there is nothing to remember of it. */
struct room *rooms_room_of(const struct rooms *rooms, uint32_t worker);
/* Something happened in it: settle it, and look for a deadlock a while later. */
void rooms_touch(struct rooms *rooms, uint64_t now_ns, struct room *room);
bool rooms_has_ended(const struct rooms *rooms, uint32_t worker);

/* The worker has ended; `text` is empty if in order. Nothing if that was known. */
void rooms_end_worker(struct rooms *rooms, uint64_t now_ns, uint32_t worker, struct pool_string *text);
/* Whatever it was is over: it does not hear answers any more that are on their way. */
void rooms_silence(struct rooms *rooms, uint32_t worker);
/* It does not wait any more, and nobody has to be told. */
void rooms_forget_wait(struct rooms *rooms, uint32_t worker);

/* rooms_progress.c */
void rooms_apply_past(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_ended(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_begun(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
void rooms_apply_released(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
/* `context` is the rooms. The step of a room is over: what its meetings know of spreads and sightings is
 * counted. */
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
/* What the worker was making falls to whoever waits next for it. */
void rooms_unmake(struct rooms *rooms, uint32_t worker);
struct map **rooms_variables_of(struct rooms *rooms, uint32_t room);

/* rooms_begin.c: the beginnings of waits, and answers that come at once */
/* Fills in what every wait has. The caller has the rest, and waits_begin. */
struct wait rooms_wait_like(struct rooms *rooms, const struct operation *operation, uint32_t worker,
                            uint32_t *tally);
/* The answer to the operation, for all its workers; `text` may be NULL. */
struct reply *rooms_answer(struct rooms *rooms, const struct operation *operation, enum outcome outcome,
                           const char *text);

/* rooms_asked.c. Whoever has asked has had its answers, or waits. */
void rooms_forget_asked(struct rooms *rooms);

/* rooms_settle.c */
/* What a settling may cost before the rest waits for the next one, so that others have their turn. */
#define ROOMS_WORK_MOST 400000u
/* A reply that says what the wait was for; the caller adds the workers. */
struct reply *rooms_reply_to(struct rooms *rooms, const struct wait *wait, enum outcome outcome);
/* The wait ends by this reply. */
void rooms_end_wait(struct rooms *rooms, struct wait *wait, struct reply *reply);

/* room_pack.c */
void room_pack(const struct room *room, struct buffer *into);
/* Into a new one, that stands among the rooms already. */
void room_unpack(struct rooms *rooms, struct room *room, struct unpack *from);
void wait_list_pack(const struct wait_list *list, struct buffer *into);
/* `like` says what they wait for: of which kind, where that is known, and with which tally. */
void wait_list_unpack(struct rooms *rooms, const struct wait *like, struct wait_list *list,
                      struct unpack *from);

/* rooms_search.c */
void rooms_search(struct rooms *rooms, uint64_t now_ns);
