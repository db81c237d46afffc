/* Turns commands into steps of the runner, and what the runner asks for into turns of workers. */
#include "agent/shard/stage.h"

#include "agent/shard/watchdog.h"

#include "agent/browser/kind.h"
#include "agent/shard/driver.h"
#include "agent/shard/shard.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/log.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <string.h>

#define METER_PERIOD_NS NS_PER_S

void stage_post_gathered(struct stage *stage)
{
    struct operation *operation;

    while (stage->gather != NULL && (operation = gather_take(stage->gather)) != NULL) {
        struct notice *notice = notice_new(NOTICE_OPERATION, stage->campaign);
        notice->operation = operation;
        shard_post(stage->shard, &notice);
    }
}

bool stage_is_urgent(const struct stage *stage)
{
    return stage->gather != NULL && gather_is_urgent(stage->gather);
}

/* What workers did before goes before it. */
static void post(struct stage *stage, struct notice **notice)
{
    stage_post_gathered(stage);
    shard_post(stage->shard, notice);
    shard_hurry(stage->shard);
}

static void post_result(struct stage *stage, enum notice_kind kind, const char *text)
{
    struct notice *notice = notice_new(kind, stage->campaign);

    notice->phase = stage->global_phase;
    notice->is_ok = text == NULL;
    notice->text = memory_copy_string(text);
    post(stage, &notice);
}

/* 0 is no limit. */
static uint64_t runs_of(const struct stage *stage)
{
    return stage->options->is_single_run ? stage->script->scenario_count : stage->options->runs;
}

static void stage_tell_place(const struct stage *stage, const char *place)
{
    pulse_set_place(shard_settings(stage->shard)->pulse, place);
}

static const struct script_thread script_thread = {.give_way = vu_give_way, .tell_place = stage_tell_place};

static bool load(struct stage *stage, struct error *error)
{
    const struct shard_settings *settings = shard_settings(stage->shard);
    char target[2048];
    char path[DRIVER_PATH_BYTES];

    bytes_to_text(stage->options->target, target, sizeof target);
    struct script_settings script_settings = {
        .memory = shard_memory(stage->shard),
        .instruction_limit = settings->instruction_limit,
        .turn_limit_ms = settings->turn_limit_ms,
        .is_system_allowed = settings->is_system_allowed,
        .is_quiet = settings->is_quiet,
        .files = script_files_of_bundle(deployment_bundle(stage->deployment)),
        .target = target[0] ? target : NULL,
        .stage = stage,
        .thread = &script_thread,
        .library = settings->library,
    };
    stage->script = script_new(&script_settings);
    if (!script_load(stage->script, error)) {
        return false;
    }
    struct bytes only = stage->options->single_mode;
    if (only.size > 0 && script_find_scenario(stage->script, (const char *)only.data, only.size) == NULL) {
        return error_set(error, "there is no scenario \"%.*s\"", BYTES_FORMAT(only));
    }
    if (stage->script->uses_browser && stage->options->browser < BROWSER_KINDS &&
        !browser_find_driver(stage->options->browser, path, error)) {
        return false;
    }
    if (driver_is_needed(stage->script)) {
        driver_open(stage->script);
    }
    return true;
}

void stage_free(struct stage **pointer)
{
    struct stage *stage = *pointer;

    if (stage == NULL) {
        return;
    }
    for (size_t i = 0; i < stage->vu_capacity; i++) {
        vu_free(&stage->vus[i]);
    }
    vu_free(&stage->global);
    memory_free(stage->vus);
    shard_unset_alarm(stage->shard, &stage->runner_alarm);
    shard_unset_alarm(stage->shard, &stage->meter_alarm);
    shard_unset_alarm(stage->shard, &stage->rest_alarm);
    script_free(&stage->script);
    runner_free(&stage->runner);
    gather_free(&stage->gather);
    runner_effects_finish(&stage->effects);
    runner_effects_finish(&stage->call_effects);
    meter_free(&stage->meter);
    deployment_release(&stage->deployment);
    memory_free(stage->stop_text);
    worker_set_finish(&stage->own_workers);
    memory_free(stage);
    *pointer = NULL;
}

static struct vu *find_vu(struct stage *stage, uint32_t id)
{
    return id < stage->vu_capacity ? stage->vus[id] : NULL;
}

static struct vu *need_vu(struct stage *stage, uint32_t id)
{
    size_t had = stage->vu_capacity;

    stage->vus = memory_reserve(stage->vus, &stage->vu_capacity, (size_t)id + 1, sizeof *stage->vus);
    if (stage->vu_capacity > had) {
        memset(stage->vus + had, 0, (stage->vu_capacity - had) * sizeof *stage->vus);
    }
    if (stage->vus[id] == NULL) {
        stage->vus[id] = vu_new(stage, id);
    }
    return stage->vus[id];
}

static void post_statistics(struct stage *stage)
{
    struct statistics *statistics =
        meter_take(stage->meter, stage->runner != NULL ? runner_running(stage->runner) : 0);

    if (statistics == NULL) {
        return;
    }
    struct notice *notice = notice_new(NOTICE_STATISTICS, stage->campaign);
    notice->statistics = statistics;
    post(stage, &notice);
}

/* The reply is the runner's until its next step: one copy serves all whom it answers. */
static void stage_answer(struct stage *stage, const struct runner_effect *effect, const struct reply **last,
                         struct answer **shared)
{
    struct vu *vu = stage->global != NULL ? stage->global : find_vu(stage, effect->worker);

    if (vu == NULL || vu->wait != WAIT_ANSWER || vu->answer != NULL) {
        return;
    }
    if (*shared == NULL || *last != effect->reply) {
        *last = effect->reply;
        *shared = MEMORY_NEW(struct answer);
        (*shared)->reply = reply_copy(effect->reply);
    }
    (*shared)->holders++;
    vu->answer = *shared;
    vu->rank = effect->rank;
    /* An instant of which this agent's clock says that it is still ahead. */
    if (effect->reply->outcome == OUTCOME_OK && effect->reply->at_ns > 0) {
        vu_release_at(vu, (uint64_t)effect->reply->at_ns);
    } else {
        vu_wake(vu, WAKE_DONE);
    }
}

static void post_notice(struct stage *stage, struct notice **notice)
{
    if ((*notice)->kind == NOTICE_FINISHED) {
        post_statistics(stage);
        shard_post_loop(stage->shard, stage->campaign);
    }
    post(stage, notice);
}

static void perform(struct stage *stage, struct runner_effects *effects)
{
    const struct reply *last = NULL;
    struct answer *shared = NULL;

    for (size_t i = 0; i < effects->count; i++) {
        struct runner_effect *effect = &effects->items[i];
        switch (effect->kind) {
        case RUNNER_SETUP:
            vu_begin(need_vu(stage, effect->worker), VU_SETUP, 0);
            break;
        case RUNNER_SETUP_LATE:
            vu_cut_short(need_vu(stage, effect->worker));
            break;
        case RUNNER_STEP:
            vu_begin(need_vu(stage, effect->worker), VU_STEP, effect->step);
            break;
        case RUNNER_ANSWER:
            stage_answer(stage, effect, &last, &shared);
            break;
        case RUNNER_TEARDOWN:
            vu_begin(need_vu(stage, effect->worker), VU_TEARDOWN_SESSION,
                     need_vu(stage, effect->worker)->step);
            break;
        case RUNNER_NOTICE:
            post_notice(stage, &effect->notice);
            break;
        }
    }
}

static void step_runner(struct stage *stage, const struct runner_event *event)
{
    runner_step(stage->runner, event, &stage->effects);
    perform(stage, &stage->effects);
    runner_effects_clear(&stage->effects);
    uint64_t due_ns = runner_due_ns(stage->runner);
    if (due_ns == TIMERS_NEVER) {
        shard_unset_alarm(stage->shard, &stage->runner_alarm);
    } else {
        shard_set_alarm(stage->shard, &stage->runner_alarm, due_ns);
    }
}

static void begin_global(struct stage *stage, const struct command *command)
{
    struct worker_cursor cursor = {0};

    if (stage->script == NULL || stage->global != NULL) {
        return;
    }
    stage->global_phase = command->phase;
    /* It speaks for the first worker that lives here: nobody else runs at that time. */
    stage->global = vu_new(stage, 0);
    if (worker_set_next(&stage->own_workers, &cursor)) {
        stage->global->id = cursor.worker;
    }
    vu_begin(stage->global, VU_GLOBAL, 0);
}

/* The runner ends the waits that the coordinator knows of; those that only we know of end here. */
static void stop_vus(struct stage *stage, const struct command *command)
{
    stage->is_stopping = true;
    memory_free(stage->stop_text);
    stage->stop_text = memory_copy_string(command->text);
    for (size_t i = 0; i < stage->vu_capacity; i++) {
        if (stage->vus[i] != NULL) {
            vu_stop(stage->vus[i]);
        }
    }
    if (stage->global != NULL) {
        vu_stop(stage->global);
    }
}

static void on_meter_due(struct alarm *alarm, uint64_t now_ns)
{
    struct stage *stage = CONTAINER_OF(alarm, struct stage, meter_alarm);

    post_statistics(stage);
    shard_set_alarm(stage->shard, alarm, now_ns + METER_PERIOD_NS);
}

static void on_runner_due(struct alarm *alarm, uint64_t now_ns)
{
    struct stage *stage = CONTAINER_OF(alarm, struct stage, runner_alarm);
    struct runner_event event = {
        .kind = RUNNER_TICK, .now_ns = now_ns, .is_paused = !shard_may_act(stage->shard)};

    step_runner(stage, &event);
}

struct stage *stage_new(struct shard *shard, const struct command *deploy)
{
    struct stage *stage = MEMORY_NEW(struct stage);
    struct error error;

    stage->shard = shard;
    stage->campaign = deploy->campaign;
    stage->deployment = deployment_hold(deploy->deployment);
    stage->options = deployment_options(stage->deployment);
    stage->room_size = campaign_room_ids(stage->options);
    stage->meter = meter_new();
    alarm_init(&stage->runner_alarm, on_runner_due);
    alarm_init(&stage->meter_alarm, on_meter_due);
    shard_init_stage(stage);
    bool is_loaded = load(stage, &error);
    if (is_loaded) {
        stage->runner = runner_new(stage->deployment, runs_of(stage));
        stage->gather = gather_new(stage->options->workers);
        runner_gather_into(stage->runner, stage->gather);
        stage_command(stage, deploy);
        shard_set_alarm(shard, &stage->meter_alarm, clock_now_ns() + METER_PERIOD_NS);
    }
    post_result(stage, NOTICE_DEPLOYED, is_loaded ? NULL : error.text);
    return stage;
}

void stage_command(struct stage *stage, const struct command *command)
{
    if (stage->runner == NULL) {
        return;
    }
    if (command->kind == COMMAND_GLOBAL) {
        begin_global(stage, command);
        return;
    }
    if (command->kind == COMMAND_BEGIN) {
        shard_post_loop(stage->shard, stage->campaign);
    }
    if (command->kind == COMMAND_DEPLOY) {
        worker_set_copy(&stage->own_workers, &command->workers);
    }
    if (command->kind == COMMAND_SCALE) {
        gather_extend(stage->gather, command->worker_count);
    }
    struct runner_event event = {.kind = RUNNER_COMMAND, .now_ns = clock_now_ns(), .command = command};
    bool is_first_stop = command->kind == COMMAND_STOP && !stage->is_stopping;
    if (is_first_stop) {
        stage->is_stopping = true;
    }
    step_runner(stage, &event);
    if (is_first_stop) {
        stop_vus(stage, command);
    }
}

void stage_setup_done(struct stage *stage, struct vu *vu, const char *text)
{
    struct runner_event event = {.kind = RUNNER_SETUP_DONE,
                                 .now_ns = clock_now_ns(),
                                 .worker = vu->id,
                                 .is_ok = text == NULL,
                                 .text = text};
    step_runner(stage, &event);
}

void stage_step_done(struct stage *stage, struct vu *vu, enum step_result result, const char *text)
{
    struct runner_event event = {
        .kind = RUNNER_STEP_DONE, .now_ns = clock_now_ns(), .worker = vu->id, .result = result, .text = text};
    step_runner(stage, &event);
}

void stage_torn_down(struct stage *stage, struct vu *vu)
{
    uint32_t id = vu->id;
    struct runner_event event = {.kind = RUNNER_TORN_DOWN, .now_ns = clock_now_ns(), .worker = id};

    vu_free(&stage->vus[id]);
    step_runner(stage, &event);
}

void stage_global_done(struct stage *stage, const char *text)
{
    post_statistics(stage);
    post_result(stage, NOTICE_GLOBAL_DONE, text);
    vu_free(&stage->global);
}

enum runner_call stage_call(struct stage *stage, struct vu *vu, const struct operation *operation,
                            struct error *error)
{
    enum runner_call call = runner_call(stage->runner, vu->id, operation, &stage->call_effects, error);

    perform(stage, &stage->call_effects);
    runner_effects_clear(&stage->call_effects);
    if (runner_due_ns(stage->runner) ==
        0) { /* somebody waits who did not: what time it is says the next step */
        shard_set_alarm(stage->shard, &stage->runner_alarm, 0);
    }
    return call;
}

void stage_keep_artifact(struct stage *stage, const struct vu *vu, enum artifact_kind kind,
                         struct bytes content)
{
    if (stage->artifacts == LIMIT_ARTIFACTS || content.size == 0 || content.size > LIMIT_ARTIFACT_BYTES) {
        return;
    }
    stage->artifacts++;
    struct notice *notice = notice_new(NOTICE_ARTIFACT, stage->campaign);
    notice->artifact =
        (struct artifact_piece){.kind = kind,
                                .worker = vu->id,
                                .step = vu->step,
                                .content = bytes_of(memory_copy(content.data, content.size), content.size)};
    post(stage, &notice);
}

void stage_complain(struct stage *stage, const struct vu *vu, const char *what, const char *text)
{
    const char *agent = shard_settings(stage->shard)->agent;
    bool is_worker = vu->phase != VU_GLOBAL;
    struct log_subject subject = {.campaign = stage->campaign,
                                  .agent = bytes_of_string(agent),
                                  .has_worker = is_worker,
                                  .worker = vu->id,
                                  .step = is_worker ? vu->step : 0};

    if (!is_worker) {
        log_about(LOG_WARNING, agent, &subject, "%s%s", what, text);
    } else {
        log_about(LOG_WARNING, agent, &subject, "worker %u, step %llu: %s%s", vu->id,
                  (unsigned long long)vu->step, what, text);
    }
}
