/* How agents leave the coordinator: lost, on their own, expelled, or because our journal is stale. */
#pragma once
#include "coordinator/core/coordinator.h"
#include "coordinator/core/roster/members.h"

/* It is lost, and the operator is told `why`. Frees the member. */
void coordinator_lose(struct coordinator *coordinator, uint64_t now_ns, struct member *member,
                      const char *why);
/* Its operator wants it to leave. A campaign that all of its agents leave is stopped in order; from the
 * others it is let go after a moment, in which that may still turn out. */
void coordinator_take_leaving(struct coordinator *coordinator, uint64_t now_ns, struct member *member);
/* The moment is over: lets those go whose campaigns do not stop. */
void coordinator_let_go(struct coordinator *coordinator, uint64_t now_ns);
/* It has said goodbye. Frees the member. */
void coordinator_take_leave(struct coordinator *coordinator, uint64_t now_ns, struct member *member);
/* Its key was revoked: it may not join again. */
void coordinator_expel(struct coordinator *coordinator, uint64_t now_ns, struct member *member);
/* It knows what our journal does not contain: what we were restored to is stale. Frees the member. */
void coordinator_disown_the_past(struct coordinator *coordinator, uint64_t now_ns, struct member *member);
