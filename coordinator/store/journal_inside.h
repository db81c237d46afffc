/* Internals of the journal, for its source files. */
#pragma once
#include "coordinator/store/base_writer.h"
#include "coordinator/store/journal.h"

#define JOURNAL_FILE "journal"
#define JOURNAL_NEW_FILE "journal.new"
#define JOURNAL_BASE_FILE "journal.base"
#define JOURNAL_MACHINE_BYTES 160

struct journal {
    char *folder_name;
    int folder; /* descriptor, and the lock on it */
    int file;   /* -1: events are not recorded */
    char machine[JOURNAL_MACHINE_BYTES];
    uint64_t offset_ns;
    struct bundle_source bundles;
    struct event_log_writer writer;
    uint64_t max_bytes;
    uint64_t bytes;
    uint64_t base_bytes; /* of those bytes */
    uint64_t base_ns;    /* when the base was created, by the clock of this machine */
    uint64_t packing_ns; /* how long that took */
    uint64_t retry_ns;   /* no new base before; 0: at any time */
    struct base_writer *base;
    bool is_base_unwanted; /* the journal that it was for is gone */
    struct buffer tail;    /* blocks that follow the base that is being written */
    uint64_t written_bytes;
    uint64_t writes;
    uint64_t bases;
    bool is_stale; /* what the folder contains is not true, and could not be removed */
};

/* Writes the beginning of a journal to `into`. */
void journal_make_base(const struct journal *journal, const struct coordinator *coordinator,
                       const struct journal_time *time, struct buffer *into);
/* Makes the file, which holds `size` bytes, the journal from now on. Takes ownership. */
void journal_use(struct journal *journal, int file, uint64_t bytes);
void journal_close_file(struct journal *journal);
/* The journal leads to a state that is no longer ours: no process may continue from it. */
void journal_take_away(struct journal *journal);
/* Whether the base fits at all. */
MUST_CHECK bool journal_has_room(const struct journal *journal, uint64_t bytes, struct error *error);
