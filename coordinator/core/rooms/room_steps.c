/* The steps of a room that are not over: workers leaving them, coming back, and when they are forgotten. */
#include "coordinator/core/rooms/room_steps.h"
#include "common/container.h"
#include "common/memory.h"
#include "coordinator/core/base/bitset.h"
#include "coordinator/core/sync/barrier.h"
#include "coordinator/core/sync/notifier.h"

#include <string.h>

/* The position of the first state with at least this step. */
static size_t position_of(const struct room *room, uint64_t step)
{
    size_t low = 0;
    size_t high = room->step_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (room->steps[middle]->step < step) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void note_passed(struct room *room, struct step_state *state)
{
    state->is_dirty = true;
    if (!room->has_passed || state->step < room->passed_first) {
        room->passed_first = state->step;
    }
    if (!room->has_passed || state->step > room->passed_last) {
        room->passed_last = state->step;
    }
    room->has_passed = true;
}

void room_steps_leave(struct room *room, uint32_t seat, uint64_t before, uint64_t until)
{
    if (room->leaver_count > 0 && room->leave_until != until) {
        room_steps_settle(room);
    }
    room->leavers =
        memory_reserve(room->leavers, &room->leaver_capacity, room->leaver_count + 1, sizeof *room->leavers);
    room->leavers[room->leaver_count++] = (struct leaver){.seat = seat, .before = before};
    room->leave_until = until;
}

static void leave_alone(struct room *room, const struct leaver *leaver, uint64_t until)
{
    for (size_t i = position_of(room, leaver->before); i < room->step_count; i++) {
        struct step_state *state = room->steps[i];
        if (state->step > until) {
            break;
        }
        if (state->step > leaver->before) {
            bitset_add(state->past, leaver->seat);
            state->last_past = leaver->seat;
            state->passed_in = room->settling;
            state->within--;
            note_passed(room, state);
        }
        if (state->step < until) {
            state->within_next--;
        }
    }
}

/* Workers of `leaving` that were within the step no longer are. */
static uint32_t pass_state(struct room *room, struct step_state *state, const uint64_t *leaving)
{
    uint32_t passed = 0;
    for (size_t word = 0; word < bitset_words(room->size); word++) {
        uint64_t fresh = leaving[word] & ~state->past[word];
        state->past[word] |= fresh;
        passed += (uint32_t)__builtin_popcountll(fresh);
    }
    if (passed > 0) {
        state->within -= passed;
        note_passed(room, state);
    }
    return passed;
}

/* The lowest step that one of them was at. If there is a state for a worker's step, it is counted there. */
static uint64_t collect_leavers(const struct room *room, uint64_t *leaving)
{
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < room->leaver_count; i++) {
        const struct leaver *leaver = &room->leavers[i];
        size_t position = position_of(room, leaver->before);
        bitset_add(leaving, leaver->seat);
        lowest = leaver->before < lowest ? leaver->before : lowest;
        if (position < room->step_count && room->steps[position]->step == leaver->before) {
            room->steps[position]->leaving++;
        }
    }
    return lowest;
}

/* As leave_alone for each of them, but a word of bits at a time. */
static void leave_together(struct room *room, uint64_t until)
{
    uint64_t *leaving = memory_new(bitset_words(room->size), sizeof *leaving);
    uint64_t lowest = collect_leavers(room, leaving);
    for (size_t i = position_of(room, lowest); i < room->step_count && room->steps[i]->step <= until; i++) {
        struct step_state *state = room->steps[i];
        uint32_t passed = state->step > lowest ? pass_state(room, state, leaving) : 0;
        if (passed > 0) {
            state->last_past = room->leavers[room->leaver_count - 1].seat;
            state->passed_in = room->settling;
        }
        if (state->step < until) {
            state->within_next -= passed + state->leaving;
        }
        state->leaving = 0;
    }
    memory_free(leaving);
}

void room_steps_settle(struct room *room)
{
    if (room->leaver_count >= bitset_words(room->size)) { /* otherwise going over the words costs more */
        leave_together(room, room->leave_until);
    } else {
        for (size_t i = 0; i < room->leaver_count; i++) {
            leave_alone(room, &room->leavers[i], room->leave_until);
        }
    }
    room->leaver_count = 0;
}

void room_steps_join(struct room *room, uint64_t first_step)
{
    room_steps_settle(room);
    for (size_t i = 0; i < room->step_count && room->steps[i]->step < first_step; i++) {
        note_passed(room, room->steps[i]);
    }
}

void room_steps_return(struct room *room, uint32_t seat, uint64_t past)
{
    room_steps_settle(room);
    for (size_t i = position_of(room, past); i < room->step_count; i++) {
        struct step_state *state = room->steps[i];
        if (state->step > past) {
            bitset_remove(state->past, seat);
            state->within++;
        }
        state->within_next++;
    }
}

void room_steps_repeat(struct room *room, uint32_t seat)
{
    for (size_t i = position_of(room, room->seats[seat].past + 1); i < room->step_count; i++) {
        struct meeting *meeting = room->steps[i]->first;
        for (; meeting != NULL; meeting = meeting->next) {
            if (meeting->kind == MEETING_BARRIER) {
                barrier_leave(CONTAINER_OF(meeting, struct barrier, meeting), seat);
            } else {
                notifier_unread(CONTAINER_OF(meeting, struct notifier, meeting), seat);
            }
        }
    }
}

/* Counts from scratch how many are past the step. */
static void count_past(const struct room *room, struct step_state *state)
{
    memcpy(state->past, room->ended, bitset_words(room->size) * sizeof(uint64_t));
    state->within = room->live;
    state->within_next = room->live;
    for (uint32_t seat = 0; state->step <= room->furthest && seat < room->size; seat++) {
        uint64_t past = room->seats[seat].past;
        if (past < state->step || bitset_has(room->ended, seat)) {
            continue;
        }
        bitset_add(state->past, seat);
        state->within--;
        state->within_next -= past > state->step ? 1 : 0;
    }
}

static enum room_find find_state(struct room *room, uint64_t step, struct step_state **found)
{
    room_steps_settle(room);
    size_t position = position_of(room, step);
    if (position < room->step_count && room->steps[position]->step == step) {
        *found = room->steps[position];
        return (*found)->within_next > 0 ? ROOM_FOUND : ROOM_RETIRED; /* freed when the room is settled */
    }
    if (step == 0 || room->live == 0) {
        return ROOM_RETIRED;
    }
    if (!quota_take(room->quota, step_state_charge(room->size))) {
        return ROOM_FULL;
    }
    struct step_state *state = step_state_new(step, room->size);
    count_past(room, state);
    if (state->within_next == 0) {
        step_state_free(&state, room->quota);
        return ROOM_RETIRED;
    }
    room->steps =
        memory_reserve(room->steps, &room->step_capacity, room->step_count + 1, sizeof(struct step_state *));
    memmove(&room->steps[position + 1], &room->steps[position],
            (room->step_count - position) * sizeof(struct step_state *));
    room->steps[position] = state;
    room->step_count++;
    *found = state;
    return ROOM_FOUND;
}

/* What the room and the campaign may hold. */
static bool room_steps_admit(struct room *room, size_t charge)
{
    return room->meeting_count < ROOM_MAX_MEETINGS && quota_take(room->quota, charge);
}

static void room_steps_join_step(struct room *room, struct step_state *state, struct meeting *meeting)
{
    room->meeting_count++;
    step_state_add(state, meeting);
}

enum room_find room_notifier(struct room *room, uint64_t step, struct bytes name, struct notifier **notifier)
{
    struct step_state *state;
    enum room_find find = find_state(room, step, &state);
    if (find != ROOM_FOUND) {
        return find;
    }
    struct meeting *meeting = step_state_find(state, MEETING_NOTIFIER, name, 0);
    if (meeting != NULL) {
        *notifier = CONTAINER_OF(meeting, struct notifier, meeting);
        return ROOM_FOUND;
    }
    size_t charge = notifier_charge(room->size) + name.size;
    if (!room_steps_admit(room, charge)) {
        return ROOM_FULL;
    }
    *notifier = notifier_new();
    (*notifier)->meeting =
        (struct meeting){.kind = MEETING_NOTIFIER, .name = text_copy(name), .charge = charge};
    room_steps_join_step(room, state, &(*notifier)->meeting);
    return ROOM_FOUND;
}

enum room_find room_barrier(struct room *room, uint64_t step, struct bytes name, uint32_t nth,
                            uint32_t parties, struct barrier **barrier)
{
    struct step_state *state;
    enum room_find find = find_state(room, step, &state);
    if (find != ROOM_FOUND) {
        return find;
    }
    struct meeting *meeting = step_state_find(state, MEETING_BARRIER, name, nth);
    if (meeting != NULL) {
        *barrier = CONTAINER_OF(meeting, struct barrier, meeting);
        return ROOM_FOUND;
    }
    size_t charge = barrier_charge(room->size) + name.size;
    if (!room_steps_admit(room, charge)) {
        return ROOM_FULL;
    }
    *barrier = barrier_new(parties);
    (*barrier)->meeting =
        (struct meeting){.kind = MEETING_BARRIER, .nth = nth, .name = text_copy(name), .charge = charge};
    room_steps_join_step(room, state, &(*barrier)->meeting);
    return ROOM_FOUND;
}

struct barrier *room_barrier_known(const struct room *room, uint64_t step, struct bytes name, uint32_t nth)
{
    size_t position = room == NULL ? 0 : position_of(room, step);
    if (room == NULL || position == room->step_count || room->steps[position]->step != step) {
        return NULL;
    }
    struct meeting *meeting = step_state_find(room->steps[position], MEETING_BARRIER, name, nth);
    return meeting == NULL ? NULL : CONTAINER_OF(meeting, struct barrier, meeting);
}

void room_mark_passed(struct room *room)
{
    room_steps_settle(room);
    size_t first = room->has_passed ? position_of(room, room->passed_first) : room->step_count;
    room->has_passed = false;
    for (size_t i = first; i < room->step_count && room->steps[i]->step <= room->passed_last; i++) {
        struct step_state *state = room->steps[i];
        if (!state->is_dirty) {
            continue;
        }
        state->is_dirty = false;
        for (struct meeting *meeting = state->first; meeting != NULL; meeting = meeting->next) {
            if (meeting_has_waits(meeting)) {
                room_mark(room, meeting);
            }
        }
    }
}

void room_close(const struct room *room, room_closing *closing, void *context)
{
    for (size_t i = 0; i < room->step_count; i++) {
        closing(context, room, room->steps[i]);
    }
}

void room_retire(struct room *room, room_closing *closing, void *context)
{
    size_t retired = 0;
    while (retired < room->step_count && room->steps[retired]->within_next == 0 &&
           !step_state_has_waits(room->steps[retired])) {
        struct step_state *state = room->steps[retired++];
        closing(context, room, state);
        room->meeting_count -= state->count;
        step_state_free(&state, room->quota);
    }
    if (retired > 0) {
        room->step_count -= retired;
        memmove(room->steps, &room->steps[retired], room->step_count * sizeof(struct step_state *));
    }
}
