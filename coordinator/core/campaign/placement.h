/* Which agent of a campaign each of its workers belongs to. Agents are known by their place, from 0. */
#pragma once
#include "common/attributes.h"
#include "common/pack.h"
#include "common/worker_set.h"

#include <stdbool.h>
#include <stdint.h>

#define PLACEMENT_NOBODY UINT32_MAX

struct placement;

/* For each place, how many workers it still takes (UINT32_MAX: any number); counted down as they are dealt.
 * All together take at least as many as are dealt.
 *
 * Workers go to the places in turn, so that the seats of a room sit on different agents. A place that is full
 * is passed over; where that would leave the last rooms to a few agents, those with room for many are spread
 * over all of the ids instead. */
MUST_CHECK struct placement *placement_new(uint32_t workers, uint32_t *room_for, uint32_t agents);
/* More workers, dealt in turn from where the last one was. Gives back the first of them. */
uint32_t placement_extend(struct placement *placement, uint32_t workers, uint32_t *room_for, uint32_t agents);
void placement_free(struct placement **placement);
/* Ids that were ever dealt out. */
uint32_t placement_count(const struct placement *placement);
/* HANDOUT_NOBODY for a worker that was lost, or that there is none of. */
uint32_t placement_agent(const struct placement *placement, uint32_t worker);
bool placement_owns_all(const struct placement *placement, uint32_t agent, const struct worker_set *workers);
/* Adds the workers of a place to `workers`. */
void placement_workers(const struct placement *placement, uint32_t agent, struct worker_set *workers);
/* To another place, or to HANDOUT_NOBODY. */
void placement_give(struct placement *placement, uint32_t worker, uint32_t agent);

/* As bytes, and back: NULL, and `from` is broken, if they make no sense or name a place that there is not. */
void placement_pack(const struct placement *placement, struct buffer *into);
MUST_CHECK struct placement *placement_unpack(struct unpack *from, uint32_t agents);
