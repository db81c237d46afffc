/* The report of a campaign, composed on request, and its verdict. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/memory.h"

#define LAG_QUANTILE 0.99

static enum agent_state campaign_agent_state(const struct campaign *campaign,
                                             const struct campaign_agent *agent)
{
    if (agent->is_lost) {
        return AGENT_LOST;
    }
    if (agent->is_finished) {
        return AGENT_FINISHED;
    }
    return campaign->begun_ns > 0 && agent->workers > 0 ? AGENT_RUNNING : AGENT_JOINED;
}

static void campaign_report_performance(const struct campaign_agent *agent, struct agent_report *report)
{
    const struct performance *performance = &agent->performance;
    report->has_clock = performance->has_clock;
    report->clock_offset_ns = performance->clock_offset_ns;
    report->clock_uncertainty_ns = performance->clock_uncertainty_ns;
    report->is_measured = performance->measured_us > 0;
    if (report->is_measured) {
        report->cpu = (double)performance->cpu_us / (double)performance->measured_us;
        report->memory_bytes = performance->memory_bytes;
        report->lag_p99_us = histogram_quantile(performance->lag_us, LAG_QUANTILE);
        report->lag_maximum_us = histogram_maximum(performance->lag_us);
    }
}

static struct bottleneck_report campaign_agent_bottleneck(const struct campaign_agent *agent)
{
    const struct overload_sum *total = &agent->performance.overload.total;
    double whole_us = (double)total->us;
    return (struct bottleneck_report){
        .agent = agent->name.bytes,
        .strained_us = total->us,
        .lag_p99_us = total->lag_p99_us,
        .lag_maximum_us = total->lag_max_us,
        .busy = (double)total->busy_us / whole_us,
        .host_cpu = agent->cores > 0 ? (double)total->host_cpu_us / whole_us / agent->cores : 0,
    };
}

static void campaign_report_bottlenecks(struct campaign *campaign)
{
    struct campaign_report *report = &campaign->report;
    report->bottleneck_count = 0;
    if (campaign->bottleneck_reports == NULL && campaign->agent_count > 0) {
        campaign->bottleneck_reports =
            memory_new(campaign->agent_count, sizeof *campaign->bottleneck_reports);
    }
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        if (campaign->agents[i].performance.overload.total.us > 0) {
            campaign->bottleneck_reports[report->bottleneck_count++] =
                campaign_agent_bottleneck(&campaign->agents[i]);
        }
    }
    report->bottlenecks = campaign->bottleneck_reports;
}

void campaign_note_workers(struct campaign *campaign)
{
    if (campaign->placement != NULL) {
        campaign->report.workers_ran = placement_count(campaign->placement);
    }
}

static void campaign_report_agents(struct campaign *campaign)
{
    struct campaign_report *report = &campaign->report;
    if (campaign->agent_reports == NULL && campaign->agent_count > 0) {
        campaign->agent_reports = memory_new(campaign->agent_count, sizeof *campaign->agent_reports);
    }
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        const struct campaign_agent *agent = &campaign->agents[i];
        campaign->agent_reports[i] = (struct agent_report){.name = agent->name.bytes,
                                                           .host = agent->host.bytes,
                                                           .labels = agent->labels.bytes,
                                                           .pid = agent->pid,
                                                           .workers = agent->ids,
                                                           .workers_running = agent->workers_running,
                                                           .state = campaign_agent_state(campaign, agent)};
        campaign_report_performance(agent, &campaign->agent_reports[i]);
    }
    report->workers_running = campaign->workers_running;
    campaign_note_workers(campaign);
    report->agents = campaign->agent_reports;
    report->agent_count = campaign->agent_count;
}

static uint64_t campaign_running_ns(const struct campaign *campaign, uint64_t now_ns)
{
    uint64_t until_ns = campaign->ended_ns != 0 ? campaign->ended_ns : now_ns;
    return campaign->begun_ns != 0 && until_ns > campaign->begun_ns ? until_ns - campaign->begun_ns : 0;
}

static uint32_t campaign_agent_of_latecomer(const void *context, uint32_t worker)
{
    const struct campaign *campaign = context;
    uint32_t agent = placement_agent(campaign->placement, worker);
    return agent == PLACEMENT_NOBODY ? LATECOMERS_NOWHERE : agent;
}

void campaign_place_latecomers(const struct campaign *campaign, struct latecomers *latecomers)
{
    if (campaign->placement != NULL) {
        latecomers_place(latecomers, campaign_agent_of_latecomer, campaign);
    }
}

static void campaign_report_latecomers(struct campaign *campaign)
{
    struct latecomers *latecomers = campaign->latecomers;
    if (campaign->rooms != NULL) {
        latecomers = rooms_latecomers(campaign->rooms);
        campaign_place_latecomers(campaign, latecomers);
    }
    if (latecomers != NULL) {
        latecomers_report(latecomers, &campaign->report);
    }
}

static void campaign_report_rooms(struct campaign *campaign)
{
    campaign->waiting[0] = '\0';
    campaign->report.crowd_count = 0;
    if (campaign->rooms != NULL) {
        rooms_describe_waits(campaign->rooms, &campaign->report, campaign->waiting, sizeof campaign->waiting);
        rooms_count(campaign->rooms, &campaign->report);
    }
    campaign->report.waiting = bytes_of_string(campaign->waiting);
    struct sightings *sightings =
        campaign->rooms != NULL ? rooms_sightings(campaign->rooms) : campaign->sightings;
    if (sightings != NULL) {
        sightings_report(sightings, &campaign->report);
    }
}

const struct campaign_report *campaign_report(struct campaign *campaign, uint64_t now_ns)
{
    struct campaign_report *report = &campaign->report;
    bool is_ended = campaign->state == CAMPAIGN_ENDED;
    report->campaign = campaign->id;
    report->options = &campaign->options;
    report->script = campaign->script.bytes;
    report->key = campaign->key.bytes;
    report->state = campaign->state;
    report->verdict = is_ended ? campaign->judgement.verdict : VERDICT_NONE;
    report->reason = bytes_of_string(campaign->judgement.reason);
    report->begun_ns = campaign->begun_ns;
    report->made_ns = now_ns;
    report->running_ns = campaign_running_ns(campaign, now_ns);
    report->workers_grown = campaign->grown;
    campaign_report_goal(campaign, &report->goal);
    campaign_report_sizing(campaign, &report->sizing);
    campaign_report_agents(campaign);
    campaign_report_bottlenecks(campaign);
    campaign_statistics_report(campaign->statistics, report);
    if (campaign->thresholds != NULL) {
        report->thresholds = thresholds_results(campaign->thresholds, &report->threshold_count);
    }
    report->recent =
        is_ended ? (struct series_recent){0} : series_recent(campaign->series, report->running_ns);
    report->artifacts = campaign->artifacts.items;
    report->artifact_count = campaign->artifacts.count;
    campaign_report_rooms(campaign);
    campaign_report_latecomers(campaign);
    return report;
}

/* Readers that see different texts are as bad as a failed step: that they agree is what is tested. */
static void campaign_judge_convergence(struct campaign *campaign)
{
    bool is_failure_allowed = campaign->options.fail_steps == 0 && campaign->options.fail_percent <= 0;
    const struct divergence *first;
    struct bytes name;
    uint64_t diverged =
        campaign->sightings == NULL ? 0 : sightings_diverged(campaign->sightings, &name, &first);
    if (diverged > 0 && !is_failure_allowed) {
        judgement_raise(&campaign->judgement, VERDICT_FAILED,
                        "readers saw different texts in %llu %s, first at %.*s@%llu in room %u: %u of %u "
                        "differed from what %s",
                        (unsigned long long)diverged, diverged == 1 ? "step" : "steps", BYTES_FORMAT(name),
                        (unsigned long long)first->step, first->room, first->differed, first->compared,
                        first->is_from_written ? "was written" : "most of them saw");
    }
}

static struct requests_counted campaign_requests(const struct campaign_report *report)
{
    struct requests_counted requests = {0};
    for (size_t i = 0; i < report->request_count; i++) {
        if (!report->requests[i].is_timing) {
            requests.all += report->requests[i].count;
            requests.failed += report->requests[i].failed;
        }
    }
    return requests;
}

void campaign_judge(struct campaign *campaign)
{
    struct judgement *judgement = &campaign->judgement;
    if (judgement->verdict == VERDICT_NONE) {
        judgement_finish(judgement); /* why it was stopped is no reason for the verdict that follows */
    }
    if (campaign->begun_ns > 0) {
        campaign_statistics_report(campaign->statistics, &campaign->report);
        campaign_judge_thresholds(campaign);
        struct steps_counted steps = {
            .ok = campaign->report.steps_ok,
            .failed = campaign->report.steps_failed,
            .failed_by_loss = campaign->report.steps_failed_by_loss,
            .is_own_end = !campaign->was_stopped,
            .common_error =
                campaign->report.error_count > 0 ? campaign->report.errors[0].text : bytes_of_string(""),
        };
        judgement_of_steps(judgement, &campaign->options, &steps);
    }
    campaign_judge_convergence(campaign);
    if (campaign->begun_ns > 0) {
        struct requests_counted requests = campaign_requests(&campaign->report);
        judgement_pass(judgement, campaign->was_stopped ? campaign_running_ns(campaign, 0) : 0);
        judgement_of_requests(judgement, &campaign->options, &requests);
    }
    judgement_pass(judgement, 0);
}
