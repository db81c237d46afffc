/* The rooms of one campaign: what its workers have written, read, waited for and set, the progress of each of
 * them, and so how every wait ends. All of DESIGN §3 happens here; connections and transport are the business
 * of campaign.h. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "common/pack.h"
#include "proto/message/campaign.h"
#include "proto/message/message.h"
#include "proto/message/operation.h"

#include <stdbool.h>
#include <stdint.h>

struct rooms;

/* The results. Filled by rooms_settle; all borrowed until the next call on the rooms. */
struct rooms_news {
    const struct reply *replies; /* each may be for workers of several agents */
    size_t reply_count;
    struct worker_set synchronised; /* rooms whose workers must report their progress from now on */
    struct worker_set done;         /* synchronising rooms all of whose workers have ended */
    const char *deadlock; /* NULL, or a description of the deadlock; its waits are among `replies` if they are
                             ended */
};

/* `start_delay_ns`: how far ahead an `at_once` barrier opens. `deadlock_delay_ns`: how long after a change a
 * room is searched (slightly longer for a large one). */
MUST_CHECK struct rooms *rooms_new(const struct campaign_options *options, uint64_t start_delay_ns,
                                   uint64_t deadlock_delay_ns);
void rooms_free(struct rooms **rooms);

/* Counts the calls that are to be answered. False for a worker that already has LIMIT_CALLS_AT_ONCE: our
 * agents send no more before they have the answers. */
MUST_CHECK bool rooms_may_ask(struct rooms *rooms, const struct operation *operation, struct error *error);
/* Applies one operation; the caller has checked that its workers belong to the sender. False if it is
 * nonsense that our agents never send (unknown room, a step or worker out of range); then nothing has
 * changed. */
MUST_CHECK bool rooms_apply(struct rooms *rooms, uint64_t now_ns, const struct operation *operation,
                            struct error *error);
/* Approximately how many bytes of results have not been sent yet. */
size_t rooms_untold_bytes(const struct rooms *rooms);
/* Ends every wait that is due to end (also by timeout or deadlock), and returns the results. Called at the
 * end of a turn and when rooms_due_ns is reached. */
void rooms_settle(struct rooms *rooms, uint64_t now_ns, struct rooms_news *news);
uint64_t rooms_due_ns(const struct rooms *rooms);

/* These workers are lost: past every step. `text` is the reason, for those that waited for them. Their own
 * waits are forgotten. */
void rooms_lose(struct rooms *rooms, uint64_t now_ns, const struct worker_set *workers, const char *text);
/* A lost worker continues elsewhere: it is past the step that it may have begun, or, with
 * ON_LOSS_REPLACE_AGAIN, begins it again; returns the next step (1 if nothing is known). Its own wait is
 * forgotten. 0 if it had already ended and does not continue. */
uint64_t rooms_restart(struct rooms *rooms, uint64_t now_ns, uint32_t worker, const char *text);

/* The number of ids from now on; never fewer than before. New ids count as ended workers: each has to
 * join. */
void rooms_extend(struct rooms *rooms, uint32_t workers);
/* Whether those with ids from `first` to `end`-1 have ended, and the progress of their rooms is known. */
bool rooms_may_join(const struct rooms *rooms, uint32_t first, uint32_t end);
/* The step from which the number of workers of a synchronising room changes: one that no worker has begun, as
 * far as is known, plus one. 0: it does not synchronise. */
uint64_t rooms_change_step(struct rooms *rooms, uint32_t room);
/* A worker that had ended joins again, or joins for the first time, past all steps before this one. Returns
 * the step that it begins with: a later one if it has been further. */
uint64_t rooms_join(struct rooms *rooms, uint64_t now_ns, uint32_t worker, uint64_t first_step);

/* No new step begins any more, up to the last step set for each room: from now on a wait that would be
 * `short` because a worker ended normally is `stopped`. */
void rooms_drain(struct rooms *rooms, uint64_t now_ns);
/* Every wait ends as `stopped`, including future ones; variables can still be read and set. */
void rooms_stop(struct rooms *rooms, uint64_t now_ns);

/* For an OPERATION_BEGUN that is applied later: its workers may have begun that step from now on. */
void rooms_note_begun(struct rooms *rooms, const struct operation *operation);
/* If workers of a lost agent continue elsewhere: the steps that have ended, according to the agents, and
 * those that were skipped because of a loss. */
uint64_t rooms_steps_ended(const struct rooms *rooms);
uint64_t rooms_steps_lost(const struct rooms *rooms);

bool rooms_is_synchronising(const struct rooms *rooms, uint32_t room);
/* Workers that have not ended and are not lost. */
uint32_t rooms_live_workers(const struct rooms *rooms);
bool rooms_found_deadlock(const struct rooms *rooms);
struct campaign_report;
/* One short line for the live display, "4 wait for the writer of pad@12 · 1 for its readers"; empty if no
 * worker waits. At most `size` bytes. The crowds of the report, at the instant at which it is made, are the
 * same; their names are borrowed until the next event. */
void rooms_describe_waits(const struct rooms *rooms, struct campaign_report *report, char *text, size_t size);
/* What readers saw of the edits of this campaign, for steps that are over. */
struct sightings;
struct sightings *rooms_sightings(struct rooms *rooms);
/* At the end, for all steps: owned by the caller from now on. */
MUST_CHECK struct sightings *rooms_take_sightings(struct rooms *rooms);
/* Who came last to the barriers and notifiers of this campaign. */
struct latecomers;
struct latecomers *rooms_latecomers(struct rooms *rooms);
/* At the end: owned by the caller from now on. */
MUST_CHECK struct latecomers *rooms_take_latecomers(struct rooms *rooms);
/* How far ahead an `at_once` barrier opens from now on. */
void rooms_set_start_delay(struct rooms *rooms, uint64_t start_delay_ns);
/* Fills the live_… counts and release_spread_us of a report. */
void rooms_count(const struct rooms *rooms, struct campaign_report *report);

/* The number of worker ids so far. */
uint32_t rooms_worker_count(const struct rooms *rooms);
/* Whether everything that has happened has been settled and returned, as it is at the end of a turn. */
bool rooms_is_at_rest(const struct rooms *rooms);
/* Rooms at rest as bytes, and back: the copy behaves identically from then on. */
void rooms_pack(const struct rooms *rooms, struct buffer *into);
/* NULL, and `from` is broken, if they make no sense. */
MUST_CHECK struct rooms *rooms_unpack(struct unpack *from);
