/* What the coordinator keeps for its overview: lost agents, counters, and memory for the lists. */
#pragma once
#include "common/attributes.h"
#include "common/pack.h"
#include "coordinator/core/base/coordinator_overview.h"
#include "coordinator/core/campaign/campaigns.h"

struct overview;

MUST_CHECK struct overview *overview_new(void);
void overview_free(struct overview **overview);

void overview_joined(struct overview *overview, const struct member *member);
void overview_lost(struct overview *overview, const struct member *member);
void overview_created(struct overview *overview);
void overview_received(struct overview *overview);
void overview_sent(struct overview *overview, const struct coordinator_effects *effects);
void overview_operations(struct overview *overview, const struct message *message);

/* Its counters and the lost agents that it remembers, as bytes and back. */
void overview_pack(const struct overview *overview, struct buffer *into);
MUST_CHECK bool overview_unpack(struct overview *overview, struct unpack *from);

/* Borrowed until the next call of this function or step of the coordinator. */
const struct coordinator_overview *overview_look(struct overview *overview, const struct members *members,
                                                 const struct campaigns *campaigns);
