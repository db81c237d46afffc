/* What was refused at the agents' port. */
#include "coordinator/net/refusals.h"

#include "common/compose.h"
#include "proto/message/limits.h"

#include <assert.h>

#define LARGEST_FRAME "4 MiB"
static_assert(LIMIT_CUT_BYTES == 4u * 1024u * 1024u, "LARGEST_FRAME says so");

static const struct {
    const char *name;
    const char *what; /* what was refused, singular and plural */
    const char *why;
} KINDS[REFUSAL_COUNT] = {
    [REFUSAL_STRANGER] = {"stranger", "connection", "with a key that is not on the list"},
    [REFUSAL_HANDSHAKE] = {"handshake", "connection", "without our keys or our protocol"},
    [REFUSAL_FULL] = {"full", "time", "because there were too many, until some had closed (raise ulimit -n)"},
    [REFUSAL_CUT] = {"cut", "connection", "that ended too early"},
    [REFUSAL_REVOKED] = {"revoked", "frame", "with a key that was revoked"},
    [REFUSAL_FOREIGN] = {"foreign", "frame", "in the name of another agent"},
    [REFUSAL_SECOND] = {"second", "frame", "of a second agent on one connection"},
    [REFUSAL_FRAME] = {"frame", "frame", "that made no sense"},
    [REFUSAL_LARGE] = {"large", "connection", "cut off for a frame above " LARGEST_FRAME},
};

void refusals_note_large(struct refusals *refusals, const char *address)
{
    compose(refusals->large_from, sizeof refusals->large_from, "%s", address != NULL ? address : "");
}

const char *refusal_name(enum refusal refusal)
{
    return KINDS[refusal].name;
}

bool refusals_tell(struct refusals *refusals, struct buffer *into, enum log_level *level)
{
    bool is_any = false;
    *level = LOG_INFO;
    for (int kind = 0; kind < REFUSAL_COUNT; kind++) {
        uint64_t more = refusals->counts[kind] - refusals->told[kind];
        if (more > 0) {
            buffer_append_format(into, "%s%llu %s%s %s",
                                 is_any ? ", " : "refused: ", (unsigned long long)more, KINDS[kind].what,
                                 more == 1 ? "" : "s", KINDS[kind].why);
            if (kind == REFUSAL_LARGE && refusals->large_from[0] != '\0') {
                buffer_append_format(into, more == 1 ? ", from %s" : ", the last from %s",
                                     refusals->large_from);
            }
            is_any = true;
            *level = kind != REFUSAL_CUT ? LOG_WARNING : *level;
        }
        refusals->told[kind] = refusals->counts[kind];
    }
    return is_any;
}
