/* What was refused at the agents' port. */
#include "coordinator/net/refusals.h"

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
};

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
            is_any = true;
            *level = kind != REFUSAL_CUT ? LOG_WARNING : *level;
        }
        refusals->told[kind] = refusals->counts[kind];
    }
    return is_any;
}
