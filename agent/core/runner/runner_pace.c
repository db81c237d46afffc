/* When workers begin their steps: as soon as they can, after a pause, at a pace of their own, or when an
 * arrival of the campaign's plan finds them free. */
#include "agent/core/runner/runner_internal.h"
#include "agent/core/runner/schedule.h"
#include "common/memory.h"
#include "common/time_units.h"

static void pace_open_lane(const struct runner *runner, const struct load *load, struct lane *lane)
{
    const struct campaign_options *options = runner->options;
    uint32_t size = options->room_size > 0 ? options->room_size : 1;
    lane->load = *load;
    lane->is_open = load_is_open(load);
    lane->slots = load->workers / size + (load->workers % size > 0 ? 1 : 0);
    lane->first_slot = load->first_worker / size;
    lane->workers = load->workers;
    lane->end_ns = load_end_ns(options, load);
    if (load->think.size > 0) {
        (void)!load_parse_think(load->think, &lane->think, NULL);
    }
    if (lane->is_open) {
        arrivals_init(&lane->arrivals, options, load);
        lane->marks[0] = lane->marks[1] = (struct arrival_mark){0, lane->arrivals.count};
    }
}

void runner_pace_init(struct runner *runner)
{
    struct loads loads;
    struct pacer *pace = &runner->pace;
    loads_of(runner->options, &loads);
    pace->has_rooms = runner->options->room_size > 0;
    pace->must_rest = runner->options->delay_ms > 0;
    pace->lanes = memory_new(loads.count, sizeof *pace->lanes);
    for (; pace->lane_count < loads.count; pace->lane_count++) {
        struct lane *lane = &pace->lanes[pace->lane_count];
        pace_open_lane(runner, &loads.items[pace->lane_count], lane);
        pace->must_rest = pace->must_rest || lane->is_open || lane->load.pacing_ms > 0 ||
                          lane->load.start_ms > 0 || lane->think.law != THINK_NONE;
    }
}

void runner_pace_finish(struct runner *runner)
{
    for (size_t i = 0; i < runner->pace.lane_count; i++) {
        memory_free(runner->pace.lanes[i].free.items);
        memory_free(runner->pace.lanes[i].late.items);
        for (size_t j = 0; j < runner->pace.lanes[i].share_count; j++) {
            memory_free(runner->pace.lanes[i].shares[j].starts);
        }
        memory_free(runner->pace.lanes[i].shares);
        memory_free(runner->pace.lanes[i].more_rooms);
    }
    memory_free(runner->pace.lanes);
    memory_free(runner->pace.growths);
    runner_turns_free(runner);
}

struct lane *runner_lane_of(const struct runner *runner, uint32_t worker)
{
    const struct pacer *pace = &runner->pace;
    size_t i = pace->lane_count - 1;
    for (size_t j = pace->growth_count; j-- > 0;) {
        if (worker >= pace->growths[j].first_worker) {
            return &pace->lanes[pace->growths[j].load];
        }
    }
    while (i > 0 && worker < pace->lanes[i].load.first_worker) {
        i--;
    }
    return &pace->lanes[i];
}

uint32_t runner_pace_load(const struct runner *runner, const struct worker *worker)
{
    return (uint32_t)(runner_lane_of(runner, worker->id) - runner->pace.lanes);
}

bool runner_pace_is_of_anyone(const struct runner *runner, const struct worker *worker)
{
    return !runner->pace.has_rooms && runner_lane_of(runner, worker->id)->is_open;
}

/* The instant of this clock at which a load that has begun with the campaign is so far. */
static uint64_t pace_instant(const struct runner *runner, uint64_t plan_ns)
{
    return plan_ns == RATE_NEVER ? TIMERS_NEVER
                                 : runner->pace.begin_ns + runner->pace.told.shift_ns + plan_ns;
}

uint64_t runner_pace_instant(const struct runner *runner, const struct lane *lane, uint64_t load_ns)
{
    return load_ns == RATE_NEVER ? TIMERS_NEVER : pace_instant(runner, load_start_ns(&lane->load) + load_ns);
}

bool runner_pace_is_paused_at(const struct runner *runner, uint64_t at_ns)
{
    return runner->pace.told.is_paused && at_ns >= pace_instant(runner, runner->pace.told.paused_at_ns);
}

/* The next step of the worker has to wait for the campaign to go on. Where workers meet, all of a room pause
 * before the same step. */
static bool pace_holds(const struct runner *runner, const struct worker *worker)
{
    const struct room *room = runner_room_of(runner, worker);
    bool is_before = room != NULL && room->is_synchronising && worker->step + 1 < room->pause_step;
    return runner_pace_is_paused_at(runner, runner->event->now_ns) && !is_before && !runner->is_draining;
}

/* Where it is of a room that arrivals are given to. */
static bool pace_is_seat(const struct runner *runner, const struct worker *worker)
{
    return runner->pace.has_rooms && runner_lane_of(runner, worker->id)->is_open;
}

/* When the step after the present one is to begin; 0: at no instant of its own. */
static uint64_t pace_next_ns(const struct runner *runner, const struct worker *worker)
{
    const struct lane *lane = runner_lane_of(runner, worker->id);
    uint64_t start_ns = lane->load.start_ms > 0 ? runner_pace_instant(runner, lane, 0) : 0;
    if (lane->is_open) {
        return runner_pace_instant(runner, lane, runner_turns_next_ns(runner, worker));
    }
    if (lane->load.pacing_ms > 0) {
        uint64_t first_ns = runner->event->now_ns > start_ns ? runner->event->now_ns : start_ns;
        return worker->intended_ns == 0 ? first_ns
                                        : schedule_after_ns(worker->intended_ns, lane->load.pacing_ms);
    }
    return 0;
}

void runner_share_runs(struct runner *runner, const struct worker *worker)
{
    uint64_t shared = runner->options->shared_runs;
    uint64_t workers = runner->options->workers;
    uint64_t part = worker->id < workers ? shared / workers + (worker->id < shared % workers ? 1 : 0) : 0;
    runner->shared_runs += (int64_t)part - (int64_t)worker->step;
}

bool runner_has_runs(const struct runner *runner, const struct worker *worker)
{
    bool has_shared = runner->options->shared_runs == 0 || runner->shared_runs > 0;
    uint64_t own = runner_lane_of(runner, worker->id)->load.runs;
    return has_shared && (runner->runs == 0 || worker->step < runner->runs) &&
           (own == 0 || worker->step < own);
}

bool runner_must_rest(const struct runner *runner)
{
    return runner->pace.must_rest || runner->pace.told.is_paused;
}

bool runner_pace_is_immediate(const struct runner *runner, const struct worker *worker)
{
    const struct lane *lane = runner_lane_of(runner, worker->id);
    return !lane->is_open && lane->load.start_ms == 0 && !runner->pace.told.is_paused;
}

bool runner_pace_is_over(const struct runner *runner, const struct worker *worker)
{
    const struct lane *lane = runner_lane_of(runner, worker->id);
    if (runner->options->load.size == 0 || runner->pace.begin_ns == 0) {
        return false; /* it ends with the campaign */
    }
    if (lane->is_open) {
        bool is_left = runner->pace.has_rooms ? runner_turns_left(runner, worker) > 0 : lane->late.count > 0;
        return lane->arrivals.at_ns == RATE_NEVER && !is_left;
    }
    return lane->load.duration_ms > 0 &&
           runner->event->now_ns >= runner_pace_instant(runner, lane, lane->end_ns);
}

void runner_pace_step(struct runner *runner, struct worker *worker)
{
    runner->shared_runs--;
    if (!runner_pace_is_of_anyone(runner, worker)) {
        uint64_t next_ns = pace_next_ns(runner, worker);
        worker->intended_ns = next_ns != TIMERS_NEVER ? next_ns : 0;
    }
}

bool runner_pace_is_arrival(const struct runner *runner, const struct worker *worker)
{
    bool is_first = !runner->pace.has_rooms || worker->id % runner->options->room_size == 0;
    return is_first && runner_lane_of(runner, worker->id)->is_open;
}

bool runner_pace_is_free(const struct worker *worker)
{
    return worker->state == WORKER_BETWEEN && worker->timer.position == TIMER_UNSET;
}

void runner_pace_free(struct runner *runner, struct worker *worker)
{
    struct lane *lane = runner_lane_of(runner, worker->id);
    if (!runner_pace_is_of_anyone(runner, worker)) {
        bool has_turn = !pace_is_seat(runner, worker) || runner_turns_left(runner, worker) > 0;
        if (has_turn && !pace_holds(runner, worker)) {
            runner_move(runner, worker, runner_choose(runner, worker, true));
        }
    } else if (lane->late.count > 0) {
        runner_pace_give(runner, worker, runner_arrivals_pop_late(lane));
    } else {
        runner_pace_push(&lane->free, worker->id);
    }
}

/* It begins its next step at this instant, or when that is to begin. */
static void pace_wait(struct runner *runner, struct worker *worker, uint64_t due_ns)
{
    const struct lane *lane = runner_lane_of(runner, worker->id);
    if (!lane->is_open) {
        uint64_t intended_ns = pace_next_ns(runner, worker);
        due_ns = intended_ns > due_ns ? intended_ns : due_ns;
    }
    uint64_t start_ns = lane->load.start_ms > 0 && !lane->is_open ? runner_pace_instant(runner, lane, 0) : 0;
    due_ns = start_ns > due_ns ? start_ns : due_ns;
    if (due_ns > runner->event->now_ns) {
        timers_set(runner->timers, &worker->timer, due_ns);
    } else {
        runner_pace_free(runner, worker);
    }
}

void runner_rest(struct runner *runner, struct worker *worker)
{
    const struct think_time *think = &runner_lane_of(runner, worker->id)->think;
    uint64_t due_ns = runner->event->now_ns;
    if (worker->step > 0) {
        uint64_t think_ns = think_draw_ns(think, runner->options->seed, worker->id, worker->step);
        due_ns = schedule_after_ns(due_ns, runner->options->delay_ms) + think_ns;
    }
    pace_wait(runner, worker, due_ns);
}

/* The plan has stood still for so long: what was to come comes so much later. */
static void pace_go_on(struct runner *runner, uint64_t for_ns, uint64_t from_ns)
{
    struct worker_list workers = worker_index_all(runner->index);
    for (size_t i = 0; i < workers.count; i++) {
        struct worker *worker = workers.items[i];
        if (runner_pace_is_of_anyone(runner, worker)) {
            continue;
        }
        worker->intended_ns += worker->intended_ns > 0 ? for_ns : 0;
        if (worker->state == WORKER_BETWEEN) {
            timers_unset(runner->timers, &worker->timer);
            pace_wait(runner, worker, from_ns);
        }
    }
}

void runner_pace_change(struct runner *runner, const struct command *command)
{
    struct pace before = runner->pace.told;
    struct pace *told = &runner->pace.told;
    *told = command->pace;
    if (told->has_rate && runner->pace.lane_count == 1 && runner->pace.lanes[0].is_open) {
        arrivals_change(&runner->pace.lanes[0].arrivals, told->rate_at_ns, told->rate_per_s, told->before);
    }
    if (told->slots > 0 && told->load < runner->pace.lane_count) {
        runner_arrivals_share(runner, &runner->pace.lanes[told->load], command);
    }
    for (size_t i = 0; told->is_paused && i < command->room_step_count; i++) {
        if (command->room_steps[i].room < runner_room_limit(runner)) {
            runner_ensure_room(runner, command->room_steps[i].room)->pause_step = command->room_steps[i].step;
        }
    }
    if (before.is_paused && !told->is_paused) {
        pace_go_on(runner, told->shift_ns - before.shift_ns, pace_instant(runner, before.paused_at_ns));
    }
}

void runner_pace_end(struct runner *runner, const struct worker *worker)
{
    if (runner->pace.has_rooms && runner_pace_is_arrival(runner, worker)) {
        runner->pace.dropped += runner_turns_left(runner, worker);
    }
}

uint64_t runner_dropped(const struct runner *runner)
{
    return runner->pace.dropped;
}
