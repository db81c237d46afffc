/* Whether a campaign fits on the agents that have joined. */
#pragma once
#include "common/error.h"
#include "coordinator/core/roster/members.h"
#include "proto/message/campaign.h"

/* The agents with the labels that a campaign requires, and how many workers they still take. */
struct capacity {
    uint32_t agents;
    uint64_t room; /* an agent that takes any number counts as UINT32_MAX */
};

MUST_CHECK struct capacity capacity_of(const struct members *members, const struct campaign_options *options);
bool capacity_is_suitable(const struct member *member, const struct campaign_options *options);
/* False with how many fit. */
MUST_CHECK bool capacity_check(const struct capacity *capacity, const struct campaign_options *options,
                               struct error *error);
/* " with zone=a", or nothing. */
const char *capacity_describe(const struct campaign_options *options, char *text, size_t size);
