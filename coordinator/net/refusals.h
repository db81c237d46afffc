/* What the coordinator's door has refused: counted by kind, and told of in one sentence. Pure. */
#pragma once
#include "common/buffer.h"
#include "common/log.h"

#include <stdbool.h>
#include <stdint.h>

enum refusal {
    REFUSAL_STRANGER,  /* a connection with a key that is not on the list */
    REFUSAL_HANDSHAKE, /* a connection without a key, with a wrong one of ours, or no ZeroMQ at all */
    REFUSAL_FULL,      /* all connections, as long as there were too many */
    REFUSAL_CUT,       /* a connection that ended, or said nothing, before it was one */
    REFUSAL_REVOKED,   /* a frame of a connection whose key was on the list once */
    REFUSAL_FOREIGN,   /* a frame in another agent's name */
    REFUSAL_SECOND,    /* a frame of a second agent on one connection */
    REFUSAL_FRAME,     /* a frame with a wrong number of parts, or no envelope */
    REFUSAL_LARGE,     /* a connection, for a frame above LIMIT_CUT_BYTES */
    REFUSAL_COUNT
};

struct refusals {
    uint64_t counts[REFUSAL_COUNT]; /* since the beginning */
    uint64_t told[REFUSAL_COUNT];
    char large_from[64]; /* the last of REFUSAL_LARGE; empty: not known */
};

/* Whose frame was too large; NULL: not known. */
void refusals_note_large(struct refusals *refusals, const char *address);
/* A word for metrics. */
const char *refusal_name(enum refusal refusal);
/* Appends what has come since the last time: "refused: 3 connections with …, 1 frame …". False if there was
 * nothing. A connection that was cut may be a probe of the port as well as somebody without a key who noticed
 * first: alone that is LOG_INFO, all else is LOG_WARNING. */
bool refusals_tell(struct refusals *refusals, struct buffer *into, enum log_level *level);
