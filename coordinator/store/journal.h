/* The coordinator's journal as a file in its folder: a base, which is a snapshot of the coordinator, and the
 * events since, passed to the kernel before anybody sees an effect of them. While campaigns run, new bases
 * replace it again and again, so that little has to be replayed. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "coordinator/core/journal/event_log.h"

struct journal;

/* The clocks of this machine. */
struct journal_time {
    uint64_t machine_ns; /* common/clock.h */
    uint64_t wall_ns;
};

/* Opens the folder, creating it if it is missing, and locks it for this process. `max_bytes`: a journal
 * beyond this size is treated like a full disk, unless a new base helps. `bundles` is copied; NULL: there are
 * none. `warning` is as of state_folder_open. NULL with an error. */
MUST_CHECK struct journal *journal_open(const char *folder, uint64_t max_bytes,
                                        const struct bundle_source *bundles, struct error *warning,
                                        struct error *error);
void journal_free(struct journal **journal);

enum journal_found {
    JOURNAL_NOTHING, /* no campaign was alive */
    JOURNAL_ALIVE,   /* the coordinator was restored; the journal is continued */
    JOURNAL_LOST,    /* there was a journal that cannot be continued; `error` says why */
};
struct journal_restored {
    struct coordinator *coordinator; /* set for JOURNAL_ALIVE */
    uint64_t last_campaign;          /* as far as that can be determined */
    uint64_t events;
    uint64_t bytes;
    uint64_t cut_bytes;       /* bytes after the last complete block, cut off */
    bool is_of_other_machine; /* or the machine was rebooted meanwhile */
};
/* Restores what the previous process has left. */
enum journal_found journal_restore(struct journal *journal, const struct journal_time *time,
                                   struct journal_restored *restored, struct error *error);
/* The offset from the clock of this machine to the coordinator's time, which continues where it was. May wrap
 * around. */
uint64_t journal_offset_ns(const struct journal *journal);

/* Replaces the journal by a new file that begins with the current state of the coordinator, which must be at
 * rest. */
MUST_CHECK bool journal_begin(struct journal *journal, const struct coordinator *coordinator,
                              const struct journal_time *time, struct error *error);
/* The same if no campaign is alive: only the ids that were used are kept. */
MUST_CHECK bool journal_rest(struct journal *journal, const struct coordinator_settings *settings,
                             const struct journal_time *time, struct error *error);
/* Whether events have to be recorded. */
bool journal_is_on(const struct journal *journal);
void journal_note(struct journal *journal, const struct coordinator_event *event);
/* Passes recorded events to the kernel. False, once, with an error: there is no journal any more, and its
 * content is no longer true, so it is removed. */
MUST_CHECK bool journal_write(struct journal *journal, struct error *error);

enum journal_renewal {
    JOURNAL_AS_IT_WAS,
    JOURNAL_RENEWED,     /* a new base has replaced the journal */
    JOURNAL_NOT_RENEWED, /* that failed, with an error; the journal is continued unchanged */
    JOURNAL_FAILED,      /* it would be too large in any case, with an error; the journal was removed */
};
/* Call it when everything that a step requested has been done: starts a new base if one is due and the
 * coordinator is at rest, which is written in the background, and replaces the journal by one that is
 * ready. */
enum journal_renewal journal_renew(struct journal *journal, const struct coordinator *coordinator,
                                   const struct journal_time *time, struct error *error);

uint64_t journal_bytes(const struct journal *journal);
/* Since the journal was opened. */
uint64_t journal_written_bytes(const struct journal *journal);
uint64_t journal_write_count(const struct journal *journal);
uint64_t journal_base_count(const struct journal *journal);
