/* The effects of a step. */
#include "coordinator/core/base/effect.h"

#include "common/memory.h"

void coordinator_effects_finish(struct coordinator_effects *effects)
{
    memory_free(effects->items);
    *effects = (struct coordinator_effects){0};
}
