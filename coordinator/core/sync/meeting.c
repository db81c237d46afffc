/* What a room knows of one step: which workers are past it, and where its workers meet in it. */
#include "coordinator/core/sync/meeting.h"
#include "common/container.h"
#include "common/map.h"
#include "common/memory.h"
#include "coordinator/core/base/bitset.h"
#include "coordinator/core/sync/barrier.h"
#include "coordinator/core/sync/notifier.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

#define INDEX_FROM                                                                                           \
    8u /* up to this number they are searched linearly: most steps have one or two notifiers                 \
        */
/* More than the bit that it takes: every worker has to be removed from every step that it passes, so this
 * also bounds the time for that. */
#define SEAT_CHARGE_BYTES 4u
#define KEY_BYTES (1 + sizeof(uint32_t) + LIMIT_NAME_BYTES)

struct step_state *step_state_new(uint64_t step, uint32_t seats)
{
    struct step_state *state = MEMORY_NEW(struct step_state);
    state->step = step;
    state->seats = seats;
    state->charge = step_state_charge(seats);
    state->past = memory_new(bitset_words(seats), sizeof(uint64_t));
    return state;
}

size_t step_state_charge(uint32_t seats)
{
    return sizeof(struct step_state) + (size_t)seats * SEAT_CHARGE_BYTES;
}

static void free_meeting(struct meeting *meeting, struct quota *quota)
{
    text_finish(&meeting->name);
    if (meeting->kind == MEETING_NOTIFIER) {
        notifier_free(CONTAINER_OF(meeting, struct notifier, meeting), quota);
    } else {
        barrier_free(CONTAINER_OF(meeting, struct barrier, meeting));
    }
}

void step_state_free(struct step_state **state, struct quota *quota)
{
    struct meeting *next;
    for (struct meeting *meeting = (*state)->first; meeting != NULL; meeting = next) {
        next = meeting->next;
        quota_give(quota, meeting->charge);
        free_meeting(meeting, quota);
    }
    quota_give(quota, (*state)->charge);
    map_free(&(*state)->index);
    memory_free((*state)->past);
    memory_free(*state);
    *state = NULL;
}

static struct bytes key_of(uint8_t key[KEY_BYTES], enum meeting_kind kind, struct bytes name, uint32_t nth)
{
    assert(name.size <= LIMIT_NAME_BYTES);
    key[0] = (uint8_t)kind;
    memcpy(key + 1, &nth, sizeof nth);
    memcpy(key + 1 + sizeof nth, name.data, name.size);
    return bytes_of(key, 1 + sizeof nth + name.size);
}

static void put_into_index(struct step_state *state, struct meeting *meeting)
{
    uint8_t key[KEY_BYTES];
    map_put(state->index, key_of(key, meeting->kind, meeting->name.bytes, meeting->nth), meeting);
}

struct meeting *step_state_find(const struct step_state *state, enum meeting_kind kind, struct bytes name,
                                uint32_t nth)
{
    if (state->index != NULL) {
        uint8_t key[KEY_BYTES];
        return map_get(state->index, key_of(key, kind, name, nth));
    }
    for (struct meeting *meeting = state->first; meeting != NULL; meeting = meeting->next) {
        if (meeting->kind == kind && meeting->nth == nth && bytes_equal(meeting->name.bytes, name)) {
            return meeting;
        }
    }
    return NULL;
}

void step_state_add(struct step_state *state, struct meeting *meeting)
{
    meeting->at = state;
    *(state->last == NULL ? &state->first : &state->last->next) = meeting;
    state->last = meeting;
    state->count++;
    if (state->index != NULL) {
        put_into_index(state, meeting);
    } else if (state->count > INDEX_FROM) {
        state->index = map_new();
        for (struct meeting *each = state->first; each != NULL; each = each->next) {
            put_into_index(state, each);
        }
    }
}

bool meeting_has_waits(const struct meeting *meeting)
{
    if (meeting->kind == MEETING_BARRIER) {
        return CONTAINER_OF(meeting, struct barrier, meeting)->waits.count > 0;
    }
    const struct notifier *notifier = CONTAINER_OF(meeting, struct notifier, meeting);
    return notifier->waits_within.count + notifier->waits_beyond.count + notifier->reader_waits.count > 0;
}

bool step_state_has_waits(const struct step_state *state)
{
    for (struct meeting *meeting = state->first; meeting != NULL; meeting = meeting->next) {
        if (meeting_has_waits(meeting)) {
            return true;
        }
    }
    return false;
}

void meeting_signal(struct meeting *meeting, uint32_t seat)
{
    meeting->is_signalled = true;
    meeting->last_seat = seat;
}

uint32_t meeting_last_seat(const struct meeting *meeting, uint64_t settling)
{
    if (meeting->is_signalled) {
        return meeting->last_seat;
    }
    return meeting->at->passed_in == settling ? meeting->at->last_past : MEETING_NOBODY;
}
