/* The inside of the journal, for the files that it is made of. */
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
    int file;   /* -1: no events are noted */
    char machine[JOURNAL_MACHINE_BYTES];
    uint64_t offset_ns;
    struct bundle_source bundles;
    struct event_log_writer writer;
    uint64_t max_bytes;
    uint64_t bytes;
    uint64_t base_bytes; /* of those */
    uint64_t base_ns;    /* when the base was made, by the clock of this machine */
    uint64_t packing_ns; /* that it took */
    uint64_t retry_ns;   /* no new one before; 0: one may be */
    struct base_writer *base;
    bool is_base_unwanted; /* the journal that it was for is gone */
    struct buffer tail;    /* blocks that follow the base that is being written */
    uint64_t written_bytes;
    uint64_t writes;
    uint64_t bases;
    bool is_stale; /* what stands in the folder is not true, and could not be taken away */
};

/* What the journal begins with, in `into`. */
void journal_make_base(const struct journal *journal, const struct coordinator *coordinator,
                       const struct journal_time *time, struct buffer *into);
/* Takes the file, which holds so many bytes, for the journal from now on. */
void journal_use(struct journal *journal, int file, uint64_t bytes);
void journal_close_file(struct journal *journal);
/* What the journal holds leads to a state that is no longer ours: nobody may go on from there. */
void journal_take_away(struct journal *journal);
/* Whether the base fits, at all. */
MUST_CHECK bool journal_has_room(const struct journal *journal, uint64_t bytes, struct error *error);
