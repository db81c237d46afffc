/* What was refused at the agents' port: counted by kind, and reported in one sentence. Pure. */
#pragma once
#include "common/buffer.h"
#include "common/log.h"

#include <stdbool.h>
#include <stdint.h>

enum refusal {
    REFUSAL_STRANGER,  /* a connection with a key that is not on the list */
    REFUSAL_HANDSHAKE, /* a connection without a key, with a wrong public key of ours, or not ZeroMQ at all */
    REFUSAL_FULL,      /* all connections, as long as there were too many */
    REFUSAL_CUT,       /* a connection that ended, or was silent, before the handshake was complete */
    REFUSAL_REVOKED,   /* a frame of a connection whose key was on the list earlier */
    REFUSAL_FOREIGN,   /* a frame in another agent's name */
    REFUSAL_SECOND,    /* a frame of a second agent on one connection */
    REFUSAL_FRAME,     /* a frame with a wrong number of parts, or without a valid envelope */
    REFUSAL_LARGE,     /* a connection, for a frame above LIMIT_CUT_BYTES */
    REFUSAL_COUNT
};

struct refusals {
    uint64_t counts[REFUSAL_COUNT]; /* since the start */
    uint64_t told[REFUSAL_COUNT];
    char large_from[64]; /* the last of REFUSAL_LARGE; empty: not known */
};

/* Whose frame was too large; NULL: not known. */
void refusals_note_large(struct refusals *refusals, const char *address);
/* A label for metrics. */
const char *refusal_name(enum refusal refusal);
/* Appends what was refused since the last call: "refused: 3 connections with …, 1 frame …". False if there
 * was nothing. A connection that was cut may be a port scan as well as an agent without a key that noticed
 * first: that alone is LOG_INFO, everything else is LOG_WARNING. */
bool refusals_tell(struct refusals *refusals, struct buffer *into, enum log_level *level);
