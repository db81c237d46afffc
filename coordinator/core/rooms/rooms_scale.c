/* More workers than a campaign began with, and workers that come back: how rooms grow while they are in
 * use. */
#include "coordinator/core/rooms/room_steps.h"
#include "coordinator/core/rooms/rooms_inside.h"

#include <assert.h>
#include <string.h>

/* No worker has begun a step this far beyond the last one that ended, even if the report of one more is in
 * transit. */
#define STEPS_AHEAD 3u

/* A larger copy, the rest of it zeroed. */
static void *grow(void *items, size_t count, size_t larger, size_t item_bytes)
{
    char *grown = memory_new(larger, item_bytes);
    memcpy(grown, items, count * item_bytes);
    memory_free(items);
    return grown;
}

static uint64_t *grow_bits(uint64_t *bits, uint32_t count, uint32_t larger, bool is_set)
{
    uint64_t *grown =
        bits == NULL ? NULL : grow(bits, bitset_words(count), bitset_words(larger), sizeof *bits);
    for (uint32_t i = count; is_set && i < larger; i++) {
        (void)bitset_add(grown, i);
    }
    return grown;
}

static void extend_step(struct step_state *state, uint32_t seats)
{
    state->past = grow_bits(state->past, state->seats, seats, true);
    for (struct meeting *meeting = state->first; meeting != NULL; meeting = meeting->next) {
        if (meeting->kind == MEETING_NOTIFIER) {
            struct notifier *notifier = CONTAINER_OF(meeting, struct notifier, meeting);
            notifier->readers = grow_bits(notifier->readers, state->seats, seats, false);
        } else {
            struct barrier *barrier = CONTAINER_OF(meeting, struct barrier, meeting);
            barrier->arrivals = grow_bits(barrier->arrivals, state->seats, seats, false);
        }
    }
    state->seats = seats;
}

/* The new seats are past every step until a worker takes them. */
static void extend_room(struct room *room, uint32_t size)
{
    if (room->seats != NULL) {
        room->seats = grow(room->seats, room->size, size, sizeof *room->seats);
        room->ended = grow_bits(room->ended, room->size, size, true);
    }
    room_steps_settle(room);
    for (size_t i = 0; i < room->step_count; i++) {
        extend_step(room->steps[i], size);
    }
    room->size = size;
}

void rooms_extend(struct rooms *rooms, uint32_t workers)
{
    uint32_t before = rooms->worker_count;
    if (workers <= before) {
        return;
    }
    uint32_t room_count = (workers - 1) / rooms->room_size + 1;
    rooms_begin_news(rooms);
    rooms->ended = grow_bits(rooms->ended, before, workers, true);
    rooms->lost = grow_bits(rooms->lost, before, workers, false);
    rooms->gone = grow_bits(rooms->gone, before, workers, false);
    if (rooms->ends != NULL) {
        rooms->ends = grow(rooms->ends, before, workers, sizeof *rooms->ends);
    }
    rooms->items = grow(rooms->items, rooms->room_count, room_count, sizeof *rooms->items);
    memory_free(rooms->asked);
    rooms->asked = NULL;
    rooms->asker_count = 0;
    waits_extend(&rooms->waits, workers);
    variables_extend(&rooms->variables, workers);
    rooms->worker_count = workers;
    rooms_set_quota(rooms);
    struct room *last = rooms->items[rooms->room_count - 1];
    rooms->room_count = room_count;
    if (last != NULL) {
        uint32_t rest = workers - last->first;
        extend_room(last, rest < rooms->room_size ? rest : rooms->room_size);
    }
}

bool rooms_may_join(const struct rooms *rooms, uint32_t first, uint32_t end)
{
    for (uint32_t worker = first; worker < end && worker < rooms->worker_count; worker++) {
        if (!rooms_has_ended(rooms, worker)) {
            return false;
        }
    }
    for (uint32_t id = first / rooms->room_size; id < rooms->room_count && id <= (end - 1) / rooms->room_size;
         id++) {
        const struct room *room = rooms->items[id];
        for (uint32_t seat = 0; room != NULL && room->seats != NULL && seat < room->size; seat++) {
            if (!bitset_has(room->ended, seat) && !room->seats[seat].is_known) {
                return false;
            }
        }
    }
    return true;
}

/* A worker that has not ended a step since it joined is in its first one. */
static uint64_t furthest_of(const struct room *room)
{
    uint64_t furthest = 0;
    for (uint32_t i = 0; i < room->size; i++) {
        const struct seat *seat = &room->seats[i];
        bool has_just_joined = seat->past > 0 && seat->past == seat->joined_past;
        uint64_t past = seat->past - (has_just_joined ? 1 : 0);
        uint64_t ended = seat->signalled > past + 1 ? seat->signalled - 1 : past;
        if (!bitset_has(room->ended, i) && ended > furthest) {
            furthest = ended;
        }
    }
    return furthest;
}

/* Of a room that nobody is left of: a seat may have been lost in a step, which is not begun again. */
static uint64_t furthest_begun(const struct room *room)
{
    uint64_t furthest = room->furthest;
    for (uint32_t i = 0; i < room->size; i++) {
        furthest = room->seats[i].begun > furthest ? room->seats[i].begun : furthest;
    }
    return furthest;
}

uint64_t rooms_change_step(struct rooms *rooms, uint32_t id)
{
    struct room *room = id < rooms->room_count ? rooms->items[id] : NULL;
    if (room == NULL || room->seats == NULL) {
        return 0;
    }
    uint64_t step = room->live > 0 ? furthest_of(room) + STEPS_AHEAD : furthest_begun(room) + 1;
    room->changes_at = step > room->changes_at ? step : room->changes_at;
    return room->changes_at;
}

static void take_seat(struct room *room, uint32_t seat, uint64_t first_step)
{
    struct seat *it = &room->seats[seat];
    pool_string_release(&it->failure);
    it->failed_step = 0;
    it->lost_step = 0;
    it->signalled = 0;
    it->begun = 0;
    it->joined_past = first_step - 1;
    if (first_step > 1) { /* otherwise the agents have yet to be told that it synchronises, and will report
                             their progress */
        (void)room_pass(room, seat, first_step - 1, NULL);
    }
    room_revive(room, seat);
    room_steps_join(room, first_step);
}

uint64_t rooms_join(struct rooms *rooms, uint64_t now_ns, uint32_t worker, uint64_t first_step)
{
    assert(worker < rooms->worker_count && rooms_has_ended(rooms, worker));
    rooms_begin_news(rooms);
    uint32_t id = worker / rooms->room_size;
    struct room *room = rooms->synchronises_all ? rooms_need_seats(rooms, now_ns, id) : rooms->items[id];
    if (room != NULL && room->seats != NULL) {
        uint64_t past = room->seats[worker - room->first].past;
        first_step = past >= first_step ? past + 1 : first_step;
        take_seat(room, worker - room->first, first_step);
    }
    (void)bitset_remove(rooms->ended, worker);
    (void)bitset_remove(rooms->lost, worker);
    if (rooms->ends != NULL) {
        pool_string_release(&rooms->ends[worker]);
    }
    rooms->live++;
    if (room != NULL) {
        room->live++;
        room->is_done = false;
        rooms_touch(rooms, now_ns, room);
    }
    return first_step;
}
