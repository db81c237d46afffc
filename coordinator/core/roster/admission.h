/* Frames from agents that have not joined: admits new agents, and tells the others why they are refused. */
#pragma once
#include "common/pack.h"
#include "coordinator/core/base/event.h"
#include "coordinator/core/roster/members.h"

/* Refusals that were logged lately. */
#define ADMISSION_TOLD 32u

struct admission_told {
    uint64_t hash;     /* of the agent's name and the reason */
    uint64_t again_ns; /* when it may be logged again */
};

struct admission {
    struct members *members;
    struct outbox *outbox;
    uint64_t epoch;
    uint64_t complaint_ns; /* when the next refusal may be logged */
    struct admission_told told[ADMISSION_TOLD];
};

void admission_pack(const struct admission *admission, struct buffer *into);
void admission_unpack(struct admission *admission, struct unpack *from);

/* A frame (EVENT_FRAME) of an incarnation that is not among the members. Returns the member that it has
 * become, or NULL. */
struct member *admission_take(struct admission *admission, const struct coordinator_event *event);
/* The member whose name this frame's sender has, if that is another process of the same host, and no more.
 * The caller loses it before admission_take. NULL: there is none. */
MUST_CHECK struct member *admission_find_gone(const struct admission *admission,
                                              const struct coordinator_event *event);
/* Tells a member that it no longer is one; the caller drops its route. `is_final`: it may not join again. */
void admission_show_out(struct admission *admission, uint64_t now_ns, uint64_t incarnation, bool is_final,
                        const char *why);
