/* The arrivals of a plan as a runner follows them: which of them are of its workers, and who begins with
 * each. */
#include "agent/core/runner/runner_internal.h"
#include "common/memory.h"
#include "common/time_units.h"

/* Bounds the work of one step of the runner. */
#define ARRIVALS_AT_ONCE 4096u
/* A place to go back to each so many. */
#define ARRIVALS_MARKED 65536u

void runner_pace_push(struct pace_queue *queue, uint64_t item)
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

uint64_t runner_pace_pop(struct pace_queue *queue)
{
    uint64_t item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    return item;
}

static struct worker *arrivals_take_free(const struct runner *runner, struct lane *lane)
{
    while (lane->free.count > 0) {
        struct worker *worker = worker_index_find(runner->index, (uint32_t)runner_pace_pop(&lane->free));
        if (worker != NULL && runner_pace_is_free(worker)) {
            return worker;
        }
    }
    return NULL;
}

void runner_pace_give(struct runner *runner, struct worker *worker, uint64_t intended_ns)
{
    bool has_runs = runner_has_runs(runner, worker);
    worker->intended_ns = intended_ns;
    runner->pace.dropped += !has_runs;
    runner_move(runner, worker, has_runs ? WORKER_GO : WORKER_END);
}

/* Workers of the lane that are still to be set up, or to be dealt to us. */
static size_t arrivals_count_coming(const struct runner *runner, const struct lane *lane)
{
    size_t coming = runner->counts[WORKER_WAITING] + runner->counts[WORKER_SETUP];
    struct worker_list workers = worker_index_all(runner->index);
    if (coming == 0 || runner->pace.lane_count == 1) {
        return coming + runner_growth_coming(lane);
    }
    coming = 0;
    for (size_t i = 0; i < workers.count; i++) {
        const struct worker *worker = workers.items[i];
        bool is_coming = worker->state == WORKER_WAITING || worker->state == WORKER_SETUP;
        coming += is_coming && runner_lane_of(runner, worker->id) == lane;
    }
    return coming + runner_growth_coming(lane);
}

/* While workers are about to be set up, so many arrivals wait for them. */
static void arrivals_drop_surplus(struct runner *runner, struct lane *lane)
{
    size_t wait = lane->late.count > lane->owed ? arrivals_count_coming(runner, lane) + lane->owed : SIZE_MAX;
    while (lane->late.count > wait) {
        (void)runner_pace_pop(&lane->late);
        runner->pace.dropped++;
    }
}

uint64_t runner_arrivals_pop_late(struct lane *lane)
{
    uint64_t intended_ns = runner_pace_pop(&lane->late);
    lane->owed = lane->owed < lane->late.count ? lane->owed : lane->late.count;
    return intended_ns;
}

static void arrivals_arrive(struct runner *runner, struct lane *lane, uint64_t intended_ns)
{
    struct worker *worker = arrivals_take_free(runner, lane);
    if (worker != NULL) {
        lane->busy_ns = runner->event->now_ns;
        runner_pace_give(runner, worker, intended_ns);
        return;
    }
    /* Where this loop is late, many arrivals are due at the same time that were not: those are late too, and
     * do not count as if they had found nobody. */
    bool is_owed = intended_ns <= lane->busy_ns;
    bool is_too_many = !is_owed && lane->late.count >= lane->owed + arrivals_count_coming(runner, lane);
    if (is_too_many && (runner->pace.is_over || !runner_growth_ask(runner, lane, 1))) {
        runner->pace.dropped++;
        return;
    }
    lane->owed += is_owed;
    runner_pace_push(&lane->late, intended_ns);
}

bool runner_arrivals_keep(const struct runner *runner, const struct worker *worker)
{
    const struct lane *lane = runner_lane_of(runner, worker->id);
    if (!lane->is_open || runner->pace.begin_ns == 0 || runner->pace.lane_count > 1) {
        return false;
    }
    uint64_t slot = runner->pace.has_rooms ? worker_index_room(runner->index, worker) : worker->id;
    for (size_t i = 0; i < lane->share_count; i++) {
        if (slot < lane->shares[i].slots) {
            return true;
        }
    }
    return slot < lane->slots || (runner->pace.has_rooms && runner_turns_left(runner, worker) > 0);
}

/* Of those that are free. */
static void arrivals_end_surplus(struct runner *runner)
{
    struct worker_list workers = worker_index_all(runner->index);
    for (size_t i = 0; i < workers.count; i++) {
        struct worker *worker = workers.items[i];
        if (runner_pace_is_free(worker) && runner_is_one_too_many(runner, worker)) {
            runner_move(runner, worker, WORKER_END);
        }
    }
}

static void arrivals_take_share(struct runner *runner, struct lane *lane, struct arrival_share *share)
{
    bool are_fewer = share->slots < lane->slots;
    lane->slots = share->slots;
    for (size_t i = 0; i < share->start_count; i++) {
        runner_turns_start(runner, &share->starts[i]);
    }
    memory_free(share->starts);
    if (are_fewer && runner->pace.has_rooms) {
        runner_turns_end(runner, lane);
    } else if (are_fewer) {
        arrivals_end_surplus(runner);
    }
}

/* The number of slots at the next arrival. */
static void arrivals_follow_shares(struct runner *runner, struct lane *lane)
{
    size_t passed = 0;
    while (passed < lane->share_count && lane->shares[passed].at_ns <= lane->arrivals.at_ns) {
        arrivals_take_share(runner, lane, &lane->shares[passed++]);
    }
    lane->share_count -= passed;
    for (size_t i = 0; passed > 0 && i < lane->share_count; i++) {
        lane->shares[i] = lane->shares[passed + i];
    }
}

/* A worker, or a room. */
static uint32_t arrivals_slot(const struct runner *runner, const struct lane *lane, uint64_t nth)
{
    uint64_t own = lane->load.workers / (runner->pace.has_rooms ? runner->options->room_size : 1);
    bool is_more = runner->pace.lane_count > 1 && nth >= own && nth - own < lane->more_count;
    return is_more ? lane->more_rooms[nth - own] : (uint32_t)(lane->first_slot + nth);
}

static bool arrivals_runs(const struct runner *runner, const struct lane *lane)
{
    return lane->is_open && runner->pace.begin_ns > 0 && !runner->is_draining && !runner->is_stopping;
}

/* Goes back to the first arrival that comes at this instant of the load, or later. */
static struct arrivals arrivals_back_to(const struct lane *lane, uint64_t at_ns)
{
    struct arrivals back = lane->arrivals;
    arrivals_resume(&back, &lane->marks[1]);
    if (back.at_ns >= at_ns) {
        arrivals_resume(&back, &lane->marks[0]);
    }
    while (back.at_ns < at_ns && back.number < lane->arrivals.number) {
        arrivals_pass(&back);
    }
    return back;
}

/* The instant is among those that wait for a worker: takes it out. */
static bool arrivals_take_back(struct lane *lane, uint64_t intended_ns)
{
    bool is_found = false;
    size_t count = lane->late.count;
    for (size_t i = 0; i < count; i++) {
        uint64_t late_ns = runner_pace_pop(&lane->late);
        if (late_ns == intended_ns && !is_found) {
            is_found = true;
        } else {
            runner_pace_push(&lane->late, late_ns);
        }
    }
    lane->owed = lane->owed < lane->late.count ? lane->owed : lane->late.count;
    return is_found;
}

/* We hear late of another split: what is not ours by that, and has not begun, is for those whose it is. What
 * is ours by that has not been given to anybody here. */
static void arrivals_split_again(struct runner *runner, struct lane *lane, uint64_t slots, uint64_t at_ns)
{
    struct arrivals again = arrivals_back_to(lane, at_ns);
    for (; again.number < lane->arrivals.number; arrivals_pass(&again)) {
        uint64_t intended_ns = runner_pace_instant(runner, lane, again.at_ns);
        uint32_t before = arrivals_slot(runner, lane, again.number % lane->slots);
        uint32_t after = arrivals_slot(runner, lane, again.number % slots);
        bool was_ours = worker_index_find(runner->index, before) != NULL;
        bool is_ours = worker_index_find(runner->index, after) != NULL;
        if (was_ours && !is_ours) {
            (void)arrivals_take_back(lane, intended_ns);
        } else if (!was_ours && is_ours) {
            arrivals_arrive(runner, lane, intended_ns);
        }
    }
}

/* Likewise, with rooms: they are to have come as far as everywhere else, and what has begun too early is an
 * arrival less later. */
static void arrivals_of_rooms_again(struct runner *runner, struct lane *lane, uint64_t at_ns)
{
    struct arrivals back = arrivals_back_to(lane, at_ns);
    for (struct arrivals again = back; again.number < lane->arrivals.number; arrivals_pass(&again)) {
        runner_turns_take_back(runner, arrivals_slot(runner, lane, again.number % lane->slots));
    }
    lane->arrivals = back;
}

void runner_arrivals_share(struct runner *runner, struct lane *lane, const struct command *command)
{
    uint64_t start_ns = load_start_ns(&lane->load);
    uint64_t at_ns = command->pace.slots_at_ns;
    struct arrival_share share = {.at_ns = at_ns > start_ns ? at_ns - start_ns : 0,
                                  .slots = command->pace.slots};
    bool is_told_again = lane->share_count == 0 && share.slots == lane->slots && command->start_count == 0;
    bool is_late = !is_told_again && arrivals_runs(runner, lane) && lane->arrivals.number > 0 &&
                   share.at_ns <= lane->passed_ns;
    if (command->start_count > 0) {
        share.starts = memory_copy(command->starts, command->start_count * sizeof *command->starts);
        share.start_count = command->start_count;
    }
    lane->shares =
        memory_reserve(lane->shares, &lane->share_capacity, lane->share_count + 1, sizeof *lane->shares);
    lane->shares[lane->share_count++] = share;
    if (is_late && runner->pace.has_rooms) {
        arrivals_of_rooms_again(runner, lane, share.at_ns);
    } else if (is_late) {
        arrivals_split_again(runner, lane, share.slots, share.at_ns);
    }
}

/* Where we may go back to. */
static void arrivals_mark(struct lane *lane, uint64_t passed_ns)
{
    lane->passed_ns = passed_ns;
    if (lane->arrivals.number % ARRIVALS_MARKED == 0) {
        lane->marks[0] = lane->marks[1];
        lane->marks[1] = (struct arrival_mark){lane->arrivals.number, lane->arrivals.count};
    }
}

/* Those of the slots of our own workers; the others are for the runners that have them. */
static void arrivals_take_until(struct runner *runner, struct lane *lane, uint64_t until_ns, unsigned limit)
{
    for (unsigned i = 0; i < limit; i++) {
        uint64_t at_ns = runner_pace_instant(runner, lane, lane->arrivals.at_ns);
        if (at_ns == TIMERS_NEVER || at_ns > until_ns || runner_pace_is_paused_at(runner, at_ns)) {
            return;
        }
        arrivals_follow_shares(runner, lane);
        uint32_t slot = arrivals_slot(runner, lane, lane->arrivals.number % lane->slots);
        uint64_t load_ns = lane->arrivals.at_ns;
        arrivals_pass(&lane->arrivals);
        arrivals_mark(lane, load_ns);
        if (runner->pace.has_rooms) {
            runner_turns_come(runner, lane, slot, load_ns);
        } else if (load_ns >= runner->pace.from_ns && worker_index_find(runner->index, slot) != NULL) {
            arrivals_arrive(runner, lane, at_ns);
        }
    }
}

/* Where a load ends before its campaign, those that are free are not needed any more. */
static void arrivals_end_lane(struct runner *runner, struct lane *lane)
{
    struct worker *worker;
    bool is_over = runner->options->load.size > 0 && lane->arrivals.at_ns == RATE_NEVER;
    if (is_over && !lane->is_over && runner->pace.has_rooms) {
        runner_turns_end(runner, lane);
    }
    lane->is_over = is_over;
    while (is_over && lane->late.count == 0 && (worker = arrivals_take_free(runner, lane)) != NULL) {
        runner_move(runner, worker, WORKER_END);
    }
}

void runner_take_arrivals(struct runner *runner)
{
    for (size_t i = 0; i < runner->pace.lane_count; i++) {
        struct lane *lane = &runner->pace.lanes[i];
        if (arrivals_runs(runner, lane)) {
            arrivals_drop_surplus(runner, lane);
            arrivals_take_until(runner, lane, runner->event->now_ns, ARRIVALS_AT_ONCE);
            arrivals_end_lane(runner, lane);
        }
    }
}

void runner_take_last_arrivals(struct runner *runner)
{
    runner->pace.is_over = true;
    for (size_t i = 0; i < runner->pace.lane_count; i++) {
        struct lane *lane = &runner->pace.lanes[i];
        if (arrivals_runs(runner, lane)) {
            arrivals_take_until(runner, lane, TIMERS_NEVER, UINT32_MAX);
            runner->pace.dropped += lane->late.count;
            lane->late.count = lane->owed = 0;
        }
    }
}

uint64_t runner_arrival_due_ns(const struct runner *runner)
{
    uint64_t due_ns = TIMERS_NEVER;
    for (size_t i = 0; i < runner->pace.lane_count; i++) {
        const struct lane *lane = &runner->pace.lanes[i];
        uint64_t at_ns = runner_pace_instant(runner, lane, lane->arrivals.at_ns);
        if (arrivals_runs(runner, lane) && !runner_pace_is_paused_at(runner, at_ns)) {
            due_ns = at_ns < due_ns ? at_ns : due_ns;
        }
    }
    return due_ns;
}
