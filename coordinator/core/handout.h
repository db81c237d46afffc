/* Which agent of a campaign each of its workers belongs to. Agents are known by their place, from 0. */
#pragma once
#include "common/attributes.h"
#include "common/worker_set.h"

#include <stdbool.h>
#include <stdint.h>

#define HANDOUT_NOBODY UINT32_MAX

struct handout;

/* Worker i goes to place i mod `places`, so that the seats of a room sit on different agents. */
MUST_CHECK struct handout *handout_new(uint32_t workers, uint32_t places);
void handout_free(struct handout **handout);
/* HANDOUT_NOBODY for a worker that was lost, or that there is none of. */
uint32_t handout_place(const struct handout *handout, uint32_t worker);
bool handout_owns_all(const struct handout *handout, uint32_t place, const struct worker_set *workers);
/* Adds the workers of a place to `workers`. */
void handout_workers(const struct handout *handout, uint32_t place, struct worker_set *workers);
/* To another place, or to HANDOUT_NOBODY. */
void handout_give(struct handout *handout, uint32_t worker, uint32_t place);
