/* Turns commands into steps of the runner, and what the runner asks for into turns of workers. */
#include "agent/shard/shard_campaign.h"

#include "agent/script/script_state.h"
#include "agent/shard/shard.h"
#include "agent/shard/shard_script.h"
#include "agent/shard/vu_network.h"
#include "agent/shard/vu_task.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/log.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <string.h>

#define METER_PERIOD_NS NS_PER_S

void shard_campaign_post_gathered(struct shard_campaign *campaign)
{
    struct operation *operation;

    while (campaign->batcher != NULL && (operation = batcher_take(campaign->batcher)) != NULL) {
        struct notice *notice = notice_new(NOTICE_OPERATION, campaign->id);
        notice->operation = operation;
        shard_post(campaign->shard, &notice);
    }
}

bool shard_campaign_is_urgent(const struct shard_campaign *campaign)
{
    return campaign->batcher != NULL && batcher_is_urgent(campaign->batcher);
}

uint64_t shard_campaign_take_spent_ns(struct shard_campaign *campaign)
{
    uint64_t spent_ns = campaign->script->limits.spent_ns;

    campaign->script->limits.spent_ns = 0;
    return spent_ns;
}

/* After what the workers did before. */
static void post(struct shard_campaign *campaign, struct notice **notice)
{
    shard_campaign_post_gathered(campaign);
    shard_post(campaign->shard, notice);
    shard_hurry(campaign->shard);
}

static void post_result(struct shard_campaign *campaign, enum notice_kind kind, const char *text)
{
    struct notice *notice = notice_new(kind, campaign->id);

    notice->phase = campaign->global_phase;
    notice->is_ok = text == NULL;
    notice->text = memory_copy_string(text);
    post(campaign, &notice);
}

/* 0 is no limit. */
static uint64_t runs_of(const struct shard_campaign *campaign)
{
    return campaign->options->is_single_run ? campaign->script->scenario_count : campaign->options->runs;
}

static void tell_refused(const struct shard_campaign *campaign)
{
    const char *agent = shard_settings(campaign->shard)->agent;
    struct log_subject subject = {.campaign = campaign->id, .agent = bytes_of_string(agent)};

    if (campaign->refused_events > 0) {
        log_about(LOG_WARNING, agent, &subject,
                  "%llu events came to workers that could not take them: a defect of the agent",
                  (unsigned long long)campaign->refused_events);
    }
}

void shard_campaign_free(struct shard_campaign **pointer)
{
    struct shard_campaign *campaign = *pointer;

    if (campaign == NULL) {
        return;
    }
    tell_refused(campaign);
    for (size_t i = 0; i < campaign->vu_capacity; i++) {
        vu_free(&campaign->vus[i]);
    }
    vu_free(&campaign->global);
    memory_free(campaign->vus);
    alarms_unset(shard_alarms(campaign->shard), &campaign->runner_alarm);
    alarms_unset(shard_alarms(campaign->shard), &campaign->meter_alarm);
    turn_queue_finish(&campaign->queue);
    script_free(&campaign->script);
    runner_free(&campaign->runner);
    batcher_free(&campaign->batcher);
    runner_effects_finish(&campaign->effects);
    runner_effects_finish(&campaign->call_effects);
    meter_free(&campaign->meter);
    deployment_release(&campaign->deployment);
    shard_tls_finish(&campaign->tls);
    memory_free(campaign->stop_text);
    worker_set_finish(&campaign->own_workers);
    memory_free(campaign);
    *pointer = NULL;
}

static struct vu *find_vu(struct shard_campaign *campaign, uint32_t id)
{
    return id < campaign->vu_capacity ? campaign->vus[id] : NULL;
}

static struct vu *need_vu(struct shard_campaign *campaign, uint32_t id)
{
    struct vu *vu = find_vu(campaign, id);
    size_t had = campaign->vu_capacity;

    if (vu != NULL) {
        return vu;
    }
    campaign->vus =
        memory_reserve(campaign->vus, &campaign->vu_capacity, (size_t)id + 1, sizeof *campaign->vus);
    if (campaign->vu_capacity > had) {
        memset(campaign->vus + had, 0, (campaign->vu_capacity - had) * sizeof *campaign->vus);
    }
    campaign->vus[id] = vu_new(campaign, id);
    return campaign->vus[id];
}

static void post_statistics(struct shard_campaign *campaign, uint64_t now_ns)
{
    if (campaign->runner != NULL) {
        meter_dropped(campaign->meter, runner_dropped(campaign->runner));
    }
    struct statistics *statistics =
        meter_take(campaign->meter, campaign->runner != NULL ? runner_running(campaign->runner) : 0);
    uint64_t since_ns = campaign->metered_ns;

    campaign->metered_ns = now_ns;
    if (statistics == NULL) {
        return;
    }
    statistics->at_ns = (int64_t)(since_ns + (now_ns - since_ns) / 2);
    struct notice *notice = notice_new(NOTICE_STATISTICS, campaign->id);
    notice->statistics = statistics;
    post(campaign, &notice);
}

void shard_campaign_leave(struct shard_campaign *campaign)
{
    if (campaign->runner != NULL) {
        post_statistics(campaign, clock_now_ns());
    }
}

static void perform(struct shard_campaign *campaign, struct runner_effects *effects);

/* Who asked for it is gone: if the answer is that it should make the value, the next one is to do that. */
static void disown(struct shard_campaign *campaign, const struct runner_effect *effect)
{
    const struct reply *reply = shared_reply_get(effect->reply);
    struct operation failed = {
        .kind = OPERATION_MAKING_FAILED, .room = reply->room, .name = reply->name, .step = reply->step};
    struct error error;

    if (reply->is_maker && reply->outcome == OUTCOME_OK) {
        (void)!runner_call(campaign->runner, effect->worker, &failed, 0, &campaign->call_effects, &error);
        perform(campaign, &campaign->call_effects);
        runner_effects_clear(&campaign->call_effects);
    }
}

static void shard_campaign_answer(struct shard_campaign *campaign, const struct runner_effect *effect)
{
    const struct reply *reply = shared_reply_get(effect->reply);
    struct vu *worker = campaign->global != NULL ? campaign->global : find_vu(campaign, effect->worker);
    struct vu *vu = worker != NULL ? vu_tasks_take_answer(worker, effect->ticket, reply->kind) : NULL;

    if (vu == NULL) {
        disown(campaign, effect);
        return;
    }
    vu->answer = shared_reply_hold(effect->reply);
    vu->rank = effect->rank;
    /* An instant that is still ahead by this agent's clock. */
    if (reply->outcome == OUTCOME_OK && reply->at_ns > 0) {
        vu_release_at(vu, (uint64_t)reply->at_ns);
    } else {
        vu_wake(vu, WAKE_DONE);
    }
}

static void post_notice(struct shard_campaign *campaign, struct notice **notice)
{
    if ((*notice)->kind == NOTICE_FINISHED) {
        post_statistics(campaign, clock_now_ns());
        shard_post_loop(campaign->shard, campaign->id);
    }
    post(campaign, notice);
}

static void shard_campaign_begin_step(struct shard_campaign *campaign, const struct runner_effect *effect)
{
    struct vu *vu = need_vu(campaign, effect->worker);

    vu->intended_ns = effect->intended_ns;
    vu->is_arrival = effect->is_arrival;
    vu->load = effect->load;
    vu_begin(vu, VU_BEGIN_STEP, effect->step);
}

static void perform(struct shard_campaign *campaign, struct runner_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        struct runner_effect *effect = &effects->items[i];
        switch (effect->kind) {
        case RUNNER_SETUP:
            vu_begin(need_vu(campaign, effect->worker), VU_BEGIN_SETUP, 0);
            break;
        case RUNNER_SETUP_LATE:
            vu_cut_short(need_vu(campaign, effect->worker));
            break;
        case RUNNER_STEP:
            shard_campaign_begin_step(campaign, effect);
            break;
        case RUNNER_ANSWER:
            shard_campaign_answer(campaign, effect);
            break;
        case RUNNER_TEARDOWN:
            vu_begin(need_vu(campaign, effect->worker), VU_BEGIN_TEARDOWN,
                     need_vu(campaign, effect->worker)->step);
            break;
        case RUNNER_NOTICE:
            post_notice(campaign, &effect->notice);
            break;
        }
    }
}

static void step_runner(struct shard_campaign *campaign, const struct runner_event *event)
{
    runner_step(campaign->runner, event, &campaign->effects);
    perform(campaign, &campaign->effects);
    runner_effects_clear(&campaign->effects);
    uint64_t due_ns = runner_due_ns(campaign->runner);
    if (due_ns == TIMERS_NEVER) {
        alarms_unset(shard_alarms(campaign->shard), &campaign->runner_alarm);
    } else {
        alarms_set(shard_alarms(campaign->shard), &campaign->runner_alarm, due_ns);
    }
}

static void begin_global(struct shard_campaign *campaign, const struct command *command)
{
    struct worker_cursor cursor = {0};

    if (campaign->script == NULL || campaign->global != NULL) {
        return;
    }
    campaign->global_phase = command->phase;
    /* It calls in the name of the first worker of this shard: no worker runs at that time. */
    campaign->global = vu_new(campaign, 0);
    if (worker_set_next(&campaign->own_workers, &cursor)) {
        campaign->global->id = cursor.worker;
    }
    vu_begin(campaign->global,
             command->phase == GLOBAL_SETUP ? VU_BEGIN_GLOBAL_SETUP : VU_BEGIN_GLOBAL_TEARDOWN, 0);
}

/* The runner ends the waits that the coordinator knows of; here end those that only we know of. */
static void stop_vus(struct shard_campaign *campaign, const struct command *command)
{
    campaign->is_stopping = true;
    memory_free(campaign->stop_text);
    campaign->stop_text = memory_copy_string(command->text);
    for (size_t i = 0; i < campaign->vu_capacity; i++) {
        if (campaign->vus[i] != NULL) {
            vu_stop(campaign->vus[i]);
        }
    }
    if (campaign->global != NULL) {
        vu_stop(campaign->global);
    }
}

/* Statistics are of whole seconds since the workers began, so that those of all shards can be added up second
 * by second. */
static void set_meter_alarm(struct shard_campaign *campaign, uint64_t now_ns)
{
    uint64_t origin_ns = campaign->meter_origin_ns;
    uint64_t due_ns =
        now_ns < origin_ns ? origin_ns : now_ns + METER_PERIOD_NS - (now_ns - origin_ns) % METER_PERIOD_NS;

    alarms_set(shard_alarms(campaign->shard), &campaign->meter_alarm, due_ns);
}

static void on_meter_due(struct alarm *alarm, uint64_t now_ns)
{
    struct shard_campaign *campaign = CONTAINER_OF(alarm, struct shard_campaign, meter_alarm);

    post_statistics(campaign, now_ns);
    set_meter_alarm(campaign, now_ns);
}

/* What came before the workers begin is reported apart. */
static void begin_metering(struct shard_campaign *campaign, const struct command *begin)
{
    uint64_t now_ns = clock_now_ns();

    campaign->meter_origin_ns = begin->at_ns > 0 ? begin->at_ns : now_ns;
    set_meter_alarm(campaign, now_ns);
}

static void on_runner_due(struct alarm *alarm, uint64_t now_ns)
{
    struct shard_campaign *campaign = CONTAINER_OF(alarm, struct shard_campaign, runner_alarm);
    struct runner_event event = {
        .kind = RUNNER_TICK, .now_ns = now_ns, .is_paused = !shard_may_act(campaign->shard, now_ns)};

    step_runner(campaign, &event);
}

struct shard_campaign *shard_campaign_new(struct shard *shard, const struct command *deploy)
{
    struct shard_campaign *campaign = MEMORY_NEW(struct shard_campaign);
    struct error error;

    campaign->shard = shard;
    campaign->id = deploy->campaign;
    campaign->deployment = deployment_hold(deploy->deployment);
    campaign->options = deployment_options(campaign->deployment);
    campaign->room_size = campaign_room_ids(campaign->options);
    campaign->meter = meter_new();
    meter_keep_tags(campaign->meter, campaign->options->thresholds);
    alarm_init(&campaign->runner_alarm, on_runner_due);
    alarm_init(&campaign->meter_alarm, on_meter_due);
    turn_queue_init(&campaign->queue, shard_turns(shard));
    bool is_loaded = shard_script_load(campaign, &error) &&
                     shard_tls_load(&campaign->tls, campaign->options, campaign->script->files, &error) &&
                     vu_network_check(campaign->options, &deploy->workers, &error);
    if (is_loaded) {
        campaign->runner = runner_new(campaign->deployment, runs_of(campaign));
        campaign->batcher = batcher_new(campaign->options->workers);
        runner_gather_into(campaign->runner, campaign->batcher);
        shard_campaign_command(campaign, deploy);
        campaign->metered_ns = campaign->meter_origin_ns = clock_now_ns();
        set_meter_alarm(campaign, campaign->metered_ns);
    }
    post_result(campaign, NOTICE_DEPLOYED, is_loaded ? NULL : error.text);
    return campaign;
}

void shard_campaign_command(struct shard_campaign *campaign, const struct command *command)
{
    if (campaign->runner == NULL) {
        return;
    }
    if (command->kind == COMMAND_GLOBAL) {
        begin_global(campaign, command);
        return;
    }
    if (command->kind == COMMAND_BEGIN) {
        begin_metering(campaign, command);
        shard_post_loop(campaign->shard, campaign->id);
    }
    if (command->kind == COMMAND_DEPLOY) {
        worker_set_copy(&campaign->own_workers, &command->workers);
    }
    if (command->kind == COMMAND_SCALE) {
        batcher_extend(campaign->batcher, command->worker_count);
    }
    struct runner_event event = {.kind = RUNNER_COMMAND, .now_ns = clock_now_ns(), .command = command};
    turns_note_time(campaign->queue.turns, event.now_ns);
    bool is_first_stop = command->kind == COMMAND_STOP && !campaign->is_stopping;
    if (is_first_stop) {
        campaign->is_stopping = true;
    }
    step_runner(campaign, &event);
    if (is_first_stop) {
        stop_vus(campaign, command);
    }
}

void shard_campaign_setup_done(struct shard_campaign *campaign, struct vu *vu, const char *text)
{
    struct runner_event event = {.kind = RUNNER_SETUP_DONE,
                                 .now_ns = clock_now_ns(),
                                 .worker = vu->id,
                                 .is_ok = text == NULL,
                                 .text = text};
    step_runner(campaign, &event);
}

void shard_campaign_step_done(struct shard_campaign *campaign, struct vu *vu, enum step_result result,
                              const char *text)
{
    /* The clock was read when the step ended, or since. */
    struct runner_event event = {.kind = RUNNER_STEP_DONE,
                                 .now_ns = turns_now_ns(campaign->queue.turns),
                                 .worker = vu->id,
                                 .result = result,
                                 .text = text};
    step_runner(campaign, &event);
}

void shard_campaign_torn_down(struct shard_campaign *campaign, struct vu *vu)
{
    uint32_t id = vu->id;
    struct runner_event event = {.kind = RUNNER_TORN_DOWN, .now_ns = clock_now_ns(), .worker = id};

    vu_free(&campaign->vus[id]);
    step_runner(campaign, &event);
}

void shard_campaign_global_done(struct shard_campaign *campaign, const char *text)
{
    post_statistics(campaign, clock_now_ns());
    post_result(campaign, NOTICE_GLOBAL_DONE, text);
    vu_free(&campaign->global);
}

enum runner_call shard_campaign_call(struct shard_campaign *campaign, struct vu *vu,
                                     const struct operation *operation, struct error *error)
{
    uint64_t ticket = vu->slot == VU_NO_SLOT ? 0 : ++campaign->serials;
    enum runner_call call =
        runner_call(campaign->runner, vu->id, operation, ticket, &campaign->call_effects, error);

    vu->ticket = ticket;
    perform(campaign, &campaign->call_effects);
    runner_effects_clear(&campaign->call_effects);
    if (runner_due_ns(campaign->runner) ==
        0) { /* a worker waits that did not: the next step says what time it is */
        alarms_set(shard_alarms(campaign->shard), &campaign->runner_alarm, 0);
    }
    return call;
}

void shard_campaign_give_up(struct shard_campaign *campaign, const struct vu *vu)
{
    runner_give_up(campaign->runner, vu->id, vu->ticket, &campaign->call_effects);
    perform(campaign, &campaign->call_effects);
    runner_effects_clear(&campaign->call_effects);
}

void shard_campaign_settle(struct shard_campaign *campaign, const struct vu *vu)
{
    runner_settle(campaign->runner, vu->id, &campaign->call_effects);
    perform(campaign, &campaign->call_effects);
    runner_effects_clear(&campaign->call_effects);
}

void shard_campaign_keep_artifact(struct shard_campaign *campaign, const struct vu *vu,
                                  enum artifact_kind kind, struct bytes content)
{
    if (campaign->artifacts == LIMIT_ARTIFACTS || content.size == 0 || content.size > LIMIT_ARTIFACT_BYTES) {
        return;
    }
    campaign->artifacts++;
    struct notice *notice = notice_new(NOTICE_ARTIFACT, campaign->id);
    notice->content = text_copy(content);
    notice->artifact = (struct artifact_piece){
        .kind = kind, .worker = vu->id, .step = vu->step, .content = notice->content.bytes};
    post(campaign, &notice);
}

static struct log_subject subject_of(const struct shard_campaign *campaign, const struct vu *vu)
{
    bool is_worker = !vu_is_global(vu);

    return (struct log_subject){.campaign = campaign->id,
                                .agent = bytes_of_string(shard_settings(campaign->shard)->agent),
                                .has_worker = is_worker,
                                .worker = vu->id,
                                .step = is_worker ? vu->step : 0};
}

void shard_campaign_complain(struct shard_campaign *campaign, const struct vu *vu, const char *what,
                             const char *text)
{
    const char *agent = shard_settings(campaign->shard)->agent;
    struct log_subject subject = subject_of(campaign, vu);

    if (!subject.has_worker) {
        log_about(LOG_WARNING, agent, &subject, "%s%s", what, text);
    } else {
        log_about(LOG_WARNING, agent, &subject, "worker %u, step %llu: %s%s", vu->id,
                  (unsigned long long)vu->step, what, text);
    }
}

void shard_campaign_complain_of_failure(struct shard_campaign *campaign, const struct vu *vu,
                                        const char *text)
{
    const char *agent = shard_settings(campaign->shard)->agent;
    struct log_subject subject = subject_of(campaign, vu);
    const char *line = vu->failure_trace != NULL ? vu->failure_trace : "";

    shard_campaign_complain(campaign, vu, "", text);
    while (*line != '\0') {
        line += strspn(line, "\t\n");
        size_t size = strcspn(line, "\n");
        log_about(LOG_WARNING, agent, &subject, "    %.*s", (int)size, line);
        line += size;
    }
}
