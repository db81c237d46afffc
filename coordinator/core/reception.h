/* Who speaks without having joined: lets new agents in, tells the others why not. */
#pragma once
#include "coordinator/core/members.h"

struct reception {
    struct members *members;
    struct outbox *outbox;
    uint64_t epoch;
    uint64_t complaint_ns; /* when the next refusal may be told of */
};

/* A frame of an incarnation that is not in the members. Gives back the member that it has become, or NULL. */
struct member *reception_take(struct reception *reception, uint64_t now_ns, const struct envelope *envelope,
                              struct bytes message);
