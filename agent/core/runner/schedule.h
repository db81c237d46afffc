/* When workers start, and arithmetic of instants that does not overflow. */
#pragma once
#include "proto/message/campaign.h"

#include <stdint.h>

/* The instant at which `worker` starts when the campaign begins at `begin_ns`: the ramp-up is spread evenly
 * over all workers of the campaign, by their ids. */
uint64_t schedule_start_ns(const struct campaign_options *options, uint64_t begin_ns, uint32_t worker);
/* `milliseconds` after `now_ns`; so far away that it never comes where the sum would overflow. */
uint64_t schedule_after_ns(uint64_t now_ns, uint64_t milliseconds);
