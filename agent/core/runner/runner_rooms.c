/* When the rooms of an open load begin their steps. Each arrival of the plan is one of a room: all its seats,
 * on whichever agents they are, begin the next step with it, or as soon as they can. Every runner follows the
 * arrivals of all rooms, so that it knows how far a room is when it is given one of its seats. */
#include "agent/core/runner/runner_internal.h"
#include "common/memory.h"

/* What is kept of one room. */
struct room_turns {
    uint64_t come;           /* the last step whose arrival has come */
    uint64_t last_ns;        /* when that was, since the start of the load */
    struct pace_queue known; /* when the latest arrivals came, where a seat of the room is here */
};

void runner_turns_free(struct runner *runner)
{
    for (size_t i = 0; i < runner->pace.turn_count; i++) {
        memory_free(runner->pace.turns[i].known.items);
    }
    memory_free(runner->pace.turns);
}

static struct room_turns *room_turns_of(struct runner *runner, uint32_t room)
{
    struct pacer *pace = &runner->pace;
    if (room >= pace->turn_count) {
        pace->turns = memory_reserve(pace->turns, &pace->turn_capacity, room + 1u, sizeof *pace->turns);
        for (; pace->turn_count <= room; pace->turn_count++) {
            pace->turns[pace->turn_count] = (struct room_turns){0};
        }
    }
    return &pace->turns[room];
}

static const struct room_turns *room_turns_known(const struct runner *runner, const struct worker *worker)
{
    static const struct room_turns NONE = {0};
    uint32_t room = worker_index_room(runner->index, worker);
    return room < runner->pace.turn_count ? &runner->pace.turns[room] : &NONE;
}

uint64_t runner_turns_left(const struct runner *runner, const struct worker *worker)
{
    const struct room_turns *turns = room_turns_known(runner, worker);
    return turns->come > worker->step ? turns->come - worker->step : 0;
}

uint64_t runner_turns_next_ns(const struct runner *runner, const struct worker *worker)
{
    const struct room_turns *turns = room_turns_known(runner, worker);
    uint64_t left = runner_turns_left(runner, worker);
    const struct pace_queue *known = &turns->known;
    if (left == 0) {
        return RATE_NEVER;
    }
    if (left > known->count) {
        return turns->last_ns; /* it came before the seat was here */
    }
    return known->items[(known->first + known->count - left) % known->capacity];
}

/* Forgets the arrivals that all seats that are here have begun. */
static void room_turns_forget(struct room_turns *turns, struct worker_list seats)
{
    uint64_t begun = turns->come;
    for (size_t i = 0; i < seats.count; i++) {
        const struct worker *seat = seats.items[i];
        begun = !worker_has_ended(seat) && seat->step < begun ? seat->step : begun;
    }
    while (turns->known.count > turns->come - begun) {
        (void)runner_pace_pop(&turns->known);
    }
}

static void room_turns_begin(struct runner *runner, struct worker *seat)
{
    if (runner_pace_is_free(seat) && runner_turns_left(runner, seat) > 0) {
        runner_pace_free(runner, seat);
    }
}

void runner_turns_come(struct runner *runner, struct lane *lane, uint32_t room, uint64_t at_ns)
{
    struct room_turns *turns = room_turns_of(runner, room);
    struct worker_list seats = worker_index_of_room(runner->index, room);
    if (turns->known.count == turns->known.capacity) {
        room_turns_forget(turns, seats);
    }
    turns->come++;
    turns->last_ns = at_ns;
    if (seats.count == 0 || at_ns < runner->pace.from_ns) {
        turns->known.count = 0;
        return;
    }
    runner_pace_push(&turns->known, at_ns);
    for (size_t i = 0; i < seats.count; i++) {
        room_turns_begin(runner, seats.items[i]);
    }
    const struct worker *first = worker_index_find(runner->index, room * runner->options->room_size);
    if (first != NULL && worker_has_ended(first)) {
        runner->pace.dropped++;
    } else if (first != NULL && runner_turns_left(runner, first) > 0 && !runner->pace.is_over) {
        runner_growth_of_rooms(runner, lane);
    }
}

void runner_turns_take_back(struct runner *runner, uint32_t room)
{
    struct room_turns *turns = room_turns_of(runner, room);
    const struct worker *first = worker_index_find(runner->index, room * runner->options->room_size);
    turns->come -= turns->come > 0 ? 1 : 0;
    turns->known.count -= turns->known.count > 0 ? 1 : 0;
    if (first != NULL && worker_has_ended(first) && runner->pace.dropped > 0) {
        runner->pace.dropped--;
    }
}

void runner_turns_renew(struct runner *runner, uint32_t first_worker, uint32_t workers)
{
    uint32_t size = runner->options->room_size;
    for (uint32_t room = size > 0 ? first_worker / size : 0; size > 0 && room < workers / size; room++) {
        struct room_turns *turns = room_turns_of(runner, room);
        turns->come = 0;
        turns->known.count = 0;
    }
}

void runner_turns_start(struct runner *runner, const struct room_step *start)
{
    if (start->room >= runner_room_limit(runner)) {
        return;
    }
    struct room_turns *turns = room_turns_of(runner, start->room);
    turns->come = start->step > 0 ? start->step - 1 : 0;
    turns->known.count = 0;
}

uint64_t runner_turns_behind(const struct runner *runner, const struct lane *lane)
{
    uint64_t behind = 0;
    struct worker_list workers = worker_index_all(runner->index);
    for (size_t i = 0; i < workers.count; i++) {
        const struct worker *worker = workers.items[i];
        bool has_begun = worker->state != WORKER_WAITING && worker->state != WORKER_SETUP;
        if (has_begun && worker->id % runner->options->room_size == 0 && !worker_has_ended(worker) &&
            runner_lane_of(runner, worker->id) == lane) {
            behind += runner_turns_left(runner, worker);
        }
    }
    return behind;
}

void runner_turns_end(struct runner *runner, const struct lane *lane)
{
    struct worker_list workers = worker_index_all(runner->index);
    for (size_t i = 0; i < workers.count; i++) {
        struct worker *worker = workers.items[i];
        bool is_done = runner_pace_is_free(worker) && runner_lane_of(runner, worker->id) == lane &&
                       runner_turns_left(runner, worker) == 0;
        if (is_done && runner_choose(runner, worker, true) == WORKER_END) {
            runner_move(runner, worker, WORKER_END);
        }
    }
}
