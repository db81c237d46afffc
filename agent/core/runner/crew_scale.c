/* The number of a campaign's workers as it changes: who ends because of it, who begins, and from when on it
 * is seen. */
#include "agent/core/runner/crew_internal.h"
#include "common/memory.h"

/* A room whose step none of them has come to yet needs more than one; older ones are over. */
#define CHANGES_MOST 16u

uint32_t crew_count_at(const struct crew *crew, const struct worker *worker, uint64_t step)
{
    const struct room *room = crew->has_scaled ? crew_room_of(crew, worker) : NULL;
    size_t count = room == NULL ? 0 : room->change_count;
    for (size_t i = count; i-- > 0;) {
        if (step >= room->changes[i].from_step) {
            return i + 1 == count ? crew->worker_count : room->changes[i].after;
        }
    }
    return count > 0 ? room->changes[0].before : crew->worker_count;
}

uint32_t crew_worker_count(const struct crew *crew, uint32_t worker)
{
    const struct worker *found = crew->has_scaled ? roster_find(crew->roster, worker) : NULL;
    if (found == NULL) {
        return crew->worker_count;
    }
    bool is_before = found->state == WORKER_WAITING || found->state == WORKER_SETUP;
    return crew_count_at(crew, found, found->step + (is_before ? 1 : 0));
}

uint32_t crew_room_limit(const struct crew *crew)
{
    struct campaign_options options = *crew->options;
    options.workers = crew->most_workers;
    return campaign_room_count(&options);
}

static void note_change(struct crew *crew, const struct room_step *at, uint32_t before)
{
    if (at->room >= crew_room_limit(crew)) {
        return;
    }
    struct room *room = crew_ensure_room(crew, at->room);
    if (room->change_count == CHANGES_MOST) {
        for (size_t i = 1; i < room->change_count; i++) {
            room->changes[i - 1] = room->changes[i];
        }
        room->change_count--;
    }
    room->changes =
        memory_reserve(room->changes, &room->change_capacity, room->change_count + 1, sizeof *room->changes);
    room->changes[room->change_count++] =
        (struct change){.from_step = at->step, .before = before, .after = crew->worker_count};
}

/* Those in a step end behind it. */
static void end_if_idle(struct crew *crew, struct worker *worker)
{
    if (worker->id < crew_count_at(crew, worker, worker->step + 1)) {
        return;
    }
    if (worker->state == WORKER_WAITING) {
        crew_move(crew, worker, WORKER_END);
    } else if (worker->state == WORKER_BETWEEN || worker->state == WORKER_HALTED) {
        crew_move(crew, worker, crew_choose(crew, worker, true));
    }
}

void crew_scale(struct crew *crew, const struct command *command)
{
    uint32_t before = crew->worker_count;
    crew->has_scaled = true;
    crew->worker_count = command->worker_count;
    if (command->worker_count > crew->most_workers) {
        crew->most_workers = command->worker_count;
    }
    for (size_t i = 0; i < command->room_step_count; i++) {
        note_change(crew, &command->room_steps[i], before);
    }
    struct worker_list workers = roster_all(crew->roster);
    for (size_t i = 0; i < workers.count; i++) {
        end_if_idle(crew, workers.items[i]);
    }
}

void crew_start(struct crew *crew, struct worker *worker)
{
    struct room *room = crew_room_of(crew, worker);
    bool has_steps = crew->runs == 0 || worker->step < crew->runs;
    bool is_one_too_many = worker->id >= crew_count_at(crew, worker, worker->step + 1);
    if (room != NULL) {
        room->is_done = false;
    }
    if (room != NULL && room->is_synchronising) {
        crew_report_past(crew, worker, bytes_of_string(NULL)); /* whoever had it may not have said */
    }
    if (crew->is_stopping) {
        crew_move(crew, worker, WORKER_STOP);
    } else {
        bool may_begin = has_steps && !crew->is_draining && !is_one_too_many;
        crew_move(crew, worker, may_begin ? WORKER_START : WORKER_END);
    }
}

static void crew_scale_begin_anew(struct crew *crew, struct worker *worker, uint64_t first_step)
{
    crew->counts[worker->state]--;
    worker_init(worker, worker->id, first_step);
    crew->counts[worker->state]++;
    crew_start(crew, worker);
}

void crew_start_again(struct crew *crew, struct worker *worker, uint64_t first_step)
{
    if (worker->state == WORKER_GONE) {
        crew_scale_begin_anew(crew, worker, first_step);
        return;
    }
    crew->comebacks = memory_reserve(crew->comebacks, &crew->comeback_capacity, crew->comeback_count + 1,
                                     sizeof *crew->comebacks);
    crew->comebacks[crew->comeback_count++] =
        (struct comeback){.worker = worker->id, .first_step = first_step};
    if (worker->state == WORKER_HELD) {
        crew_move(crew, worker, WORKER_RELEASE);
    }
}

void crew_come_back(struct crew *crew, struct worker *worker)
{
    for (size_t i = 0; i < crew->comeback_count; i++) {
        struct comeback comeback = crew->comebacks[i];
        if (comeback.worker == worker->id) {
            crew->comebacks[i] = crew->comebacks[--crew->comeback_count];
            crew_scale_begin_anew(crew, worker, comeback.first_step);
            return;
        }
    }
}
