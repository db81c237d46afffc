/* The rooms of one campaign: what its workers have written, read, waited for and set, how far each of them
 * is, and so how every wait ends. All of DESIGN §3 happens here; who is connected, and how words travel, is
 * the business of campaign.h. */
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

/* What came of it. Filled by rooms_settle; all borrowed until the next call on the rooms. */
struct rooms_news {
    const struct reply *replies; /* each may stand for workers of many agents */
    size_t reply_count;
    struct worker_set synchronised; /* rooms whose workers' progress is needed from now on */
    struct worker_set done;         /* synchronising rooms all of whose workers have ended */
    const char *deadlock; /* NULL, or the finding in words; its waits are among `replies` if they end by it */
};

/* `start_delay_ns`: how far ahead an `at_once` barrier opens. `deadlock_delay_ns`: how long after a change of
 * a room it is searched (a little longer in a great one). */
MUST_CHECK struct rooms *rooms_new(const struct campaign_options *options, uint64_t start_delay_ns,
                                   uint64_t deadlock_delay_ns);
void rooms_free(struct rooms **rooms);

/* Counts the calls of workers of ours that are to be answered. False for one that has LIMIT_CALLS_AT_ONCE
 * already: no agent of ours sends more before it has the answers. */
MUST_CHECK bool rooms_may_ask(struct rooms *rooms, const struct operation *operation, struct error *error);
/* One operation of workers that the caller has checked to belong to whom it came from. False if it is
 * nonsense that no agent of ours sends (unknown room, a step or worker that does not fit); it has then
 * changed nothing. */
MUST_CHECK bool rooms_apply(struct rooms *rooms, uint64_t now_ns, const struct operation *operation,
                            struct error *error);
/* About how many bytes the agents will be told that nobody has been told yet. */
size_t rooms_untold_bytes(const struct rooms *rooms);
/* Ends every wait whose end has come (also by timeout or deadlock), and tells the news. Called at the end of
 * a turn and when rooms_due_ns is reached. */
void rooms_settle(struct rooms *rooms, uint64_t now_ns, struct rooms_news *news);
uint64_t rooms_due_ns(const struct rooms *rooms);

/* These workers are lost: past every step. `text` says why, for those who waited for them. Their own waits
 * are forgotten. */
void rooms_lose(struct rooms *rooms, uint64_t now_ns, const struct worker_set *workers, const char *text);
/* A lost worker goes on elsewhere: it is past the step that it may have begun, or, with
 * ON_LOSS_REPLACE_AGAIN, begins that one again; gives back the step that comes next (1 if nothing is known).
 * What it waited for is forgotten. 0 if it had ended already and does not go on. */
uint64_t rooms_restart(struct rooms *rooms, uint64_t now_ns, uint32_t worker, const char *text);

/* There are so many ids from now on; never fewer than before. New ones are of workers that have ended: each
 * has to join. */
void rooms_extend(struct rooms *rooms, uint32_t workers);
/* Whether those with ids from `first` to `end`-1 have ended, and it is known how far their rooms are. */
bool rooms_may_join(const struct rooms *rooms, uint32_t first, uint32_t end);
/* From which step on a room that synchronises has another number of workers: one that nobody has begun, as
 * far as is known and a step further. 0: it does not synchronise. */
uint64_t rooms_change_step(struct rooms *rooms, uint32_t room);
/* A worker that had ended is there again, or for the first time, and past all steps before this one. Gives
 * back the step that it begins with: a later one if it has been further. */
uint64_t rooms_join(struct rooms *rooms, uint64_t now_ns, uint32_t worker, uint64_t first_step);

/* No new step begins any more except as far as rooms_run_until says: from now on what would be `short` for
 * want of a worker that ended in order is `stopped`. */
void rooms_drain(struct rooms *rooms, uint64_t now_ns);
/* Every wait ends as `stopped`, those to come as well; variables can still be read and set. */
void rooms_stop(struct rooms *rooms, uint64_t now_ns);

/* Of an OPERATION_BEGUN that is applied later: its workers may have begun that step from now on. */
void rooms_note_begun(struct rooms *rooms, const struct operation *operation);
/* Where the workers of a lost agent go on elsewhere: the steps that have ended, as agents said, and those
 * that were passed over for a loss. */
uint64_t rooms_steps_ended(const struct rooms *rooms);
uint64_t rooms_steps_lost(const struct rooms *rooms);

bool rooms_is_synchronising(const struct rooms *rooms, uint32_t room);
/* Workers that have not ended and are not lost. */
uint32_t rooms_live_workers(const struct rooms *rooms);
bool rooms_found_deadlock(const struct rooms *rooms);
/* One short line for the live display, "4 wait for the writer of pad@12 · 1 for its readers"; empty if nobody
 * waits. At most `size` bytes. */
void rooms_describe_waits(const struct rooms *rooms, char *text, size_t size);
/* What readers saw of the edits of this campaign, of steps that are over. */
struct sightings;
struct sightings *rooms_sightings(struct rooms *rooms);
/* At the end, of all steps: the caller's from now on. */
MUST_CHECK struct sightings *rooms_take_sightings(struct rooms *rooms);
/* How far ahead an `at_once` barrier opens from now on. */
void rooms_set_start_delay(struct rooms *rooms, uint64_t start_delay_ns);
/* Fills the live_… counts and release_spread of a report. */
struct campaign_report;
void rooms_count(const struct rooms *rooms, struct campaign_report *report);

/* Ids of workers that there ever were. */
uint32_t rooms_worker_count(const struct rooms *rooms);
/* Whether all that has happened has been settled and told, as it is at the end of a turn. */
bool rooms_is_at_rest(const struct rooms *rooms);
/* Rooms at rest as bytes, and back: both answer all that follows alike. */
void rooms_pack(const struct rooms *rooms, struct buffer *into);
/* NULL, and `from` is broken, if they make no sense. */
MUST_CHECK struct rooms *rooms_unpack(struct unpack *from);
