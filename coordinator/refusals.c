/* What the coordinator's door has refused. */
#include "coordinator/refusals.h"

static const struct {
    const char *name;
    const char *what; /* refused one or more of */
    const char *why;
} KINDS[REFUSAL_COUNT] = {
    [REFUSAL_STRANGER] = {"stranger", "connection", "with a key that is not on the list"},
    [REFUSAL_HANDSHAKE] = {"handshake", "connection", "without our keys or our protocol"},
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

bool refusals_tell(struct refusals *refusals, struct buffer *into)
{
    const char *before = "refused: ";
    bool is_worth_it = false;
    for (int kind = 0; kind < REFUSAL_COUNT; kind++) {
        uint64_t more = refusals->counts[kind] - refusals->told[kind];
        is_worth_it = is_worth_it || (more > 0 && kind != REFUSAL_CUT);
    }
    for (int kind = 0; is_worth_it && kind < REFUSAL_COUNT; kind++) {
        uint64_t more = refusals->counts[kind] - refusals->told[kind];
        if (more > 0) {
            buffer_append_format(into, "%s%llu %s%s %s", before, (unsigned long long)more, KINDS[kind].what,
                                 more == 1 ? "" : "s", KINDS[kind].why);
            before = ", ";
        }
        refusals->told[kind] = refusals->counts[kind];
    }
    return is_worth_it;
}
