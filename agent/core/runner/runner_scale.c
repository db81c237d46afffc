/* Changes of the number of a campaign's workers: which end, which begin, and from which step on the number is
 * seen. */
#include "agent/core/runner/runner_internal.h"
#include "common/memory.h"

/* How many changes are kept of a room, the newest: an older one matters only to a step that is over. */
#define CHANGES_MOST 16u

uint32_t runner_count_at(const struct runner *runner, const struct worker *worker, uint64_t step)
{
    const struct room *room = runner->has_scaled ? runner_room_of(runner, worker) : NULL;
    size_t count = room == NULL ? 0 : room->change_count;
    for (size_t i = count; i-- > 0;) {
        if (step >= room->changes[i].from_step) {
            return i + 1 == count ? runner->worker_count : room->changes[i].after;
        }
    }
    return count > 0 ? room->changes[0].before : runner->worker_count;
}

uint32_t runner_worker_count(const struct runner *runner, uint32_t worker)
{
    const struct worker *found = runner->has_scaled ? worker_index_find(runner->index, worker) : NULL;
    if (found == NULL) {
        return runner->worker_count;
    }
    bool is_before = found->state == WORKER_WAITING || found->state == WORKER_SETUP;
    return runner_count_at(runner, found, found->step + (is_before ? 1 : 0));
}

uint32_t runner_room_limit(const struct runner *runner)
{
    struct campaign_options options = *runner->options;
    options.workers = runner->most_workers;
    return campaign_room_count(&options);
}

static void note_change(struct runner *runner, const struct room_step *at, uint32_t before)
{
    if (at->room >= runner_room_limit(runner)) {
        return;
    }
    struct room *room = runner_ensure_room(runner, at->room);
    if (room->change_count == CHANGES_MOST) {
        for (size_t i = 1; i < room->change_count; i++) {
            room->changes[i - 1] = room->changes[i];
        }
        room->change_count--;
    }
    room->changes =
        memory_reserve(room->changes, &room->change_capacity, room->change_count + 1, sizeof *room->changes);
    room->changes[room->change_count++] =
        (struct change){.from_step = at->step, .before = before, .after = runner->worker_count};
}

bool runner_is_one_too_many(const struct runner *runner, const struct worker *worker)
{
    return worker->id >= runner_count_at(runner, worker, worker->step + 1) &&
           !runner_arrivals_keep(runner, worker);
}

/* Workers in a step end after it. */
static void end_if_idle(struct runner *runner, struct worker *worker)
{
    if (!runner_is_one_too_many(runner, worker)) {
        return;
    }
    if (worker->state == WORKER_WAITING) {
        runner_move(runner, worker, WORKER_END);
    } else if (worker->state == WORKER_BETWEEN || worker->state == WORKER_HALTED) {
        runner_move(runner, worker, runner_choose(runner, worker, true));
    }
}

void runner_scale(struct runner *runner, const struct command *command)
{
    uint32_t before = runner->worker_count;
    runner->has_scaled = true;
    runner->worker_count = command->worker_count;
    runner_growth_note(runner, command->load, before, command->worker_count);
    if (command->worker_count > runner->most_workers) {
        runner->most_workers = command->worker_count;
    }
    for (size_t i = 0; i < command->room_step_count; i++) {
        note_change(runner, &command->room_steps[i], before);
    }
    struct worker_list workers = worker_index_all(runner->index);
    for (size_t i = 0; i < workers.count; i++) {
        end_if_idle(runner, workers.items[i]);
    }
}

void runner_start(struct runner *runner, struct worker *worker)
{
    struct room *room = runner_room_of(runner, worker);
    bool has_steps = runner_has_runs(runner, worker);
    bool is_one_too_many = runner_is_one_too_many(runner, worker);
    if (room != NULL) {
        room->is_done = false;
    }
    if (room != NULL && room->is_synchronising) {
        runner_report_past(runner, worker,
                           bytes_of_string(NULL)); /* the agent that had it may not have said */
    }
    if (runner->is_stopping) {
        runner_move(runner, worker, WORKER_STOP);
    } else {
        bool may_begin = has_steps && !runner->is_draining && !is_one_too_many;
        runner_move(runner, worker, may_begin ? WORKER_START : WORKER_END);
    }
}

static void runner_scale_restart(struct runner *runner, struct worker *worker, uint64_t first_step)
{
    runner->counts[worker->state]--;
    worker_init(worker, worker->id, first_step);
    runner->counts[worker->state]++;
    runner_start(runner, worker);
}

void runner_start_again(struct runner *runner, struct worker *worker, uint64_t first_step)
{
    if (worker->state == WORKER_GONE) {
        runner_scale_restart(runner, worker, first_step);
        return;
    }
    runner->comebacks = memory_reserve(runner->comebacks, &runner->comeback_capacity,
                                       runner->comeback_count + 1, sizeof *runner->comebacks);
    runner->comebacks[runner->comeback_count++] =
        (struct comeback){.worker = worker->id, .first_step = first_step};
    if (worker->state == WORKER_HELD) {
        runner_move(runner, worker, WORKER_RELEASE);
    }
}

void runner_come_back(struct runner *runner, struct worker *worker)
{
    for (size_t i = 0; i < runner->comeback_count; i++) {
        struct comeback comeback = runner->comebacks[i];
        if (comeback.worker == worker->id) {
            runner->comebacks[i] = runner->comebacks[--runner->comeback_count];
            runner_scale_restart(runner, worker, comeback.first_step);
            return;
        }
    }
}
