/* The agent's commands to a runner, one function each. */
#include "agent/core/runner/runner_internal.h"
#include "agent/core/runner/schedule.h"
#include "common/memory.h"

static void runner_command_deploy(struct runner *runner, const struct command *command)
{
    size_t count = 0;
    const struct worker *workers = worker_index_add(runner->index, &command->workers, 1, &count);
    for (size_t i = 0; i < count; i++) {
        runner_share_runs(runner, &workers[i]);
    }
    runner->counts[WORKER_WAITING] += (uint32_t)count;
    runner->given += worker_set_count(&command->workers);
}

static void runner_command_begin(struct runner *runner, const struct command *command)
{
    if (runner->has_begun) {
        return;
    }
    runner->has_begun = true;
    runner->begin_ns = command->at_ns;
    uint64_t begin_ns = command->at_ns == 0 ? runner->event->now_ns : command->at_ns;
    runner->pace.begin_ns = begin_ns;
    runner->pace.from_ns = command->from_plan_ns;
    struct worker_list workers = worker_index_all(runner->index);
    for (size_t i = 0; i < workers.count; i++) {
        struct worker *worker = workers.items[i];
        if (worker->state == WORKER_WAITING) {
            timers_set(runner->timers, &worker->timer,
                       schedule_start_ns(runner->options, begin_ns, worker->id));
        }
    }
}

static void start_again(struct runner *runner, const struct worker_set *workers, uint64_t first_step)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(workers, &cursor)) {
        struct worker *worker = worker_index_find(runner->index, cursor.worker);
        if (worker != NULL) {
            runner_start_again(runner, worker, first_step);
        }
    }
}

/* Workers that a lost agent had, or that the campaign has been scaled up by. */
static void runner_command_assign(struct runner *runner, const struct command *command)
{
    uint64_t first_step = command->first_step == 0 ? 1 : command->first_step;
    size_t count = 0;
    if (command->is_answer) {
        runner_growth_answer(runner, command->load);
        return;
    }
    start_again(runner, &command->workers, first_step);
    struct worker *workers = worker_index_add(runner->index, &command->workers, first_step, &count);
    runner->given += worker_set_count(&command->workers);
    runner_growth_take(runner, &command->workers);
    runner->counts[WORKER_WAITING] += (uint32_t)count;
    runner->has_assigned = runner->has_assigned || runner->given > 0;
    runner->has_finished = false;
    for (size_t i = 0; i < count; i++) {
        runner_share_runs(runner, &workers[i]);
    }
    for (size_t i = 0; i < count; i++) {
        runner_start(runner, &workers[i]);
    }
}

static void synchronise_room(struct runner *runner, uint32_t id)
{
    struct room *room = runner_ensure_room(runner, id);
    if (room->is_synchronising) {
        return;
    }
    room->is_synchronising = true;
    struct worker_list workers = worker_index_of_room(runner->index, id);
    for (size_t i = 0; i < workers.count; i++) {
        struct worker *worker = workers.items[i];
        if (!worker_has_ended(worker)) {
            runner_report_past(runner, worker, bytes_of_string(worker->last_text));
            worker_remember(worker, NULL);
        }
    }
}

static void synchronise(struct runner *runner, const struct command *command)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(&command->rooms, &cursor)) {
        if (cursor.worker < runner_room_limit(runner)) {
            synchronise_room(runner, cursor.worker);
        }
    }
}

/* The furthest step that a worker of the room has begun here. */
static uint64_t furthest_step(struct worker_list workers)
{
    uint64_t furthest = 0;
    for (size_t i = 0; i < workers.count; i++) {
        furthest = workers.items[i]->step > furthest ? workers.items[i]->step : furthest;
    }
    return furthest;
}

/* A room that begins to synchronise later has not reported how far it is: its workers end after their step,
 * like those of a room that never synchronises. */
static void halt_rooms(struct runner *runner)
{
    struct map_cursor cursor = {0};
    while (map_next(runner->rooms, &cursor)) {
        struct room *room = cursor.value;
        room->is_halted = room->is_synchronising;
    }
}

static void tell_furthest_steps(struct runner *runner)
{
    struct notice *notice = runner_add_notice(runner, NOTICE_DRAINED);
    notice->room_steps = memory_new(map_size(runner->rooms), sizeof *notice->room_steps);
    struct map_cursor cursor = {0};
    while (map_next(runner->rooms, &cursor)) {
        const struct room *room = cursor.value;
        struct worker_list workers = worker_index_of_room(runner->index, room->id);
        if (room->is_halted && workers.count > 0) {
            notice->room_steps[notice->room_step_count++] =
                (struct room_step){.room = room->id, .step = furthest_step(workers)};
        }
    }
}

/* The coordinator knows that these workers begin their next step. */
static void begin_known_steps(struct runner *runner, const struct command *command)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(&command->workers, &cursor)) {
        struct worker *worker = worker_index_find(runner->index, cursor.worker);
        if (worker != NULL && worker->state == WORKER_ASKING) {
            runner_move(runner, worker, WORKER_KNOWN);
        }
    }
}

static void runner_command_drain(struct runner *runner, const struct command *command)
{
    (void)command;
    if (runner->is_draining) {
        return;
    }
    runner_take_last_arrivals(runner);
    runner->is_draining = true;
    halt_rooms(runner);
    struct worker_list workers = worker_index_all(runner->index);
    for (size_t i = 0; i < workers.count; i++) {
        struct worker *worker = workers.items[i];
        if (worker->state == WORKER_WAITING) {
            runner_move(runner, worker, WORKER_END);
        } else if (worker->state == WORKER_BETWEEN) {
            runner_move(runner, worker, runner_choose(runner, worker, true));
        }
    }
    tell_furthest_steps(runner);
}

static void run_until(struct runner *runner, const struct command *command)
{
    for (size_t i = 0; i < command->room_step_count; i++) {
        struct room *room = runner_room(runner, command->room_steps[i].room);
        if (room == NULL || !room->is_halted) {
            continue;
        }
        room->has_last_step = true;
        room->last_step = command->room_steps[i].step;
        struct worker_list workers = worker_index_of_room(runner->index, room->id);
        for (size_t j = 0; j < workers.count; j++) {
            if (workers.items[j]->state == WORKER_HALTED) {
                runner_move(runner, workers.items[j], runner_choose(runner, workers.items[j], true));
            }
        }
    }
}

static void release_rooms(struct runner *runner, const struct command *command)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(&command->rooms, &cursor)) {
        if (cursor.worker >= runner_room_limit(runner)) {
            continue;
        }
        runner_ensure_room(runner, cursor.worker)->is_done = true;
        struct worker_list workers = worker_index_of_room(runner->index, cursor.worker);
        for (size_t i = 0; i < workers.count; i++) {
            if (workers.items[i]->state == WORKER_HELD) {
                runner_move(runner, workers.items[i], WORKER_RELEASE);
            }
        }
    }
}

static void runner_command_stop(struct runner *runner, const struct command *command)
{
    if (runner->is_stopping) {
        return;
    }
    runner->is_stopping = true;
    bool has_words = command->text != NULL && command->text[0] != '\0';
    runner->stop_text = memory_copy_string(has_words ? command->text : "the campaign is stopping");
    struct worker_list workers = worker_index_all(runner->index);
    for (size_t i = 0; i < workers.count; i++) {
        runner_stop_calls(runner, workers.items[i], runner->stop_text);
        runner_move(runner, workers.items[i], WORKER_STOP);
    }
}

static void forget(struct runner *runner, const struct command *command)
{
    (void)command;
    runner->is_forgotten = true;
}

void runner_take_command(struct runner *runner, const struct command *command)
{
    static void (*const COMMANDS[])(struct runner *, const struct command *) = {
        [COMMAND_DEPLOY] = runner_command_deploy,
        [COMMAND_GLOBAL] = NULL,
        [COMMAND_BEGIN] = runner_command_begin,
        [COMMAND_ASSIGN] = runner_command_assign,
        [COMMAND_REPLY] = runner_take_reply,
        [COMMAND_SYNCHRONISE] = synchronise,
        [COMMAND_DRAIN] = runner_command_drain,
        [COMMAND_RUN_UNTIL] = run_until,
        [COMMAND_ROOMS_DONE] = release_rooms,
        [COMMAND_STOP] = runner_command_stop,
        [COMMAND_FORGET] = forget,
        [COMMAND_SCALE] = runner_scale,
        [COMMAND_KNOWN] = begin_known_steps,
        [COMMAND_PACE] = runner_pace_change,
    };
    if (COMMANDS[command->kind] != NULL) {
        COMMANDS[command->kind](runner, command);
    }
}
