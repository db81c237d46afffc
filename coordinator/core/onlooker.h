/* What the coordinator keeps for its overview: lost agents, counts, and the memory of the lists. */
#pragma once
#include "common/attributes.h"
#include "common/pack.h"
#include "coordinator/core/base/overview.h"
#include "coordinator/core/campaign/campaigns.h"

struct onlooker;

MUST_CHECK struct onlooker *onlooker_new(void);
void onlooker_free(struct onlooker **onlooker);

void onlooker_joined(struct onlooker *onlooker, const struct member *member);
void onlooker_lost(struct onlooker *onlooker, const struct member *member);
void onlooker_created(struct onlooker *onlooker);
void onlooker_received(struct onlooker *onlooker);
void onlooker_sent(struct onlooker *onlooker, const struct coordinator_effects *effects);
void onlooker_operations(struct onlooker *onlooker, const struct message *message);

/* What it has counted and which agents it remembers as lost, as bytes and back. */
void onlooker_pack(const struct onlooker *onlooker, struct buffer *into);
MUST_CHECK bool onlooker_unpack(struct onlooker *onlooker, struct unpack *from);

/* Borrowed until the next call here or a step of the coordinator. */
const struct coordinator_overview *onlooker_look(struct onlooker *onlooker, const struct members *members,
                                                 const struct campaigns *campaigns);
