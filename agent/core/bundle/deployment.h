/* What a campaign was started with, as one agent has it. */
#pragma once
#include "common/attributes.h"
#include "proto/message/campaign.h"

/* Options and bundle of a campaign: made once per agent, read by all its shards, never changed, freed with
 * the last holder (atomic count). `bundle` is copied; NULL: it comes before any shard hears of the
 * deployment. */
struct deployment;
MUST_CHECK struct deployment *deployment_new(uint64_t campaign, const struct campaign_options *options,
                                             const struct bundle *bundle);
struct shared_bundle;
/* Takes a hold of its own. */
void deployment_set_bundle(struct deployment *deployment, struct shared_bundle *shared);
struct deployment *deployment_hold(struct deployment *deployment);
void deployment_release(struct deployment **deployment);
uint64_t deployment_campaign(const struct deployment *deployment);
const struct campaign_options *deployment_options(const struct deployment *deployment);
const struct bundle *deployment_bundle(const struct deployment *deployment);
