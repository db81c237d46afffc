/* A named meeting point of some or all workers of a room within a step. */
#include "coordinator/core/sync/barrier.h"
#include "common/memory.h"
#include "coordinator/core/base/bitset.h"

struct barrier *barrier_new(uint32_t parties)
{
    struct barrier *barrier = MEMORY_NEW(struct barrier);
    barrier->parties = parties;
    return barrier;
}

void barrier_free(struct barrier *barrier)
{
    memory_free(barrier->arrivals);
    memory_free(barrier);
}

size_t barrier_charge(uint32_t seats)
{
    return sizeof(struct barrier) + bitset_words(seats) * sizeof(uint64_t);
}

uint64_t barrier_arrive(struct barrier *barrier, uint32_t seat)
{
    if (barrier->arrivals == NULL) {
        barrier->arrivals = memory_new(bitset_words(barrier->meeting.at->seats), sizeof(uint64_t));
    }
    if (!bitset_add(barrier->arrivals, seat)) {
        return 0;
    }
    barrier->arrived++;
    meeting_signal(&barrier->meeting, seat);
    return ++barrier->ranked;
}

void barrier_leave(struct barrier *barrier, uint32_t seat)
{
    if (barrier->arrivals != NULL && bitset_remove(barrier->arrivals, seat)) {
        barrier->arrived--;
    }
}

bool barrier_open(struct barrier *barrier)
{
    const struct step_state *at = barrier->meeting.at;
    if (!barrier->is_open) {
        barrier->is_open = barrier->is_overdue ||
                           (barrier->parties > 0 && barrier->arrived >= barrier->parties) ||
                           bitset_next_outside(at->past, barrier->arrivals, 0, at->seats) == at->seats;
    }
    return barrier->is_open;
}

bool barrier_report(struct barrier *barrier, uint32_t workers, int64_t first_ns, int64_t last_ns)
{
    bool is_first = barrier->reported == 0;
    barrier->first_ns = is_first || first_ns < barrier->first_ns ? first_ns : barrier->first_ns;
    barrier->last_ns = is_first || last_ns > barrier->last_ns ? last_ns : barrier->last_ns;
    bool was_complete = barrier->reported >= barrier->released;
    barrier->reported += workers;
    return !was_complete && barrier->reported >= barrier->released;
}
