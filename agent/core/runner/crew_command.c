/* What the agent tells a crew, one function a command. */
#include "agent/core/runner/crew_internal.h"
#include "agent/core/runner/schedule.h"
#include "common/memory.h"

static void crew_command_deploy(struct crew *crew, const struct command *command)
{
    size_t count = 0;
    (void)roster_add(crew->roster, &command->workers, 1, &count);
    crew->counts[WORKER_WAITING] += (uint32_t)count;
    crew->given += worker_set_count(&command->workers);
}

static void crew_command_begin(struct crew *crew, const struct command *command)
{
    if (crew->has_begun) {
        return;
    }
    crew->has_begun = true;
    crew->begin_ns = command->at_ns;
    uint64_t begin_ns = command->at_ns == 0 ? crew->event->now_ns : command->at_ns;
    struct worker_list workers = roster_all(crew->roster);
    for (size_t i = 0; i < workers.count; i++) {
        struct worker *worker = workers.items[i];
        if (worker->state == WORKER_WAITING) {
            timers_set(crew->timers, &worker->timer, schedule_start_ns(crew->options, begin_ns, worker->id));
        }
    }
}

static void start_again(struct crew *crew, const struct worker_set *workers, uint64_t first_step)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(workers, &cursor)) {
        struct worker *worker = roster_find(crew->roster, cursor.worker);
        if (worker != NULL) {
            crew_start_again(crew, worker, first_step);
        }
    }
}

/* Workers that a lost agent had, or that the campaign has more. */
static void crew_command_assign(struct crew *crew, const struct command *command)
{
    uint64_t first_step = command->first_step == 0 ? 1 : command->first_step;
    size_t count = 0;
    start_again(crew, &command->workers, first_step);
    struct worker *workers = roster_add(crew->roster, &command->workers, first_step, &count);
    crew->given += worker_set_count(&command->workers);
    crew->counts[WORKER_WAITING] += (uint32_t)count;
    crew->has_assigned = crew->has_assigned || crew->given > 0;
    crew->has_finished = false;
    for (size_t i = 0; i < count; i++) {
        crew_start(crew, &workers[i]);
    }
}

static void synchronise_room(struct crew *crew, uint32_t id)
{
    struct room *room = crew_ensure_room(crew, id);
    if (room->is_synchronising) {
        return;
    }
    room->is_synchronising = true;
    struct worker_list workers = roster_of_room(crew->roster, id);
    for (size_t i = 0; i < workers.count; i++) {
        struct worker *worker = workers.items[i];
        if (!worker_has_ended(worker)) {
            crew_report_past(crew, worker, bytes_of_string(worker->last_text));
            worker_remember(worker, NULL);
        }
    }
}

static void synchronise(struct crew *crew, const struct command *command)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(&command->rooms, &cursor)) {
        if (cursor.worker < crew_room_limit(crew)) {
            synchronise_room(crew, cursor.worker);
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

/* A room that synchronises only later has told nobody how far it is: its workers end at their next boundary,
 * like those of a room that never does. */
static void halt_rooms(struct crew *crew)
{
    struct map_cursor cursor = {0};
    while (map_next(crew->rooms, &cursor)) {
        struct room *room = cursor.value;
        room->is_halted = room->is_synchronising;
    }
}

static void tell_furthest_steps(struct crew *crew)
{
    struct notice *notice = crew_add_notice(crew, NOTICE_DRAINED);
    notice->room_steps = memory_new(map_size(crew->rooms), sizeof *notice->room_steps);
    struct map_cursor cursor = {0};
    while (map_next(crew->rooms, &cursor)) {
        const struct room *room = cursor.value;
        struct worker_list workers = roster_of_room(crew->roster, room->id);
        if (room->is_halted && workers.count > 0) {
            notice->room_steps[notice->room_step_count++] =
                (struct room_step){.room = room->id, .step = furthest_step(workers)};
        }
    }
}

/* Of these workers the coordinator knows that they begin their next step. */
static void begin_known_steps(struct crew *crew, const struct command *command)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(&command->workers, &cursor)) {
        struct worker *worker = roster_find(crew->roster, cursor.worker);
        if (worker != NULL && worker->state == WORKER_ASKING) {
            crew_move(crew, worker, WORKER_KNOWN);
        }
    }
}

static void crew_command_drain(struct crew *crew, const struct command *command)
{
    (void)command;
    if (crew->is_draining) {
        return;
    }
    crew->is_draining = true;
    halt_rooms(crew);
    struct worker_list workers = roster_all(crew->roster);
    for (size_t i = 0; i < workers.count; i++) {
        struct worker *worker = workers.items[i];
        if (worker->state == WORKER_WAITING) {
            crew_move(crew, worker, WORKER_END);
        } else if (worker->state == WORKER_BETWEEN) {
            crew_move(crew, worker, crew_choose(crew, worker, true));
        }
    }
    tell_furthest_steps(crew);
}

static void run_until(struct crew *crew, const struct command *command)
{
    for (size_t i = 0; i < command->room_step_count; i++) {
        struct room *room = crew_room(crew, command->room_steps[i].room);
        if (room == NULL || !room->is_halted) {
            continue;
        }
        room->has_last_step = true;
        room->last_step = command->room_steps[i].step;
        struct worker_list workers = roster_of_room(crew->roster, room->id);
        for (size_t j = 0; j < workers.count; j++) {
            if (workers.items[j]->state == WORKER_HALTED) {
                crew_move(crew, workers.items[j], crew_choose(crew, workers.items[j], true));
            }
        }
    }
}

static void release_rooms(struct crew *crew, const struct command *command)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(&command->rooms, &cursor)) {
        if (cursor.worker >= crew_room_limit(crew)) {
            continue;
        }
        crew_ensure_room(crew, cursor.worker)->is_done = true;
        struct worker_list workers = roster_of_room(crew->roster, cursor.worker);
        for (size_t i = 0; i < workers.count; i++) {
            if (workers.items[i]->state == WORKER_HELD) {
                crew_move(crew, workers.items[i], WORKER_RELEASE);
            }
        }
    }
}

static void crew_command_stop(struct crew *crew, const struct command *command)
{
    if (crew->is_stopping) {
        return;
    }
    crew->is_stopping = true;
    bool has_words = command->text != NULL && command->text[0] != '\0';
    crew->stop_text = memory_copy_string(has_words ? command->text : "the campaign is stopping");
    struct worker_list workers = roster_all(crew->roster);
    for (size_t i = 0; i < workers.count; i++) {
        crew_stop_call(crew, workers.items[i]);
        crew_move(crew, workers.items[i], WORKER_STOP);
    }
}

static void forget(struct crew *crew, const struct command *command)
{
    (void)command;
    crew->is_forgotten = true;
}

void crew_take_command(struct crew *crew, const struct command *command)
{
    static void (*const COMMANDS[])(struct crew *, const struct command *) = {
        [COMMAND_DEPLOY] = crew_command_deploy,
        [COMMAND_GLOBAL] = NULL,
        [COMMAND_BEGIN] = crew_command_begin,
        [COMMAND_ASSIGN] = crew_command_assign,
        [COMMAND_REPLY] = crew_take_reply,
        [COMMAND_SYNCHRONISE] = synchronise,
        [COMMAND_DRAIN] = crew_command_drain,
        [COMMAND_RUN_UNTIL] = run_until,
        [COMMAND_ROOMS_DONE] = release_rooms,
        [COMMAND_STOP] = crew_command_stop,
        [COMMAND_FORGET] = forget,
        [COMMAND_SCALE] = crew_scale,
        [COMMAND_KNOWN] = begin_known_steps,
    };
    if (COMMANDS[command->kind] != NULL) {
        COMMANDS[command->kind](crew, command);
    }
}
