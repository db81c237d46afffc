/* The writer/reader meeting point of one step. */
#include "coordinator/core/sync/notifier.h"
#include "common/memory.h"
#include "common/shared.h"
#include "coordinator/core/base/bitset.h"

struct notifier *notifier_new(void)
{
    struct notifier *notifier = MEMORY_NEW(struct notifier);

    notifier->writer = NOTIFIER_NOBODY;
    return notifier;
}

void notifier_free(struct notifier *notifier, struct quota *quota)
{
    sighting_finish(&notifier->sighting, quota);
    memory_free(notifier->readers);
    shared_release(&notifier->shared);
    memory_free(notifier);
}

size_t notifier_charge(uint32_t seats)
{
    return sizeof(struct notifier) + bitset_words(seats) * sizeof(uint64_t);
}

bool notifier_declare(struct notifier *notifier, uint32_t readers)
{
    if (notifier->is_declared) {
        return notifier->declared == readers;
    }
    notifier->is_declared = true;
    notifier->declared = readers;
    return true;
}

bool notifier_read(struct notifier *notifier, uint32_t seat)
{
    if (notifier->readers == NULL) {
        notifier->readers = memory_new(bitset_words(notifier->meeting.at->seats), sizeof(uint64_t));
    }
    bool is_new = bitset_add(notifier->readers, seat);
    if (is_new) {
        notifier->read++;
        meeting_signal(&notifier->meeting, seat);
    }
    return is_new;
}

void notifier_unread(struct notifier *notifier, uint32_t seat)
{
    if (notifier->readers != NULL && bitset_remove(notifier->readers, seat)) {
        notifier->read--;
    }
}

bool notifier_write(struct notifier *notifier, uint32_t seat, struct bytes payload)
{
    if (notifier->is_written) {
        return false;
    }
    notifier->is_written = true;
    notifier->writer = seat;
    notifier->shared = shared_new(payload);
    notifier->payload = shared_bytes(notifier->shared);
    return true;
}

bool notifier_is_short(const struct notifier *notifier, bool is_within)
{
    const struct step_state *at = notifier->meeting.at;
    if (notifier->is_written || notifier->waits_within.count < at->within) {
        return false;
    }
    uint32_t past = at->seats - at->within;
    return is_within ? past >= 1 : past >= 2; /* the waiting worker itself does not count as "somebody" */
}

struct notifier_pending notifier_pending(const struct notifier *notifier)
{
    const struct step_state *at = notifier->meeting.at;
    struct notifier_pending pending = {
        .is_enough = notifier->is_declared && notifier->read >= notifier->declared,
        .seat = bitset_next_outside(at->past, notifier->readers, 0, at->seats),
    };
    if (pending.seat < at->seats) {
        uint32_t second = bitset_next_outside(at->past, notifier->readers, pending.seat + 1, at->seats);
        pending.count = second < at->seats ? 2 : 1;
    }
    return pending;
}

bool notifier_is_read(const struct notifier_pending *pending, uint32_t seat)
{
    return pending->is_enough || pending->count == 0 || (pending->count == 1 && pending->seat == seat);
}
