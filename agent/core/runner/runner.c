/* The life of a campaign's workers on one shard: the one entry, and what each move of a worker does. */
#include "agent/core/runner/runner_internal.h"
#include "agent/core/runner/schedule.h"
#include "common/container.h"
#include "common/memory.h"

/* Bounds the work of one tick: a hundred thousand workers may be due at the same instant. */
#define DUE_AT_ONCE 1024u

struct runner *runner_new(struct deployment *deployment, uint64_t runs)
{
    struct runner *runner = MEMORY_NEW(struct runner);
    runner->deployment = deployment_hold(deployment);
    runner->options = deployment_options(deployment);
    runner->runs = runs;
    runner->tells_steps = runner->options->on_loss == ON_LOSS_REPLACE;
    runner->index = worker_index_new(campaign_room_ids(runner->options));
    runner->worker_count = runner->options->workers;
    runner->most_workers = runner->options->workers;
    runner->timers = timers_new();
    runner->rooms = map_new();
    runner_pace_init(runner);
    runner->look_due_ns = TIMERS_NEVER;
    return runner;
}

void runner_gather_into(struct runner *runner, struct batcher *batcher)
{
    runner->batcher = batcher;
}

static void free_answers(struct runner *runner)
{
    for (size_t i = 0; i < runner->answer_count; i++) {
        shared_reply_release(&runner->answers[i]);
    }
    runner->answer_count = 0;
}

void runner_free(struct runner **runner)
{
    struct runner *self = *runner;
    if (self == NULL) {
        return;
    }
    free_answers(self);
    memory_free(self->answers);
    memory_free(self->stop_text);
    struct map_cursor cursor = {0};
    while (map_next(self->rooms, &cursor)) {
        struct room *room = cursor.value;
        memory_free(room->changes);
        memory_free(room);
    }
    memory_free(self->comebacks);
    runner_pace_finish(self);
    map_free(&self->rooms);
    timers_free(&self->timers);
    worker_index_free(&self->index);
    deployment_release(&self->deployment);
    memory_free(self);
    *runner = NULL;
}

static void begin_setup(struct runner *runner, struct worker *worker)
{
    runner_add_effect(runner->effects, RUNNER_SETUP)->worker = worker->id;
    if (runner->options->setup_timeout_ms > 0) {
        timers_set(runner->timers, &worker->timer,
                   schedule_after_ns(runner->event->now_ns, runner->options->setup_timeout_ms));
    }
}

static void cut_short(struct runner *runner, struct worker *worker)
{
    runner_add_effect(runner->effects, RUNNER_SETUP_LATE)->worker = worker->id;
}

static void tell_step(struct runner *runner, struct worker *worker)
{
    runner_pace_step(runner, worker);
    worker->step++;
    if (runner->tells_steps) {
        runner_report_begun(runner, worker);
    } else {
        runner_move(runner, worker, WORKER_KNOWN);
    }
}

static void begin_step(struct runner *runner, struct worker *worker)
{
    struct runner_effect *effect = runner_add_effect(runner->effects, RUNNER_STEP);
    effect->worker = worker->id;
    effect->step = worker->step;
    effect->intended_ns = worker->intended_ns;
    effect->load = runner_pace_load(runner, worker);
    effect->is_arrival = runner_pace_is_arrival(runner, worker);
}

static void tear_down(struct runner *runner, struct worker *worker)
{
    runner_add_effect(runner->effects, RUNNER_TEARDOWN)->worker = worker->id;
}

static void break_off(struct runner *runner, struct worker *worker)
{
    bool is_unfit = runner->event->kind == RUNNER_SETUP_DONE && !runner->event->is_ok;
    const char *why = is_unfit ? runner->event->text : runner->stop_text;
    runner_report_ended(runner, worker, why == NULL ? "setup failed" : why);
    runner_pace_end(runner, worker);
    tear_down(runner, worker);
}

static void vanish(struct runner *runner, struct worker *worker)
{
    runner_report_ended(runner, worker, runner->stop_text);
    runner_pace_end(runner, worker);
    runner_come_back(runner, worker);
}

/* The last edit of a writer must not be lost with its session before the others have seen it. */
static void hold(struct runner *runner, struct worker *worker)
{
    runner_report_ended(runner, worker, NULL);
    runner_pace_end(runner, worker);
    const struct room *room = runner_room_of(runner, worker);
    if (room == NULL || room->is_done || !(room->is_synchronising || room->is_signalled)) {
        runner_move(runner, worker, WORKER_RELEASE);
        return;
    }
    timers_set(runner->timers, &worker->timer,
               schedule_after_ns(runner->event->now_ns, runner->options->sync_timeout_ms));
}

/* It has been set up: only a plan of arrivals keeps it from its first step. */
static void runner_choose_pending(struct runner *runner, struct worker *worker)
{
    runner_move(runner, worker, runner_choose(runner, worker, runner_pace_is_immediate(runner, worker)));
}

static void runner_tell_failure(struct runner *runner, const struct worker *worker, const char *text)
{
    if (!runner->options->is_stopped_by_failure || runner->has_failed) {
        return;
    }
    runner->has_failed = true;
    struct notice *notice = runner_add_notice(runner, NOTICE_FAILURE);
    notice->text = memory_copy_string(text);
    notice->failure =
        (struct failure){.worker = worker->id, .step = worker->step, .text = bytes_of_string(notice->text)};
}

static void runner_report(struct runner *runner, struct worker *worker)
{
    static const char *const DEFAULT_TEXTS[] = {
        [STEP_OK] = NULL, [STEP_FAILED] = "failed", [STEP_STOPPED] = "stopped"};
    const struct runner_event *event = runner->event;
    bool has_words = event->text != NULL && event->text[0] != '\0';
    const char *text = event->result != STEP_OK && has_words ? event->text : DEFAULT_TEXTS[event->result];
    worker_forget_arrivals(worker);
    const struct room *room = runner_room_of(runner, worker);
    bool is_asked_for = room != NULL && room->is_synchronising;
    enum worker_event next = runner_choose(runner, worker, false);
    bool is_told_anyway = runner->tells_steps && next == WORKER_GO && text == NULL;
    if (is_asked_for && !is_told_anyway) {
        runner_report_past(runner, worker, bytes_of_string(text));
    }
    worker_remember(worker, is_asked_for ? NULL : text);
    if (event->result == STEP_FAILED) {
        runner_tell_failure(runner, worker, text);
    }
    runner_move(runner, worker, next);
}

static void bury(struct runner *runner, struct worker *worker)
{
    worker_finish(worker);
    runner_come_back(runner, worker);
}

enum worker_event runner_choose(const struct runner *runner, const struct worker *worker, bool has_rested)
{
    if (runner->is_stopping) {
        return WORKER_STOP;
    }
    uint64_t next = worker->step + 1;
    if (runner_is_one_too_many(runner, worker) || !runner_has_runs(runner, worker) ||
        runner_pace_is_over(runner, worker)) {
        return WORKER_END;
    }
    const struct room *room = runner_room_of(runner, worker);
    if (runner->is_draining) {
        /* Workers that arrivals are given to are not all in the same step. */
        if (room == NULL || !room->is_halted || runner_pace_is_of_anyone(runner, worker)) {
            return WORKER_END;
        }
        if (!room->has_last_step) {
            return WORKER_HALT;
        }
        if (next > room->last_step) {
            return WORKER_END;
        }
    }
    return has_rested || !runner_must_rest(runner) ? WORKER_GO : WORKER_REST;
}

static void act(struct runner *runner, struct worker *worker, enum worker_action action)
{
    static void (*const ACTIONS[WORKER_ACTION_COUNT])(struct runner *, struct worker *) = {
        [WORKER_DO_SETUP] = begin_setup,
        [WORKER_DO_CHOOSE] = runner_choose_pending,
        [WORKER_DO_REPORT] = runner_report,
        [WORKER_DO_REST] = runner_rest,
        [WORKER_DO_ASK] = tell_step,
        [WORKER_DO_STEP] = begin_step,
        [WORKER_DO_HOLD] = hold,
        [WORKER_DO_BREAK_OFF] = break_off,
        [WORKER_DO_TEARDOWN] = tear_down,
        [WORKER_DO_VANISH] = vanish,
        [WORKER_DO_BURY] = bury,
        [WORKER_DO_CUT_SHORT] = cut_short,
    };
    if (ACTIONS[action] != NULL) {
        ACTIONS[action](runner, worker);
    }
}

void runner_move(struct runner *runner, struct worker *worker, enum worker_event event)
{
    const struct worker_move *move = worker_move_find(worker->state, event);
    if (move == NULL) {
        runner->refused_events++;
        return;
    }
    timers_unset(runner->timers, &worker->timer);
    runner->counts[worker->state]--;
    runner->counts[move->next]++;
    worker->state = move->next;
    act(runner, worker, move->action);
}

static void take_due(struct runner *runner, struct worker *worker)
{
    switch (worker->state) {
    case WORKER_WAITING:
        runner_report_start(runner, worker);
        runner_move(runner, worker, WORKER_START);
        break;
    case WORKER_SETUP:
        runner_move(runner, worker, WORKER_SETUP_LATE);
        break;
    case WORKER_BETWEEN:
        runner_pace_free(runner, worker);
        break;
    default:
        runner_move(runner, worker, WORKER_RELEASE);
        break;
    }
}

static void tick(struct runner *runner, uint64_t now_ns)
{
    for (unsigned i = 0; i < DUE_AT_ONCE; i++) {
        struct timer *timer = timers_take_due(runner->timers, now_ns);
        if (timer == NULL) {
            return;
        }
        take_due(runner, CONTAINER_OF(timer, struct worker, timer));
    }
}

/* An event of a worker from the shell. A call that it was still waiting in itself is gone with its script. */
static void take_worker_event(struct runner *runner, const struct runner_event *event)
{
    struct worker *worker = worker_index_find(runner->index, event->worker);
    if (worker == NULL) {
        runner->refused_events++;
        return;
    }
    enum worker_event happened = WORKER_TORN_DOWN;
    if (event->kind == RUNNER_SETUP_DONE) {
        happened = event->is_ok ? WORKER_SETUP_OK : WORKER_SETUP_FAILED;
    } else if (event->kind == RUNNER_STEP_DONE) {
        happened = WORKER_STEP_OVER;
    }
    struct pending *next;
    for (struct pending *at = worker_next_pending(worker, NULL); at != NULL; at = next) {
        next = worker_next_pending(worker, at);
        if (pending_ticket(at) == 0) {
            worker_wait_over(worker, at);
        }
    }
    runner_move(runner, worker, happened);
}

void runner_step(struct runner *runner, const struct runner_event *event, struct runner_effects *effects)
{
    runner_effects_clear(effects);
    free_answers(runner);
    if (runner->is_forgotten) {
        return;
    }
    runner->event = event;
    runner->effects = effects;
    if (event->kind == RUNNER_TICK) {
        tick(runner, event->now_ns);
        runner_look_for_vain_waits(runner, event);
    } else if (event->kind == RUNNER_COMMAND) {
        runner_take_command(runner, event->command);
    } else {
        take_worker_event(runner, event);
    }
    runner_take_arrivals(runner);
    runner_growth_tell(runner);
    runner_check_finished(runner);
    runner->event = NULL;
    runner->effects = NULL;
}

uint64_t runner_due_ns(const struct runner *runner)
{
    uint64_t due_ns = timers_next_ns(runner->timers);
    due_ns = due_ns < runner->look_due_ns ? due_ns : runner->look_due_ns;
    uint64_t arrival_ns = runner_arrival_due_ns(runner);
    due_ns = due_ns < arrival_ns ? due_ns : arrival_ns;
    return runner->is_forgotten ? TIMERS_NEVER : due_ns;
}

uint64_t runner_worker_step(const struct runner *runner, uint32_t worker)
{
    const struct worker *found = worker_index_find(runner->index, worker);
    bool has_begun = found != NULL && found->state != WORKER_WAITING && found->state != WORKER_SETUP;
    return has_begun ? found->step : 0;
}

bool runner_is_synchronising(const struct runner *runner)
{
    return map_size(runner->rooms) > 0;
}

uint32_t runner_running(const struct runner *runner)
{
    return runner->counts[WORKER_BETWEEN] + runner->counts[WORKER_HALTED] + runner->counts[WORKER_ASKING] +
           runner->counts[WORKER_STEPPING] + runner->counts[WORKER_HELD];
}

uint64_t runner_refused_events(const struct runner *runner)
{
    return runner->refused_events;
}
