/* Which agent of a campaign each of its workers belongs to. Agents are numbered from 0. */
#pragma once
#include "common/attributes.h"
#include "common/pack.h"
#include "common/worker_set.h"

#include <stdbool.h>
#include <stdint.h>

/* Instead of an agent: the worker belongs to none. */
#define PLACEMENT_NOBODY UINT32_MAX

struct placement;

/* `room_for`: for each agent, how many workers it still takes (UINT32_MAX: any number); counted down as
 * workers are placed. Together the agents take at least `workers`.
 *
 * Workers go to the agents in turn, so that the seats of a room are on different agents. A full agent is
 * passed over. Since that would leave the last rooms to a few agents, the workers of each agent are then
 * spread evenly over all ids, unless there are too many of them. */
MUST_CHECK struct placement *placement_new(uint32_t workers, uint32_t *room_for, uint32_t agents);
/* Places more workers, in turn from where the last placement ended. Returns the first of them. */
uint32_t placement_extend(struct placement *placement, uint32_t workers, uint32_t *room_for, uint32_t agents);
void placement_free(struct placement **placement);
/* Worker ids that were ever placed. */
uint32_t placement_count(const struct placement *placement);
/* PLACEMENT_NOBODY if the worker was lost or does not exist. */
uint32_t placement_agent(const struct placement *placement, uint32_t worker);
bool placement_owns_all(const struct placement *placement, uint32_t agent, const struct worker_set *workers);
/* Adds the workers of an agent to `workers`. */
void placement_workers(const struct placement *placement, uint32_t agent, struct worker_set *workers);
/* Moves a worker to another agent, or to PLACEMENT_NOBODY. */
void placement_give(struct placement *placement, uint32_t worker, uint32_t agent);

/* As bytes, and back. NULL, and `from` is broken, if the bytes make no sense or name an agent that does not
 * exist. */
void placement_pack(const struct placement *placement, struct buffer *into);
MUST_CHECK struct placement *placement_unpack(struct unpack *from, uint32_t agents);
