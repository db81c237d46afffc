/* What happens to a campaign when one of its agents is lost. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/compose.h"
#include "common/digits.h"

#define LOSS_TEXT_BYTES 400

/* The agent that is lost, and its workers. */
struct loss {
    struct campaign_agent *agent;
    uint32_t index;
    struct worker_set workers;
    char text[LOSS_TEXT_BYTES]; /* "agent a1 was lost" */
};

static void loss_shrink(struct campaign *campaign, uint64_t now_ns, const struct loss *loss)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(&loss->workers, &cursor)) {
        placement_give(campaign->placement, cursor.worker, PLACEMENT_NOBODY);
    }
    rooms_lose(campaign->rooms, now_ns, &loss->workers, loss->text);
}

/* The step that a lost worker continues with; 0 if it has ended. Before the beginning no step can be lost. */
static uint64_t loss_next_step(struct campaign *campaign, uint64_t now_ns, uint32_t worker, const char *text)
{
    return campaign->begun_ns == 0 ? 1 : rooms_restart(campaign->rooms, now_ns, worker, text);
}

/* An agent that does not know how far the rooms are cannot go on with a seat of one. */
static uint32_t loss_next_agent(const struct campaign *campaign, uint32_t index)
{
    uint32_t next = index;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        next = campaign_next_agent(campaign, next);
        if (next == PLACEMENT_NOBODY || !campaign->agents[next].is_late) {
            return next;
        }
    }
    return PLACEMENT_NOBODY;
}

/* Places the workers that have not ended on the agents that remain. Those that no agent has capacity for are
 * lost. Returns how many continue. */
static uint32_t loss_replace(struct campaign *campaign, uint64_t now_ns, const struct loss *loss)
{
    uint32_t count = 0;
    uint32_t to = loss->index;
    struct worker_set left SCOPED(worker_set_finish) = {0};
    struct worker_cursor cursor = {0};
    while (worker_set_next(&loss->workers, &cursor)) {
        bool is_wanted = cursor.worker < campaign->options.workers; /* else it was to end after its step */
        uint32_t next = is_wanted ? loss_next_agent(campaign, to) : PLACEMENT_NOBODY;
        uint64_t first_step =
            next == PLACEMENT_NOBODY ? 0 : loss_next_step(campaign, now_ns, cursor.worker, loss->text);
        if (first_step == 0) {
            placement_give(campaign->placement, cursor.worker, PLACEMENT_NOBODY);
            worker_set_add(&left, cursor.worker);
            continue;
        }
        to = next;
        campaign_hold(campaign, to);
        campaign_move(campaign, cursor.worker, to, first_step);
        count++;
    }
    rooms_lose(campaign->rooms, now_ns, &left, loss->text);
    if (campaign->state == CAMPAIGN_RUNNING) {
        campaign_send_moved(campaign);
    }
    return count;
}

/* While it drains no new step begins, so workers have nothing to continue with. */
static bool loss_can_replace(const struct campaign *campaign)
{
    return on_loss_replaces(campaign->options.on_loss) && campaign->state != CAMPAIGN_STOPPING &&
           !campaign->is_draining && campaign_live_agents(campaign) > 0;
}

static void loss_apply_policy(struct campaign *campaign, uint64_t now_ns, const struct loss *loss)
{
    unsigned long long count = worker_set_count(&loss->workers);
    const char *plural = digits_plural(count);
    if (loss_can_replace(campaign)) {
        uint32_t moved = loss_replace(campaign, now_ns, loss);
        judgement_raise(&campaign->judgement, VERDICT_DEGRADED,
                        "%s; %u of its %llu worker%s went on elsewhere", loss->text, moved, count, plural);
        return;
    }
    loss_shrink(campaign, now_ns, loss);
    enum verdict verdict = campaign->options.on_loss == ON_LOSS_FAIL ? VERDICT_FAILED : VERDICT_DEGRADED;
    judgement_raise(&campaign->judgement, verdict, "%s with %llu worker%s", loss->text, count, plural);
}

/* A global fixture may have been running on the agent: it runs again on another, unless it is the setup of a
 * campaign that stops. */
static enum campaign_lifecycle_event loss_restart_global(struct campaign *campaign, const struct loss *loss)
{
    if (campaign->global_agent != loss->index) {
        return CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    if (campaign->state == CAMPAIGN_READY) {
        campaign_run_global(campaign, GLOBAL_SETUP);
    } else if (campaign->awaited == AWAITS_TEARDOWN) {
        campaign_run_global(campaign, GLOBAL_TEARDOWN);
    } else if (campaign->awaited == AWAITS_SETUP) {
        return CAMPAIGN_LIFECYCLE_SETUP_FAILED;
    }
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

/* Counts the steps that ended on the agent without being in its statistics, and those that no worker
 * continues. The progress of workers is known from the beginning only where they may go on elsewhere. */
static void loss_count_steps(struct campaign *campaign, uint64_t now_ns, const struct campaign_agent *agent,
                             uint64_t passed_over)
{
    if (on_loss_replaces(campaign->options.on_loss)) {
        bool is_more = agent->steps_ended > agent->steps_counted;
        uint64_t untold = is_more ? agent->steps_ended - agent->steps_counted : 0;
        campaign_statistics_add_lost(campaign->statistics, untold + passed_over);
        campaign_series_lost(campaign, now_ns, untold + passed_over);
    }
}

static void campaign_take_loss(struct campaign *campaign, uint64_t now_ns, const struct loss *loss)
{
    campaign->is_unsettled = true;
    uint64_t passed_over = rooms_steps_lost(campaign->rooms);
    bool had_nobody = loss->agent->is_finished || loss->agent->workers == 0;
    if (had_nobody) {
        loss_shrink(campaign, now_ns, loss); /* nothing is lost but its report that they have ended */
    } else {
        loss_apply_policy(campaign, now_ns, loss);
    }
    loss_count_steps(campaign, now_ns, loss->agent, rooms_steps_lost(campaign->rooms) - passed_over);
    if (campaign_live_agents(campaign) == 0) {
        campaign->was_stopped = true;
        judgement_raise(&campaign->judgement, VERDICT_ABORTED, "%s, and no other agent is left", loss->text);
        (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_ALL_LOST);
        return;
    }
    if (!had_nobody && campaign->options.on_loss == ON_LOSS_FAIL) {
        campaign->was_stopped = true;
        if (campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_STOP)) {
            return;
        }
    }
    enum campaign_lifecycle_event event = loss_restart_global(campaign, loss);
    (void)campaign_happen(campaign, now_ns,
                          event != CAMPAIGN_LIFECYCLE_NO_EVENT ? event : campaign_progress(campaign));
}

void campaign_agent_lost(struct campaign *campaign, uint64_t now_ns, const struct member *member,
                         const char *what)
{
    struct campaign_agent *agent = campaign_agent_of(campaign, member);
    if (agent == NULL) {
        return;
    }
    bool was_live = campaign_agent_is_live(agent);
    agent->member = NULL;
    agent->held = 0;
    if (campaign->state == CAMPAIGN_ENDED) {
        return;
    }
    agent->is_lost = true;
    artifacts_abandon(&campaign->artifacts, &agent->artifact);
    campaign_note_running(campaign, agent, 0);
    if (!was_live) {
        return;
    }
    struct loss loss = {.agent = agent, .index = (uint32_t)(agent - campaign->agents)};
    compose(loss.text, sizeof loss.text, "agent %.*s %s", BYTES_FORMAT(agent->name.bytes), what);
    placement_workers(campaign->placement, loss.index, &loss.workers);
    campaign_take_loss(campaign, now_ns, &loss);
    worker_set_finish(&loss.workers);
}
