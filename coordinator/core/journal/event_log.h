/* The coordinator's journal as a run of bytes: a head with the state that it begins with, and blocks of the
 * events that followed, each block sealed by its sums. Pure: knows no files. */
#pragma once
#include "common/error.h"
#include "coordinator/core/base/event_codec.h"
#include "coordinator/core/coordinator.h"

/* Incremented whenever the bytes mean something else, or the same events lead to a different state: a journal
 * of an older build is then refused explicitly. */
#define EVENT_LOG_FORMAT 3u

/* The clocks at the time when the base was created: so the coordinator's time continues when another process,
 * or another machine, reads the journal. */
struct event_log_clock {
    uint64_t now_ns;      /* the coordinator's time, used by the events */
    uint64_t machine_ns;  /* of the clock of this machine */
    uint64_t wall_ns;     /* wall clock */
    struct bytes machine; /* identifies clocks that continue each other */
};

struct event_log_head {
    struct bytes build; /* the build that has written it, for messages */
    struct event_log_clock clock;
    uint64_t
        lineage;     /* drawn once; kept from base to base, so that blocks of other journals are recognised */
    uint64_t blocks; /* number of the first block that follows */
    struct bytes base;
};

/* Writes one block after the other. */
struct event_log_writer {
    struct buffer block; /* pending events, after space for the head of their block */
    uint64_t before_ns;
    uint64_t lineage;
    uint64_t blocks; /* number of the next block */
};
void event_log_writer_init(struct event_log_writer *writer);
void event_log_writer_finish(struct event_log_writer *writer);

/* Begins a journal in `into`, which must be empty: all of `head` except lineage and blocks, which are the
 * writer's, and the base, which the caller appends. There must be no pending events: blocks that are sealed
 * from now on follow. */
void event_log_begin_base(const struct event_log_writer *writer, const struct event_log_head *head,
                          struct buffer *into);
/* The base has been appended: makes `into` a journal without events. Touches nothing else, so that it may be
 * called on another thread. False if it is too large. */
MUST_CHECK bool event_log_seal_base(struct buffer *into);
void event_log_note(struct event_log_writer *writer, const struct coordinator_event *event);
bool event_log_is_waiting(const struct event_log_writer *writer);
/* Makes a block of the pending events: it has to be written now, before any of their effects is seen.
 * Borrowed until the next call; empty if there are none. */
struct bytes event_log_seal(struct event_log_writer *writer);

enum event_log_state {
    EVENT_LOG_EVENT, /* here is the next one */
    EVENT_LOG_WHOLE, /* that was all */
    EVENT_LOG_TORN, /* what follows is not a block of this journal, and nothing shows that one was ever there:
                       torn off, or foreign data */
    EVENT_LOG_CORRUPT /* a block is missing or broken, and a later one shows that its effects may have been
                         seen */
};

struct event_log_reader {
    struct unpack left; /* of the block */
    struct bytes bytes;
    size_t head_bytes; /* with the base */
    size_t good_bytes; /* up to the end of the last complete block */
    uint64_t before_ns;
    uint64_t lineage;
    uint64_t blocks;
    struct decoded_event record;         /* the event that was read last */
    const struct bundle_source *bundles; /* for event_log_replay, set by the caller; NULL: none is there */
};
/* Reads the head, which borrows from `bytes`. False with an error if this build cannot continue from it. Must
 * be finished in either case. */
MUST_CHECK bool event_log_open(struct event_log_reader *reader, struct bytes bytes,
                               struct event_log_head *head, struct error *error);
MUST_CHECK enum event_log_state event_log_next(struct event_log_reader *reader);
void event_log_reader_finish(struct event_log_reader *reader);

/* The coordinator as it was after the last event, and the time of that event. NULL with an error that says
 * why it cannot be restored. `torn_bytes`: how much has to be cut off at the end. */
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
