/* When workers begin their steps: as soon as they can, after a pause, at a pace of their own, or when an
 * arrival of the campaign's plan finds them free. */
#include "agent/core/runner/runner_internal.h"
#include "agent/core/runner/schedule.h"
#include "common/memory.h"
#include "common/time_units.h"

/* Bounds the work of one step of the runner. */
#define ARRIVALS_AT_ONCE 4096u

void runner_pace_init(struct runner *runner)
{
    const struct campaign_options *options = runner->options;
    struct pacer *pace = &runner->pace;
    pace->is_open = campaign_is_open(options);
    pace->has_rooms = options->room_size > 0;
    pace->slots = pace->has_rooms ? campaign_room_count(options) : options->workers;
    if (options->think.size > 0) {
        (void)!load_parse_think(options->think, &pace->think, NULL);
    }
    if (pace->is_open) {
        arrivals_init(&pace->arrivals, options);
    }
}

void runner_pace_finish(struct runner *runner)
{
    memory_free(runner->pace.free.items);
    memory_free(runner->pace.late.items);
}

static void pace_push(struct pace_queue *queue, uint64_t item)
{
    if (queue->count == queue->capacity) {
        size_t capacity = queue->capacity > 0 ? 2 * queue->capacity : 64;
        uint64_t *items = memory_new(capacity, sizeof *items);
        for (size_t i = 0; i < queue->count; i++) {
            items[i] = queue->items[(queue->first + i) % queue->capacity];
        }
        memory_free(queue->items);
        *queue = (struct pace_queue){.items = items, .count = queue->count, .capacity = capacity};
    }
    queue->items[(queue->first + queue->count++) % queue->capacity] = item;
}

static uint64_t pace_pop(struct pace_queue *queue)
{
    uint64_t item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    return item;
}

bool runner_pace_is_of_anyone(const struct runner *runner)
{
    return runner->pace.is_open && !runner->pace.has_rooms;
}

static uint64_t pace_instant(const struct runner *runner, uint64_t plan_ns)
{
    return plan_ns == RATE_NEVER ? TIMERS_NEVER
                                 : runner->pace.begin_ns + runner->pace.told.shift_ns + plan_ns;
}

/* Whether the plan stands still at this instant. */
static bool pace_is_paused_at(const struct runner *runner, uint64_t at_ns)
{
    return runner->pace.told.is_paused && at_ns >= pace_instant(runner, runner->pace.told.paused_at_ns);
}

/* The next step of the worker has to wait for the campaign to go on. Where workers meet, all of a room pause
 * before the same step. */
static bool pace_holds(const struct runner *runner, const struct worker *worker)
{
    const struct room *room = runner_room_of(runner, worker);
    bool is_before = room != NULL && room->is_synchronising && worker->step + 1 < room->pause_step;
    return pace_is_paused_at(runner, runner->event->now_ns) && !is_before && !runner->is_draining;
}

/* The arrivals of a room come one after the other: with a Poisson plan each from the one before it. */
static uint64_t pace_next_of_room(const struct runner *runner, const struct worker *worker)
{
    const struct pacer *pace = &runner->pace;
    uint32_t room = worker_index_room(runner->index, worker);
    uint64_t before_ns =
        worker->intended_ns > 0 ? worker->intended_ns - pace->begin_ns - pace->told.shift_ns : 0;
    uint64_t nth = worker->step + 1;
    if (worker->intended_ns == 0 && pace->arrivals.is_poisson) { /* the steps before were another agent's */
        for (uint64_t i = 1; i < nth && before_ns != RATE_NEVER; i++) {
            before_ns = arrivals_of_slot(&pace->arrivals, pace->slots, room, i, before_ns);
        }
    }
    return before_ns == RATE_NEVER
               ? TIMERS_NEVER
               : pace_instant(runner, arrivals_of_slot(&pace->arrivals, pace->slots, room, nth, before_ns));
}

/* When the step after the present one is to begin; 0: at no instant of its own. */
static uint64_t pace_next_ns(const struct runner *runner, const struct worker *worker)
{
    if (runner->pace.is_open) {
        return pace_next_of_room(runner, worker);
    }
    if (runner->options->pacing_ms == 0) {
        return 0;
    }
    return worker->intended_ns == 0 ? runner->event->now_ns
                                    : schedule_after_ns(worker->intended_ns, runner->options->pacing_ms);
}

void runner_share_runs(struct runner *runner, const struct worker *worker)
{
    uint64_t shared = runner->options->shared_runs;
    uint64_t workers = runner->options->workers;
    uint64_t part = worker->id < workers ? shared / workers + (worker->id < shared % workers ? 1 : 0) : 0;
    runner->shared_runs += (int64_t)part - (int64_t)worker->step;
}

bool runner_has_runs(const struct runner *runner, uint64_t step)
{
    bool has_shared = runner->options->shared_runs == 0 || runner->shared_runs > 0;
    return has_shared && (runner->runs == 0 || step <= runner->runs);
}

bool runner_must_rest(const struct runner *runner)
{
    return runner->options->delay_ms > 0 || runner->pace.think.law != THINK_NONE ||
           runner->options->pacing_ms > 0 || runner->pace.is_open || runner->pace.told.is_paused;
}

void runner_pace_step(struct runner *runner, struct worker *worker)
{
    runner->shared_runs--;
    if (!runner_pace_is_of_anyone(runner)) {
        uint64_t next_ns = pace_next_ns(runner, worker);
        worker->intended_ns = next_ns != TIMERS_NEVER ? next_ns : 0;
    }
}

bool runner_pace_is_arrival(const struct runner *runner, const struct worker *worker)
{
    const struct pacer *pace = &runner->pace;
    return pace->is_open && (!pace->has_rooms || worker->id % runner->options->room_size == 0);
}

/* Nothing keeps it from beginning a step that an arrival is given to. */
static bool pace_is_free(const struct worker *worker)
{
    return worker->state == WORKER_BETWEEN && worker->timer.position == TIMER_UNSET;
}

static struct worker *pace_take_free(struct runner *runner)
{
    struct pacer *pace = &runner->pace;
    while (pace->free.count > 0) {
        struct worker *worker = worker_index_find(runner->index, (uint32_t)pace_pop(&pace->free));
        if (worker != NULL && pace_is_free(worker)) {
            return worker;
        }
    }
    return NULL;
}

static void pace_give(struct runner *runner, struct worker *worker, uint64_t intended_ns)
{
    worker->intended_ns = intended_ns;
    runner_move(runner, worker, runner_choose(runner, worker, true));
}

/* While workers are about to be set up, so many arrivals wait for them. */
static void pace_drop_surplus(struct runner *runner)
{
    struct pacer *pace = &runner->pace;
    size_t coming = runner->counts[WORKER_WAITING] + runner->counts[WORKER_SETUP];
    while (pace->late.count > coming) {
        (void)pace_pop(&pace->late);
        pace->dropped++;
    }
}

static void pace_arrive(struct runner *runner, uint64_t intended_ns)
{
    struct worker *worker = pace_take_free(runner);
    if (worker != NULL) {
        pace_give(runner, worker, intended_ns);
    } else {
        pace_push(&runner->pace.late, intended_ns);
        pace_drop_surplus(runner);
    }
}

/* Those of the slots of our own workers; the others are for the runners that have them. */
static void pace_take_until(struct runner *runner, uint64_t until_ns, unsigned limit)
{
    struct pacer *pace = &runner->pace;
    for (unsigned i = 0; i < limit; i++) {
        uint64_t at_ns = pace_instant(runner, pace->arrivals.at_ns);
        if (at_ns == TIMERS_NEVER || at_ns > until_ns || pace_is_paused_at(runner, at_ns)) {
            return;
        }
        uint32_t slot = (uint32_t)(pace->arrivals.number % pace->slots);
        arrivals_pass(&pace->arrivals);
        if (worker_index_find(runner->index, slot) != NULL) {
            pace_arrive(runner, at_ns);
        }
    }
}

static bool pace_runs(const struct runner *runner)
{
    return runner_pace_is_of_anyone(runner) && runner->pace.begin_ns > 0 && !runner->is_draining &&
           !runner->is_stopping;
}

void runner_take_arrivals(struct runner *runner)
{
    if (pace_runs(runner)) {
        pace_drop_surplus(runner);
        pace_take_until(runner, runner->event->now_ns, ARRIVALS_AT_ONCE);
    }
}

void runner_take_last_arrivals(struct runner *runner)
{
    if (pace_runs(runner)) {
        pace_take_until(runner, TIMERS_NEVER, UINT32_MAX);
        runner->pace.dropped += runner->pace.late.count;
        runner->pace.late.count = 0;
    }
}

uint64_t runner_arrival_due_ns(const struct runner *runner)
{
    uint64_t at_ns = pace_instant(runner, runner->pace.arrivals.at_ns);
    return pace_runs(runner) && !pace_is_paused_at(runner, at_ns) ? at_ns : TIMERS_NEVER;
}

void runner_pace_free(struct runner *runner, struct worker *worker)
{
    if (!runner_pace_is_of_anyone(runner)) {
        if (!pace_holds(runner, worker)) {
            runner_move(runner, worker, runner_choose(runner, worker, true));
        }
    } else if (runner->pace.late.count > 0) {
        pace_give(runner, worker, pace_pop(&runner->pace.late));
    } else {
        pace_push(&runner->pace.free, worker->id);
    }
}

/* It begins its next step at this instant, or when that is to begin. */
static void pace_wait(struct runner *runner, struct worker *worker, uint64_t due_ns)
{
    if (!runner_pace_is_of_anyone(runner)) {
        uint64_t intended_ns = pace_next_ns(runner, worker);
        due_ns = intended_ns > due_ns ? intended_ns : due_ns;
    }
    if (due_ns == TIMERS_NEVER) {
        return; /* no arrival is left: it waits for the campaign to drain */
    }
    if (due_ns > runner->event->now_ns) {
        timers_set(runner->timers, &worker->timer, due_ns);
    } else {
        runner_pace_free(runner, worker);
    }
}

void runner_rest(struct runner *runner, struct worker *worker)
{
    const struct pacer *pace = &runner->pace;
    uint64_t now_ns = runner->event->now_ns;
    uint64_t due_ns = now_ns;
    if (worker->step > 0) {
        uint64_t think_ns = think_draw_ns(&pace->think, runner->options->seed, worker->id, worker->step);
        due_ns = schedule_after_ns(now_ns, runner->options->delay_ms) + think_ns;
    }
    pace_wait(runner, worker, due_ns);
}

/* The plan has stood still for so long: what was to come comes so much later. */
static void pace_go_on(struct runner *runner, uint64_t for_ns, uint64_t from_ns)
{
    struct worker_list workers = worker_index_all(runner->index);
    for (size_t i = 0; i < workers.count && !runner_pace_is_of_anyone(runner); i++) {
        struct worker *worker = workers.items[i];
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
    if (told->has_rate && runner->pace.is_open) {
        arrivals_change(&runner->pace.arrivals, told->rate_at_ns, told->rate_per_s, told->before);
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
    struct worker left = *worker;
    uint64_t until_ns = runner->is_draining && !runner->is_stopping ? TIMERS_NEVER : runner->event->now_ns;
    if (!runner->pace.has_rooms || !runner_pace_is_arrival(runner, worker) || runner->pace.begin_ns == 0) {
        return;
    }
    for (;;) {
        uint64_t next_ns = pace_next_of_room(runner, &left);
        if (next_ns >= until_ns) {
            return;
        }
        left.intended_ns = next_ns;
        left.step++;
        runner->pace.dropped++;
    }
}

uint64_t runner_dropped(const struct runner *runner)
{
    return runner->pace.dropped;
}
