/* The script of a campaign on a shard. */
#pragma once
#include "agent/shard/shard_campaign.h"

/* Makes campaign->script of the deployed bundle and loads it. False with the reason if it cannot run here. */
MUST_CHECK bool shard_script_load(struct shard_campaign *campaign, struct error *error);
