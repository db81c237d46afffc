/* How agents leave the coordinator: lost, on their own, expelled, or because our journal is stale. */
#pragma once
#include "coordinator/core/coordinator.h"
#include "coordinator/core/roster/members.h"

/* It is lost, and the operator is told `why`. Frees the member. */
void coordinator_lose(struct coordinator *coordinator, uint64_t now_ns, struct member *member,
                      const char *why);
/* It has said goodbye. Frees the member. */
void coordinator_take_leave(struct coordinator *coordinator, uint64_t now_ns, struct member *member);
/* Its key was revoked: it may not join again. */
void coordinator_expel(struct coordinator *coordinator, uint64_t now_ns, struct member *member);
/* It knows what our journal does not contain: what we were restored to is stale. Frees the member. */
void coordinator_disown_the_past(struct coordinator *coordinator, uint64_t now_ns, struct member *member);
