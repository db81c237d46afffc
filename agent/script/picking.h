/* Which scenario a step runs. */
#pragma once
#include "agent/script/script_state.h"
#include "proto/message/campaign.h"

/* A step of a worker, and the load that the worker is of (0 where there are none). */
struct picking {
    uint32_t worker;
    uint64_t step;
    uint32_t load;
};

/* By weight; the same for the same (seed, worker, step), whichever agent runs it. False if no scenario has a
 * weight. */
MUST_CHECK bool pick_scenario(const struct script *script, const struct campaign_options *options,
                              const struct picking *picking, uint32_t *scenario);
/* What the loads of the campaign run, which pick_scenario looks at. False if a scenario of theirs is
 * missing. The options outlive the script. */
MUST_CHECK bool picking_take_loads(struct script *script, const struct campaign_options *options,
                                   struct error *error);
