/* The life of a campaign's workers on one shard: the door, and what each move of a worker brings about. */
#include "agent/core/runner/crew_internal.h"
#include "agent/core/runner/schedule.h"
#include "common/container.h"
#include "common/memory.h"

/* Bounds the work of one tick: a hundred thousand workers may be due at the same instant. */
#define DUE_AT_ONCE 1024u

struct crew *crew_new(struct deployment *deployment, uint64_t runs)
{
    struct crew *crew = MEMORY_NEW(struct crew);
    crew->deployment = deployment_hold(deployment);
    crew->options = deployment_options(deployment);
    crew->runs = runs;
    crew->tells_steps = crew->options->on_loss == ON_LOSS_REPLACE;
    crew->roster = roster_new(campaign_room_ids(crew->options));
    crew->worker_count = crew->options->workers;
    crew->most_workers = crew->options->workers;
    crew->timers = timers_new();
    crew->rooms = map_new();
    crew->look_due_ns = TIMERS_NEVER;
    return crew;
}

void crew_gather_into(struct crew *crew, struct gather *gather)
{
    crew->gather = gather;
}

static void free_answers(struct crew *crew)
{
    for (size_t i = 0; i < crew->answer_count; i++) {
        reply_free(&crew->answers[i]);
    }
    crew->answer_count = 0;
}

void crew_free(struct crew **crew)
{
    struct crew *self = *crew;
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
    map_free(&self->rooms);
    timers_free(&self->timers);
    roster_free(&self->roster);
    deployment_release(&self->deployment);
    memory_free(self);
    *crew = NULL;
}

static void begin_setup(struct crew *crew, struct worker *worker)
{
    crew_add_effect(crew->effects, CREW_SETUP)->worker = worker->id;
    if (crew->options->setup_timeout_ms > 0) {
        timers_set(crew->timers, &worker->timer,
                   schedule_after_ns(crew->event->now_ns, crew->options->setup_timeout_ms));
    }
}

static void cut_short(struct crew *crew, struct worker *worker)
{
    crew_add_effect(crew->effects, CREW_SETUP_LATE)->worker = worker->id;
}

static void tell_step(struct crew *crew, struct worker *worker)
{
    worker->step++;
    if (crew->tells_steps) {
        crew_report_begun(crew, worker);
    } else {
        crew_move(crew, worker, WORKER_KNOWN);
    }
}

static void begin_step(struct crew *crew, struct worker *worker)
{
    struct crew_effect *effect = crew_add_effect(crew->effects, CREW_STEP);
    effect->worker = worker->id;
    effect->step = worker->step;
}

static void tear_down(struct crew *crew, struct worker *worker)
{
    crew_add_effect(crew->effects, CREW_TEARDOWN)->worker = worker->id;
}

static void break_off(struct crew *crew, struct worker *worker)
{
    bool is_unfit = crew->event->kind == CREW_SETUP_DONE && !crew->event->is_ok;
    const char *why = is_unfit ? crew->event->text : crew->stop_text;
    crew_report_ended(crew, worker, why == NULL ? "setup failed" : why);
    tear_down(crew, worker);
}

static void vanish(struct crew *crew, struct worker *worker)
{
    crew_report_ended(crew, worker, crew->stop_text);
    crew_come_back(crew, worker);
}

/* The last edit of a writer must not be lost with its session before the others have seen it. */
static void hold(struct crew *crew, struct worker *worker)
{
    crew_report_ended(crew, worker, NULL);
    const struct room *room = crew_room_of(crew, worker);
    if (room == NULL || room->is_done || !(room->is_synchronising || room->is_signalled)) {
        crew_move(crew, worker, WORKER_RELEASE);
        return;
    }
    timers_set(crew->timers, &worker->timer,
               schedule_after_ns(crew->event->now_ns, crew->options->sync_timeout_ms));
}

static void crew_rest(struct crew *crew, struct worker *worker)
{
    timers_set(crew->timers, &worker->timer, schedule_after_ns(crew->event->now_ns, crew->options->delay_ms));
}

static void crew_choose_pending(struct crew *crew, struct worker *worker)
{
    crew_move(crew, worker, crew_choose(crew, worker, true));
}

static void crew_tell_failure(struct crew *crew, const struct worker *worker, const char *text)
{
    if (!crew->options->is_stopped_by_failure || crew->has_failed) {
        return;
    }
    crew->has_failed = true;
    struct notice *notice = crew_add_notice(crew, NOTICE_FAILURE);
    notice->text = memory_copy_string(text);
    notice->failure =
        (struct failure){.worker = worker->id, .step = worker->step, .text = bytes_of_string(notice->text)};
}

static void crew_report(struct crew *crew, struct worker *worker)
{
    static const char *const DEFAULT_TEXTS[] = {
        [STEP_OK] = NULL, [STEP_FAILED] = "failed", [STEP_STOPPED] = "stopped"};
    const struct crew_event *event = crew->event;
    bool has_words = event->text != NULL && event->text[0] != '\0';
    const char *text = event->result != STEP_OK && has_words ? event->text : DEFAULT_TEXTS[event->result];
    worker_forget_arrivals(worker);
    const struct room *room = crew_room_of(crew, worker);
    bool is_asked_for = room != NULL && room->is_synchronising;
    enum worker_event next = crew_choose(crew, worker, false);
    bool is_told_anyhow = crew->tells_steps && next == WORKER_GO && text == NULL;
    if (is_asked_for && !is_told_anyhow) {
        crew_report_past(crew, worker, bytes_of_string(text));
    }
    worker_remember(worker, is_asked_for ? NULL : text);
    if (event->result == STEP_FAILED) {
        crew_tell_failure(crew, worker, text);
    }
    crew_move(crew, worker, next);
}

static void bury(struct crew *crew, struct worker *worker)
{
    worker_finish(worker);
    crew_come_back(crew, worker);
}

enum worker_event crew_choose(const struct crew *crew, const struct worker *worker, bool has_rested)
{
    if (crew->is_stopping) {
        return WORKER_STOP;
    }
    uint64_t next = worker->step + 1;
    bool is_one_too_many = worker->id >= crew_count_at(crew, worker, next);
    if (is_one_too_many || (crew->runs != 0 && next > crew->runs)) {
        return WORKER_END;
    }
    const struct room *room = crew_room_of(crew, worker);
    if (crew->is_draining) {
        if (room == NULL || !room->is_halted) {
            return WORKER_END;
        }
        if (!room->has_last_step) {
            return WORKER_HALT;
        }
        if (next > room->last_step) {
            return WORKER_END;
        }
    }
    return has_rested || crew->options->delay_ms == 0 ? WORKER_GO : WORKER_REST;
}

static void act(struct crew *crew, struct worker *worker, enum worker_action action)
{
    static void (*const ACTIONS[WORKER_ACTION_COUNT])(struct crew *, struct worker *) = {
        [WORKER_DO_SETUP] = begin_setup,  [WORKER_DO_CHOOSE] = crew_choose_pending,
        [WORKER_DO_REPORT] = crew_report, [WORKER_DO_REST] = crew_rest,
        [WORKER_DO_ASK] = tell_step,      [WORKER_DO_STEP] = begin_step,
        [WORKER_DO_HOLD] = hold,          [WORKER_DO_BREAK_OFF] = break_off,
        [WORKER_DO_TEARDOWN] = tear_down, [WORKER_DO_VANISH] = vanish,
        [WORKER_DO_BURY] = bury,          [WORKER_DO_CUT_SHORT] = cut_short,
    };
    if (ACTIONS[action] != NULL) {
        ACTIONS[action](crew, worker);
    }
}

void crew_move(struct crew *crew, struct worker *worker, enum worker_event event)
{
    const struct worker_move *move = worker_move_find(worker->state, event);
    if (move == NULL) {
        crew->refused_events++;
        return;
    }
    timers_unset(crew->timers, &worker->timer);
    crew->counts[worker->state]--;
    crew->counts[move->next]++;
    worker->state = move->next;
    act(crew, worker, move->action);
}

static void take_due(struct crew *crew, struct worker *worker)
{
    switch (worker->state) {
    case WORKER_WAITING:
        crew_report_start(crew, worker);
        crew_move(crew, worker, WORKER_START);
        break;
    case WORKER_SETUP:
        crew_move(crew, worker, WORKER_SETUP_LATE);
        break;
    case WORKER_BETWEEN:
        crew_move(crew, worker, crew_choose(crew, worker, true));
        break;
    default:
        crew_move(crew, worker, WORKER_RELEASE);
        break;
    }
}

static void tick(struct crew *crew, uint64_t now_ns)
{
    for (unsigned i = 0; i < DUE_AT_ONCE; i++) {
        struct timer *timer = timers_take_due(crew->timers, now_ns);
        if (timer == NULL) {
            return;
        }
        take_due(crew, CONTAINER_OF(timer, struct worker, timer));
    }
}

/* What the shell says of a worker. A call that it still waited in went with its script. */
static void take_worker_event(struct crew *crew, const struct crew_event *event)
{
    struct worker *worker = roster_find(crew->roster, event->worker);
    if (worker == NULL) {
        crew->refused_events++;
        return;
    }
    enum worker_event happened = WORKER_TORN_DOWN;
    if (event->kind == CREW_SETUP_DONE) {
        happened = event->is_ok ? WORKER_SETUP_OK : WORKER_SETUP_FAILED;
    } else if (event->kind == CREW_STEP_DONE) {
        happened = WORKER_STEP_OVER;
    }
    worker_wait_over(worker);
    crew_move(crew, worker, happened);
}

void crew_step(struct crew *crew, const struct crew_event *event, struct crew_effects *effects)
{
    crew_effects_clear(effects);
    free_answers(crew);
    if (crew->is_forgotten) {
        return;
    }
    crew->event = event;
    crew->effects = effects;
    if (event->kind == CREW_TICK) {
        tick(crew, event->now_ns);
        crew_look_for_vain_waits(crew, event);
    } else if (event->kind == CREW_COMMAND) {
        crew_take_command(crew, event->command);
    } else {
        take_worker_event(crew, event);
    }
    crew_check_finished(crew);
    crew->event = NULL;
    crew->effects = NULL;
}

uint64_t crew_due_ns(const struct crew *crew)
{
    uint64_t due_ns = timers_next_ns(crew->timers);
    due_ns = due_ns < crew->look_due_ns ? due_ns : crew->look_due_ns;
    return crew->is_forgotten ? TIMERS_NEVER : due_ns;
}

uint64_t crew_worker_step(const struct crew *crew, uint32_t worker)
{
    const struct worker *found = roster_find(crew->roster, worker);
    bool has_begun = found != NULL && found->state != WORKER_WAITING && found->state != WORKER_SETUP;
    return has_begun ? found->step : 0;
}

uint32_t crew_running(const struct crew *crew)
{
    return crew->counts[WORKER_BETWEEN] + crew->counts[WORKER_HALTED] + crew->counts[WORKER_ASKING] +
           crew->counts[WORKER_STEPPING] + crew->counts[WORKER_HELD];
}

uint64_t crew_refused_events(const struct crew *crew)
{
    return crew->refused_events;
}
