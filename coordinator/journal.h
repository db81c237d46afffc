/* The coordinator's journal as a file in its folder: what has happened since the first of the campaigns that
 * live was created, in the kernel's hands before anybody sees an effect of it. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "coordinator/core/ledger.h"

struct journal;

/* Makes the folder where it is missing, and locks it for this process. `max_bytes`: more than that is a full
 * disk. NULL with an error. */
MUST_CHECK struct journal *journal_open(const char *folder, uint64_t max_bytes, struct error *error);
void journal_free(struct journal **journal);

enum journal_found {
    JOURNAL_NOTHING, /* no campaign was alive */
    JOURNAL_ALIVE,   /* here is the coordinator as it was; the journal goes on */
    JOURNAL_LOST,    /* there was something that cannot be gone on with; `error` says why */
};
struct journal_restored {
    struct coordinator *coordinator; /* with JOURNAL_ALIVE */
    uint64_t last_campaign;          /* as far as that can be known */
    uint64_t events;
    uint64_t bytes;
    bool was_torn;
};
/* What the process before us has left. */
enum journal_found journal_restore(struct journal *journal, uint64_t now_ns,
                                   struct journal_restored *restored, struct error *error);

/* A new file that begins with the coordinator as it is, which has no live campaign, replaces the old one. */
MUST_CHECK bool journal_begin(struct journal *journal, struct coordinator *coordinator, struct error *error);
/* Likewise, for nobody is to be gone on with: only which ids were given is kept. */
MUST_CHECK bool journal_rest(struct journal *journal, const struct coordinator_settings *settings,
                             struct error *error);
/* Whether events have to be noted. */
bool journal_is_on(const struct journal *journal);
void journal_note(struct journal *journal, const struct coordinator_event *event);
/* What was noted is given to the kernel. False, once, with an error: there is no journal any more, and what
 * it held is no longer true, so it is taken away. */
MUST_CHECK bool journal_write(struct journal *journal, struct error *error);

uint64_t journal_bytes(const struct journal *journal);
/* Since the beginning. */
uint64_t journal_written_bytes(const struct journal *journal);
uint64_t journal_write_count(const struct journal *journal);
