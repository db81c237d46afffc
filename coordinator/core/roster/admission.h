/* Who speaks without having joined: lets new agents in, tells the others why not. */
#pragma once
#include "coordinator/core/base/event.h"
#include "coordinator/core/roster/members.h"

struct admission {
    struct members *members;
    struct outbox *outbox;
    uint64_t epoch;
    uint64_t complaint_ns; /* when the next refusal may be told of */
};

/* A frame (EVENT_FRAME) of an incarnation that is not in the members. Gives back the member that it has
 * become, or NULL. */
struct member *admission_take(struct admission *admission, const struct coordinator_event *event);
/* A member is told that it is none any more; the caller has its route forgotten. `is_final`: it may not come
 * back. */
void admission_show_out(struct admission *admission, uint64_t now_ns, uint64_t incarnation, bool is_final,
                        const char *why);
