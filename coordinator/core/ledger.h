/* The coordinator's journal as a run of bytes: a head with the state that it begins with, and blocks of the
 * events that followed, each block sealed by its sums. Pure: knows no files. */
#pragma once
#include "common/error.h"
#include "coordinator/core/coordinator.h"
#include "coordinator/core/record.h"

/* What only the very same program, on a machine that has not been started again meanwhile, can go on from. */
struct ledger_head {
    struct bytes build;
    struct bytes boot;
    struct bytes base; /* coordinator_pack */
};

/* Fills one block after the other. */
struct ledger_writer {
    struct buffer block; /* events that wait, behind room for the block's own head */
    uint64_t before_ns;
    uint64_t blocks; /* that were sealed */
};
void ledger_writer_init(struct ledger_writer *writer);
void ledger_writer_finish(struct ledger_writer *writer);
/* The first block. Nothing may wait. What has to be written is borrowed until the next call. */
struct bytes ledger_begin(struct ledger_writer *writer, const struct ledger_head *head);
void ledger_note(struct ledger_writer *writer, const struct coordinator_event *event);
bool ledger_is_waiting(const struct ledger_writer *writer);
/* Makes a block of the events that wait: what has to be written now, before any of their effects is seen.
 * Borrowed until the next call; empty if nothing waits. */
struct bytes ledger_seal(struct ledger_writer *writer);

enum ledger_state {
    LEDGER_EVENT,  /* here is the next one */
    LEDGER_WHOLE,  /* that was all */
    LEDGER_TORN,   /* the last block was not written to its end: nobody has seen any effect of it */
    LEDGER_CORRUPT /* what follows is not what was written, and its effects may have been seen */
};

struct ledger_reader {
    struct unpack left; /* of the block */
    struct bytes bytes;
    size_t good_bytes; /* up to the end of the last block that is whole */
    uint64_t before_ns;
    uint64_t blocks;
    struct record record; /* the event that was read last */
};
/* Reads the head, which then borrows from `bytes`. False if that is no journal of this version. To be
 * finished either way. */
MUST_CHECK bool ledger_open(struct ledger_reader *reader, struct bytes bytes, struct ledger_head *head);
MUST_CHECK enum ledger_state ledger_next(struct ledger_reader *reader);
void ledger_reader_finish(struct ledger_reader *reader);

/* The coordinator as it was after the last event, and at what time that was. NULL with an error that says
 * why it cannot be known. `torn_bytes`: how much at the end has to be cut off. */
struct ledger_end {
    uint64_t last_ns;
    uint64_t events;
    size_t good_bytes;
    size_t torn_bytes;
    uint64_t blocks;
};
MUST_CHECK struct coordinator *ledger_replay(struct ledger_reader *reader, const struct ledger_head *head,
                                             struct ledger_end *end, struct error *error);
