/* The coordinator's journal as a file in its folder: a base, which is the coordinator as it was, and what has
 * happened since, in the kernel's hands before anybody sees an effect of it. While campaigns run a new base
 * takes its place again and again, so that little has to be replayed. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "coordinator/core/journal/event_log.h"

struct journal;

/* What the clocks of this machine say. */
struct journal_time {
    uint64_t machine_ns; /* common/clock.h */
    uint64_t wall_ns;
};

/* Makes the folder where it is missing, and locks it for this process. `max_bytes`: more than that is a full
 * disk, if a new base does not help. `bundles` is copied; NULL: none is kept.
 * `warning` is as of state_folder_open. NULL with an error. */
MUST_CHECK struct journal *journal_open(const char *folder, uint64_t max_bytes,
                                        const struct bundle_source *bundles, struct error *warning,
                                        struct error *error);
void journal_free(struct journal **journal);

enum journal_found {
    JOURNAL_NOTHING, /* no campaign was alive */
    JOURNAL_ALIVE,   /* here is the coordinator as it was; the journal goes on */
    JOURNAL_LOST,    /* there was something that cannot be gone on from; `error` says why */
};
struct journal_restored {
    struct coordinator *coordinator; /* with JOURNAL_ALIVE */
    uint64_t last_campaign;          /* as far as that can be known */
    uint64_t events;
    uint64_t bytes;
    uint64_t cut_bytes;       /* after the last whole block, cut off */
    bool is_of_other_machine; /* or the machine was started again meanwhile */
};
/* What the process before us has left. */
enum journal_found journal_restore(struct journal *journal, const struct journal_time *time,
                                   struct journal_restored *restored, struct error *error);
/* To be added to the clock of this machine: the coordinator's time, which goes on where it was. May wrap
 * around. */
uint64_t journal_offset_ns(const struct journal *journal);

/* A new file that begins with the coordinator as it is, which is at rest, replaces the old one. */
MUST_CHECK bool journal_begin(struct journal *journal, const struct coordinator *coordinator,
                              const struct journal_time *time, struct error *error);
/* Likewise, for no campaign is alive: only which ids were given is kept. */
MUST_CHECK bool journal_rest(struct journal *journal, const struct coordinator_settings *settings,
                             const struct journal_time *time, struct error *error);
/* Whether events have to be noted. */
bool journal_is_on(const struct journal *journal);
void journal_note(struct journal *journal, const struct coordinator_event *event);
/* What was noted is given to the kernel. False, once, with an error: there is no journal any more, and what
 * it held is no longer true, so it is taken away. */
MUST_CHECK bool journal_write(struct journal *journal, struct error *error);

enum journal_renewal {
    JOURNAL_AS_IT_WAS,
    JOURNAL_RENEWED,     /* a new base has taken its place */
    JOURNAL_NOT_RENEWED, /* that failed, with an error; the journal goes on as it was */
    JOURNAL_FAILED,      /* it would be too large for ever, with an error; it was taken away */
};
/* When all that a step has asked for has been done: begins a new base where one is due and the coordinator is
 * at rest, which is written beside, and puts one that is ready in the journal's place. */
enum journal_renewal journal_renew(struct journal *journal, const struct coordinator *coordinator,
                                   const struct journal_time *time, struct error *error);

uint64_t journal_bytes(const struct journal *journal);
/* Since the beginning. */
uint64_t journal_written_bytes(const struct journal *journal);
uint64_t journal_write_count(const struct journal *journal);
uint64_t journal_base_count(const struct journal *journal);
