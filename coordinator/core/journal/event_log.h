/* The coordinator's journal as a run of bytes: a head with the state that it begins with, and blocks of the
 * events that followed, each block sealed by its sums. Pure: knows no files. */
#pragma once
#include "common/error.h"
#include "coordinator/core/base/event_codec.h"
#include "coordinator/core/coordinator.h"

/* One more whenever the bytes mean something else, or the same events lead somewhere else: what an older
 * build has written is then refused in so many words. */
#define EVENT_LOG_FORMAT 3u

/* Which time it was on which clock when the base was made: so the coordinator's time goes on where another
 * process, or another machine, reads it again. */
struct event_log_clock {
    uint64_t now_ns;      /* the coordinator's time, that of the events */
    uint64_t machine_ns;  /* of the clock of this machine */
    uint64_t wall_ns;     /* of the calendar */
    struct bytes machine; /* tells apart clocks that do not go on from each other */
};

struct event_log_head {
    struct bytes build; /* that has written it, for messages */
    struct event_log_clock clock;
    uint64_t
        lineage; /* drawn once; stays from base to base, so that blocks of other journals are told apart */
    uint64_t blocks; /* number of the first block that follows */
    struct bytes base;
};

/* Fills one block after the other. */
struct event_log_writer {
    struct buffer block; /* events that wait, after room for the block's own head */
    uint64_t before_ns;
    uint64_t lineage;
    uint64_t blocks; /* number of the next one */
};
void event_log_writer_init(struct event_log_writer *writer);
void event_log_writer_finish(struct event_log_writer *writer);

/* Begins a journal in `into`, which is empty: all of `head` but lineage and blocks, which are the writer's,
 * and the base, which the caller appends. Nothing may wait: blocks that are sealed from now on follow. */
void event_log_begin_base(const struct event_log_writer *writer, const struct event_log_head *head,
                          struct buffer *into);
/* The base has been appended: `into` is a journal without events. Touches nothing else, so that it may be
 * done on another thread. False if it is too large. */
MUST_CHECK bool event_log_seal_base(struct buffer *into);
void event_log_note(struct event_log_writer *writer, const struct coordinator_event *event);
bool event_log_is_waiting(const struct event_log_writer *writer);
/* Makes a block of the events that wait: what has to be written now, before any of their effects is seen.
 * Borrowed until the next call; empty if nothing waits. */
struct bytes event_log_seal(struct event_log_writer *writer);

enum event_log_state {
    EVENT_LOG_EVENT,  /* here is the next one */
    EVENT_LOG_WHOLE,  /* that was all */
    EVENT_LOG_TORN,   /* what follows is no block of this journal, and nothing shows that one was ever there:
                      torn   off, or something foreign */
    EVENT_LOG_CORRUPT /* a block is missing or broken, and a later one shows that its effects may have been
                       * seen
                       */
};

struct event_log_reader {
    struct unpack left; /* of the block */
    struct bytes bytes;
    size_t head_bytes; /* with the base */
    size_t good_bytes; /* up to the end of the last block that is whole */
    uint64_t before_ns;
    uint64_t lineage;
    uint64_t blocks;
    struct decoded_event record;         /* the event that was read last */
    const struct bundle_source *bundles; /* for event_log_replay, set by the caller; NULL: none is there */
};
/* Reads the head, which then borrows from `bytes`. False with an error if this build cannot go on from there.
 * To be finished either way. */
MUST_CHECK bool event_log_open(struct event_log_reader *reader, struct bytes bytes,
                               struct event_log_head *head, struct error *error);
MUST_CHECK enum event_log_state event_log_next(struct event_log_reader *reader);
void event_log_reader_finish(struct event_log_reader *reader);

/* The coordinator as it was after the last event, and at what time that was. NULL with an error that says
 * why it cannot be known. `torn_bytes`: how much at the end has to be cut off. */
struct event_log_end {
    uint64_t last_ns; /* of the last event, or of the base */
    uint64_t events;
    size_t good_bytes;
    size_t torn_bytes;
    uint64_t blocks;
};
MUST_CHECK struct coordinator *event_log_replay(struct event_log_reader *reader,
                                                const struct event_log_head *head, struct event_log_end *end,
                                                struct error *error);
