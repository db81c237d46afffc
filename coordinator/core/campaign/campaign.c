/* One campaign: its creation, its state, what it does at each transition, and its end. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/compose.h"
#include "common/duration.h"
#include "common/memory.h"

#include <assert.h>

/* How long global_setup may still take once the campaign is to stop, and global_teardown altogether. */
#define SETUP_AFTER_STOP_MS 30000u
#define TEARDOWN_MS 30000u
#define DURATION_BYTES 40

struct campaign *campaign_make(const struct campaign_home *home, uint64_t id,
                               const struct coordinator_event *event)
{
    assert(event->kind == EVENT_CREATE && event->create.options.workers > 0);
    struct campaign *campaign = MEMORY_NEW(struct campaign);
    campaign->home = *home;
    campaign->id = id;
    campaign->options = campaign_options_copy(&event->create.options, &campaign->option_texts);
    bundle_copy(&campaign->bundle, &event->create.bundle, event->create.content);
    campaign->script = text_copy(event->create.script);
    campaign->key = text_copy(event->create.key);
    campaign->agents_wanted = event->create.agents > 0 ? event->create.agents : 1;
    campaign->deadline_ms = event->create.deadline_ms;
    campaign->state = CAMPAIGN_CREATED;
    deadline_init(&campaign->lifecycle_due, DEADLINE_LIFE, campaign);
    deadline_init(&campaign->rooms_due, DEADLINE_ROOMS, campaign);
    deadline_init(&campaign->stage_due, DEADLINE_STAGE, campaign);
    campaign->first_workers = campaign->options.workers;
    deadline_init(&campaign->judge_due, DEADLINE_JUDGE, campaign);
    campaign->thresholds = thresholds_new(campaign->options.thresholds);
    campaign->goal = campaign_goal_new(campaign);
    campaign->sizing = campaign_sizing_new(campaign);
    return campaign;
}

struct campaign *campaign_new(const struct campaign_home *home, uint64_t id,
                              const struct coordinator_event *event)
{
    struct campaign *campaign = campaign_make(home, id, event);
    campaign->statistics = campaign_statistics_new();
    campaign_statistics_keep_tags(campaign->statistics, campaign->options.thresholds);
    campaign->series = series_new();
    deadline_set(home->timers, &campaign->lifecycle_due, due_after_ms(event->now_ns, campaign->deadline_ms));
    outbox_campaign(home->outbox, id, CAMPAIGN_CREATED);
    return campaign;
}

void campaign_free(struct campaign **at)
{
    struct campaign *campaign = *at;
    if (campaign == NULL) {
        return;
    }
    deadline_set(campaign->home.timers, &campaign->lifecycle_due, TIMERS_NEVER);
    deadline_set(campaign->home.timers, &campaign->rooms_due, TIMERS_NEVER);
    deadline_set(campaign->home.timers, &campaign->stage_due, TIMERS_NEVER);
    deadline_set(campaign->home.timers, &campaign->judge_due, TIMERS_NEVER);
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        text_finish(&campaign->agents[i].name);
        text_finish(&campaign->agents[i].host);
        text_finish(&campaign->agents[i].labels);
        artifacts_abandon(&campaign->artifacts, &campaign->agents[i].artifact);
        histogram_free(&campaign->agents[i].performance.lag_us);
    }
    memory_free(campaign->agents);
    memory_free(campaign->agent_reports);
    memory_free(campaign->bottleneck_reports);
    memory_free(campaign->moved);
    memory_free(campaign->growths);
    memory_free(campaign->last_steps);
    text_finish(&campaign->option_texts);
    text_finish(&campaign->script);
    text_finish(&campaign->key);
    bundle_finish(&campaign->bundle);
    judgement_finish(&campaign->judgement);
    placement_free(&campaign->placement);
    rooms_free(&campaign->rooms);
    sightings_free(&campaign->sightings);
    latecomers_free(&campaign->latecomers);
    campaign_statistics_free(&campaign->statistics);
    thresholds_free(&campaign->thresholds);
    campaign_goal_free(&campaign->goal);
    campaign_sizing_free(&campaign->sizing);
    series_free(&campaign->series);
    artifacts_finish(&campaign->artifacts);
    histogram_free(&campaign->release_spread_us);
    memory_free(campaign);
    *at = NULL;
}

void campaign_note_running(struct campaign *campaign, struct campaign_agent *agent, uint32_t workers)
{
    campaign->workers_running += workers - agent->workers_running;
    agent->workers_running = workers;
}

uint64_t campaign_id(const struct campaign *campaign)
{
    return campaign->id;
}

struct bytes campaign_key(const struct campaign *campaign)
{
    return campaign->key.bytes;
}

struct bytes campaign_bundle(const struct campaign *campaign)
{
    return campaign->bundle.owned.listing.hash;
}

enum campaign_state campaign_state(const struct campaign *campaign)
{
    return campaign->state;
}

uint16_t campaign_target_port(const struct campaign *campaign)
{
    return campaign->options.target_port;
}

uint32_t campaign_agent_count(const struct campaign *campaign)
{
    return campaign->agent_count;
}

struct member *campaign_agent(const struct campaign *campaign, uint32_t agent, uint32_t *workers_running)
{
    *workers_running = campaign->agents[agent].workers_running;
    return campaign->agents[agent].workers > 0 ? campaign->agents[agent].member : NULL;
}

bool campaign_is_ended(const struct campaign *campaign)
{
    return campaign->state == CAMPAIGN_ENDED;
}

bool campaign_is_unsettled(const struct campaign *campaign)
{
    return campaign->is_unsettled;
}

size_t campaign_artifact_bytes(const struct campaign *campaign)
{
    return campaign->artifacts.bytes;
}

const struct artifacts *campaign_artifacts(const struct campaign *campaign)
{
    return &campaign->artifacts;
}

void campaign_drop_artifacts(struct campaign *campaign)
{
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        artifacts_abandon(&campaign->artifacts, &campaign->agents[i].artifact);
    }
    artifacts_finish(&campaign->artifacts);
}

static enum campaign_lifecycle_event campaign_do_deploy(struct campaign *campaign, uint64_t now_ns)
{
    campaign_await_agents(campaign, now_ns);
    campaign_take_agents(campaign);
    const struct coordinator_settings *settings = campaign->home.settings;
    campaign->rooms = rooms_new(&campaign->options, settings->start_delay_ms * 1000000u,
                                settings->deadlock_delay_ms * 1000000u);
    campaign->is_unsettled = true; /* rooms may have to report their progress from the beginning */
    campaign_deploy(campaign);
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

static enum campaign_lifecycle_event campaign_do_run_setup(struct campaign *campaign, uint64_t now_ns)
{
    campaign_await_agents(campaign, now_ns);
    campaign_run_global(campaign, GLOBAL_SETUP);
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

static enum campaign_lifecycle_event campaign_do_begin(struct campaign *campaign, uint64_t now_ns)
{
    uint64_t lead_ns = campaign_lead_ns(campaign);
    rooms_set_start_delay(campaign->rooms, lead_ns);
    campaign->lead_looked_ns = now_ns;
    campaign->begun_ns = now_ns + lead_ns;
    struct message message = {.kind = MESSAGE_BEGIN, .begin.at_ns = (int64_t)campaign->begun_ns};
    campaign_tell_all(campaign, &message);
    campaign_send_moved(campaign);
    campaign_begin_stages(campaign);
    campaign_begin_goal(campaign);
    campaign_begin_sizing(campaign);
    campaign_thresholds_begin(campaign, now_ns);
    uint64_t duration_ms = campaign->options.duration_ms;
    deadline_set(campaign->home.timers, &campaign->lifecycle_due,
                 duration_ms > 0 ? due_after_ms(campaign->begun_ns, duration_ms) : TIMERS_NEVER);
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

static enum campaign_lifecycle_event campaign_do_drain(struct campaign *campaign, uint64_t now_ns)
{
    campaign->is_draining = true;
    campaign->last_steps = memory_new(campaign_room_total(campaign), sizeof *campaign->last_steps);
    rooms_drain(campaign->rooms, now_ns);
    campaign->is_unsettled = true;
    struct message message = {.kind = MESSAGE_DRAIN};
    campaign_tell_all(campaign, &message);
    if (!campaign->options.has_grace) {
        return CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    deadline_set(campaign->home.timers, &campaign->lifecycle_due,
                 due_after_ms(now_ns, campaign->options.grace_ms));
    return campaign->options.grace_ms > 0 ? CAMPAIGN_LIFECYCLE_NO_EVENT : CAMPAIGN_LIFECYCLE_GRACE_OVER;
}

static enum campaign_lifecycle_event campaign_do_run_until(struct campaign *campaign, uint64_t now_ns)
{
    (void)now_ns;
    campaign->is_last_step_known = true;
    campaign_send_last_steps(campaign);
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

static enum campaign_lifecycle_event campaign_do_await_setup(struct campaign *campaign, uint64_t now_ns)
{
    campaign->awaited = AWAITS_SETUP;
    deadline_set(campaign->home.timers, &campaign->lifecycle_due, due_after_ms(now_ns, SETUP_AFTER_STOP_MS));
    /* If its agent is the one whose loss stops the campaign, no setup is left to wait for. */
    bool is_live = campaign_agent_is_live(&campaign->agents[campaign->global_agent]);
    return is_live ? CAMPAIGN_LIFECYCLE_NO_EVENT : CAMPAIGN_LIFECYCLE_SETUP_FAILED;
}

/* What the steps that it ends say of it. */
static void campaign_explain_stop(const struct campaign *campaign, char *text, size_t size)
{
    char grace[DURATION_BYTES];
    if (campaign->judgement.reason != NULL) {
        compose(text, size, "%s", campaign->judgement.reason);
    } else if (campaign->is_draining && !campaign->was_stopped && campaign->options.grace_ms > 0) {
        duration_describe(campaign->options.grace_ms, grace, sizeof grace);
        compose(text, size, "the duration was over %s before (--grace)", grace);
    } else if (campaign->is_draining && !campaign->was_stopped) {
        compose(text, size, "the duration is over (--grace 0)");
    } else {
        compose(text, size, "the campaign is stopping");
    }
}

static enum campaign_lifecycle_event campaign_do_stop_workers(struct campaign *campaign, uint64_t now_ns)
{
    char text[LIMIT_TEXT_BYTES + 1];
    campaign->awaited = AWAITS_WORKERS;
    rooms_stop(campaign->rooms, now_ns);
    campaign->is_unsettled = true;
    campaign_explain_stop(campaign, text, sizeof text);
    struct message message = {.kind = MESSAGE_STOP,
                              .stop = {.is_final = campaign->is_at_once, .text = bytes_of_string(text)}};
    campaign_tell_all(campaign, &message);
    deadline_set(campaign->home.timers, &campaign->lifecycle_due,
                 due_after_ms(now_ns, campaign_finish_within_ms(campaign)));
    return campaign_progress(campaign);
}

static enum campaign_lifecycle_event campaign_do_hurry(struct campaign *campaign, uint64_t now_ns)
{
    uint64_t due_ns = due_after_ms(now_ns, campaign_finish_within_ms(campaign));
    bool is_set = campaign->lifecycle_due.timer.position != TIMER_UNSET;
    if (!is_set || campaign->lifecycle_due.timer.due_ns > due_ns) {
        deadline_set(campaign->home.timers, &campaign->lifecycle_due, due_ns);
    }
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

static enum campaign_lifecycle_event campaign_do_run_teardown(struct campaign *campaign, uint64_t now_ns)
{
    campaign->ended_ns = now_ns;
    campaign->awaited = AWAITS_TEARDOWN;
    if (campaign->is_at_once || campaign_live_agents(campaign) == 0) {
        return CAMPAIGN_LIFECYCLE_TORN_DOWN;
    }
    campaign_run_global(campaign, GLOBAL_TEARDOWN);
    deadline_set(campaign->home.timers, &campaign->lifecycle_due, due_after_ms(now_ns, TEARDOWN_MS));
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

/* Only the report remains, with the numbers that the rooms had at the end. */
static void campaign_drop_rooms(struct campaign *campaign)
{
    if (campaign->rooms == NULL) {
        return;
    }
    rooms_count(campaign->rooms, &campaign->report);
    if (campaign->report.release_spread_us != NULL) {
        campaign->release_spread_us = histogram_new();
        histogram_merge(campaign->release_spread_us, campaign->report.release_spread_us);
        campaign->report.release_spread_us = campaign->release_spread_us;
    }
    rooms_free(&campaign->rooms);
    campaign_note_workers(campaign);
    placement_free(&campaign->placement);
    memory_free(campaign->last_steps);
    campaign->last_steps = NULL;
    campaign->is_unsettled = false;
}

static enum campaign_lifecycle_event campaign_do_end(struct campaign *campaign, uint64_t now_ns)
{
    if (campaign->ended_ns == 0) {
        campaign->ended_ns = now_ns;
    }
    deadline_set(campaign->home.timers, &campaign->lifecycle_due, TIMERS_NEVER);
    deadline_set(campaign->home.timers, &campaign->rooms_due, TIMERS_NEVER);
    deadline_set(campaign->home.timers, &campaign->stage_due, TIMERS_NEVER);
    campaign_statistics_add_dropped(campaign->statistics, campaign_unbegun(campaign));
    deadline_set(campaign->home.timers, &campaign->judge_due, TIMERS_NEVER);
    if (campaign->rooms != NULL) {
        campaign->sightings = rooms_take_sightings(campaign->rooms);
        campaign->latecomers = rooms_take_latecomers(campaign->rooms);
        campaign_place_latecomers(campaign, campaign->latecomers);
    }
    campaign_judge(campaign);
    struct message message = {.kind = MESSAGE_FORGET};
    campaign_tell_all(campaign, &message);
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        campaign_note_running(campaign, &campaign->agents[i], 0);
    }
    campaign_unburden(campaign);
    campaign_drop_rooms(campaign);
    bundle_finish(&campaign->bundle);
    const char *reason = campaign->judgement.reason;
    outbox_log(campaign->home.outbox, LOG_INFO, &(struct log_subject){.campaign = campaign->id},
               "campaign %llu has ended: %s%s%s", (unsigned long long)campaign->id,
               verdict_name(campaign->judgement.verdict), reason != NULL ? ": " : "",
               reason != NULL ? reason : "");
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

/* Returns the event that follows immediately, or NO_EVENT. */
typedef enum campaign_lifecycle_event campaign_lifecycle_function(struct campaign *campaign, uint64_t now_ns);
static campaign_lifecycle_function *const ACTIONS[] = {
    [CAMPAIGN_LIFECYCLE_DEPLOY] = campaign_do_deploy,
    [CAMPAIGN_LIFECYCLE_RUN_SETUP] = campaign_do_run_setup,
    [CAMPAIGN_LIFECYCLE_BEGIN] = campaign_do_begin,
    [CAMPAIGN_LIFECYCLE_DRAIN] = campaign_do_drain,
    [CAMPAIGN_LIFECYCLE_RUN_UNTIL] = campaign_do_run_until,
    [CAMPAIGN_LIFECYCLE_AWAIT_SETUP] = campaign_do_await_setup,
    [CAMPAIGN_LIFECYCLE_STOP_WORKERS] = campaign_do_stop_workers,
    [CAMPAIGN_LIFECYCLE_HURRY] = campaign_do_hurry,
    [CAMPAIGN_LIFECYCLE_RUN_TEARDOWN] = campaign_do_run_teardown,
    [CAMPAIGN_LIFECYCLE_GIVE_UP] = campaign_give_up,
    [CAMPAIGN_LIFECYCLE_END] = campaign_do_end,
};
static_assert(sizeof ACTIONS / sizeof *ACTIONS == CAMPAIGN_LIFECYCLE_ACTION_COUNT, "one row for each action");

bool campaign_happen(struct campaign *campaign, uint64_t now_ns, enum campaign_lifecycle_event event)
{
    assert(!campaign->is_in_transition);
    campaign->is_in_transition = true;
    bool is_refused = false;
    while (event != CAMPAIGN_LIFECYCLE_NO_EVENT) {
        const struct campaign_lifecycle_row *row = campaign_lifecycle_find(campaign->state, event);
        is_refused = row == NULL;
        if (is_refused) {
            campaign->refused_events++;
            break;
        }
        if (row->next != campaign->state) {
            campaign->state = row->next;
            outbox_campaign(campaign->home.outbox, campaign->id, row->next);
        }
        event = ACTIONS[row->action](campaign, now_ns);
    }
    campaign->is_in_transition = false;
    return !is_refused;
}

enum campaign_lifecycle_event campaign_judge_stop(struct campaign *campaign, enum verdict verdict,
                                                  const char *reason)
{
    judgement_raise(&campaign->judgement, verdict, "%s", reason);
    campaign->was_stopped = true;
    return CAMPAIGN_LIFECYCLE_STOP;
}

void campaign_stop(struct campaign *campaign, uint64_t now_ns, bool is_at_once, struct bytes text)
{
    enum campaign_lifecycle_event event =
        is_at_once ? CAMPAIGN_LIFECYCLE_STOP_AT_ONCE : CAMPAIGN_LIFECYCLE_STOP;
    if (campaign_lifecycle_find(campaign->state, event) == NULL) {
        return; /* it is ending already */
    }
    if (text.size == 0) {
        text = bytes_of_string("stopped");
    }
    if (!is_at_once && campaign->thresholds != NULL && campaign->state == CAMPAIGN_RUNNING) {
        judgement_explain(&campaign->judgement, text); /* the thresholds judge what it has done */
    } else {
        judgement_raise(&campaign->judgement, VERDICT_ABORTED, "%.*s", BYTES_FORMAT(text));
    }
    campaign->was_stopped = true;
    campaign->is_at_once = campaign->is_at_once || is_at_once;
    (void)campaign_happen(campaign, now_ns, event);
}
