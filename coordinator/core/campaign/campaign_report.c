/* The report of a campaign, put together when somebody asks. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/memory.h"

static enum agent_state campaign_report_state_of(const struct campaign *campaign,
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

static void report_agents(struct campaign *campaign)
{
    struct campaign_report *report = &campaign->report;
    if (campaign->agent_reports == NULL && campaign->agent_count > 0) {
        campaign->agent_reports =
            (struct agent_report *)memory_new(campaign->agent_count, sizeof *campaign->agent_reports);
    }
    report->workers_running = 0;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        const struct campaign_agent *agent = &campaign->agents[i];
        campaign->agent_reports[i] =
            (struct agent_report){.name = agent->name,
                                  .host = agent->host,
                                  .labels = agent->labels,
                                  .pid = agent->pid,
                                  .workers = agent->workers,
                                  .state = campaign_report_state_of(campaign, agent)};
        campaign_report_performance(agent, &campaign->agent_reports[i]);
        report->workers_running += agent->workers_running;
    }
    report->agents = campaign->agent_reports;
    report->agent_count = campaign->agent_count;
}

static uint64_t running_ns(const struct campaign *campaign, uint64_t now_ns)
{
    uint64_t until_ns = campaign->ended_ns != 0 ? campaign->ended_ns : now_ns;
    return campaign->begun_ns != 0 && until_ns > campaign->begun_ns ? until_ns - campaign->begun_ns : 0;
}

static void report_rooms(struct campaign *campaign)
{
    campaign->waiting[0] = '\0';
    if (campaign->rooms != NULL) {
        rooms_describe_waits(campaign->rooms, campaign->waiting, sizeof campaign->waiting);
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
    report->script = campaign->script;
    report->key = campaign->key;
    report->state = campaign->state;
    report->verdict = is_ended ? campaign->judgement.verdict : VERDICT_NONE;
    report->reason = bytes_of_string(campaign->judgement.reason);
    report->begun_ns = campaign->begun_ns;
    report->made_ns = now_ns;
    report->running_ns = running_ns(campaign, now_ns);
    report_agents(campaign);
    campaign_report_bottlenecks(campaign);
    campaign_statistics_report(campaign->statistics, report);
    report->artifacts = campaign->artifacts.items;
    report->artifact_count = campaign->artifacts.count;
    report_rooms(campaign);
    return report;
}
