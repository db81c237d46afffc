/* A group of workers that meet: the progress of each of them. */
#include "coordinator/core/rooms/room.h"
#include "common/map.h"
#include "common/memory.h"
#include "coordinator/core/base/bitset.h"
#include "coordinator/core/rooms/room_steps.h"

#include <assert.h>

struct room *room_new(uint32_t id, uint32_t first, uint32_t size, struct quota *quota)
{
    struct room *room = MEMORY_NEW(struct room);
    room->id = id;
    room->first = first;
    room->size = size;
    room->quota = quota;
    timer_init(&room->search);
    room->settling = 1;
    return room;
}

void room_free(struct room **room)
{
    if (*room == NULL) {
        return;
    }
    struct room *freed = *room;
    for (uint32_t seat = 0; freed->seats != NULL && seat < freed->size; seat++) {
        pool_string_release(&freed->seats[seat].failure);
    }
    for (size_t i = 0; i < freed->step_count; i++) {
        step_state_free(&freed->steps[i], freed->quota);
    }
    memory_free(freed->steps);
    memory_free(freed->leavers);
    memory_free(freed->seats);
    memory_free(freed->ended);
    map_free(&freed->variables);
    memory_free(freed);
    *room = NULL;
}

void room_synchronise(struct room *room, const uint64_t *ended)
{
    assert(room->seats == NULL);
    room->seats = memory_new(room->size, sizeof(struct seat));
    room->ended = memory_new(bitset_words(room->size), sizeof(uint64_t));
    for (uint32_t seat = 0; seat < room->size; seat++) {
        if (bitset_has(ended, room->first + seat)) {
            bitset_add(room->ended, seat);
        }
    }
}

bool room_is_past(const struct room *room, uint32_t seat, uint64_t step)
{
    return bitset_has(room->ended, seat) || room->seats[seat].past >= step;
}

bool room_has_begun(const struct room *room, uint32_t seat, uint64_t step)
{
    const struct seat *it = &room->seats[seat];
    return it->past >= step || (it->end != NULL && it->past + 1 == step);
}

bool room_pass(struct room *room, uint32_t seat, uint64_t step, struct pool_string *failure)
{
    struct seat *it = &room->seats[seat];
    it->is_known = true;
    if (failure != NULL && step >= it->failed_step) {
        pool_string_release(&it->failure);
        it->failure = pool_string_hold(failure);
        it->failed_step = step;
    }
    if (step <= it->past) {
        return false;
    }
    uint64_t before = it->past;
    it->past = step;
    room->furthest = step > room->furthest ? step : room->furthest;
    if (!bitset_has(room->ended, seat)) {
        room_steps_leave(room, seat, before, step);
    }
    return true;
}

void room_end(struct room *room, uint32_t seat, const struct pool_string *end)
{
    if (bitset_add(room->ended, seat)) {
        room->seats[seat].end = end;
        room_steps_leave(room, seat, room->seats[seat].past, UINT64_MAX);
    }
}

void room_revive(struct room *room, uint32_t seat)
{
    if (bitset_remove(room->ended, seat)) {
        room->seats[seat].end = NULL;
        room_steps_return(room, seat, room->seats[seat].past);
    }
}

void room_mark(struct room *room, struct meeting *meeting)
{
    if (!meeting->is_dirty) {
        meeting->is_dirty = true;
        meeting->next_dirty = NULL;
        *(room->first_dirty == NULL ? &room->first_dirty : &room->last_dirty->next_dirty) = meeting;
        room->last_dirty = meeting;
    }
}

struct meeting *room_take_marked(struct room *room)
{
    struct meeting *meeting = room->first_dirty;
    if (meeting != NULL) {
        room->first_dirty = meeting->next_dirty;
        meeting->is_dirty = false;
    }
    return meeting;
}
