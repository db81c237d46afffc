/* When each of the workers of one operation did it: gathered as they come, told as what came after the first.
 */
#pragma once
#include "common/attributes.h"
#include "common/worker_set.h"
#include "proto/message/operation.h"

/* So many fit a batch. */
#define INSTANTS_MAX 32768u

/* One for each worker of a set, in its order; or none at all. */
struct instants {
    int64_t *items;
    size_t count;
    size_t capacity;
    int64_t first_ns;
    int64_t last_ns;
    uint32_t *after_us; /* as last told */
};

void instants_finish(struct instants *instants);
/* Whether there are such instants with this operation. */
bool instants_are_with(const struct operation *operation);
/* False if there are too many already, or it is too far from the others for them to be told together. */
MUST_CHECK bool instants_may_add(const struct instants *instants, int64_t instant_ns);
void instants_add(struct instants *instants, int64_t instant_ns);
/* Sorts the workers, and the instants with them. */
void instants_sort(struct instants *instants, struct worker_set *workers);
/* Fills in what tells them; borrowed until they change. */
void instants_tell(struct instants *instants, struct operation *operation);
