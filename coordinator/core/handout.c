/* Which agent of a campaign each of its workers belongs to. */
#include "coordinator/core/handout.h"

#include "common/memory.h"

#include <assert.h>

struct handout {
    uint32_t *places; /* by worker */
    uint32_t workers;
};

struct handout *handout_new(uint32_t workers, uint32_t places)
{
    assert(places > 0);
    struct handout *handout = MEMORY_NEW(struct handout);
    handout->workers = workers;
    handout->places = (uint32_t *)memory_new(workers, sizeof *handout->places);
    for (uint32_t i = 0; i < workers; i++) {
        handout->places[i] = i % places;
    }
    return handout;
}

void handout_free(struct handout **handout)
{
    if (*handout != NULL) {
        memory_free((*handout)->places);
        memory_free(*handout);
        *handout = NULL;
    }
}

uint32_t handout_place(const struct handout *handout, uint32_t worker)
{
    return worker < handout->workers ? handout->places[worker] : HANDOUT_NOBODY;
}

bool handout_owns_all(const struct handout *handout, uint32_t place, const struct worker_set *workers)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(workers, &cursor)) {
        if (handout_place(handout, cursor.worker) != place) {
            return false;
        }
    }
    return true;
}

void handout_workers(const struct handout *handout, uint32_t place, struct worker_set *workers)
{
    for (uint32_t i = 0; i < handout->workers; i++) {
        if (handout->places[i] == place) {
            worker_set_add(workers, i);
        }
    }
}

void handout_give(struct handout *handout, uint32_t worker, uint32_t place)
{
    assert(worker < handout->workers);
    handout->places[worker] = place;
}
