/* How the agents of a campaign were doing while its workers ran, and which of them could not keep up. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/memory.h"
#include "common/time_units.h"

#define LAG_QUANTILE 0.99
/* An instant is told so many round trips ahead, of the slowest agent; but the others wait no longer than that
 * for one that hardly answers. */
#define LEAD_ROUND_TRIPS 4u
#define LEAD_MOST_NS 2000000000u
#define LEAD_LOOK_NS 1000000000u

uint64_t campaign_lead_ns(const struct campaign *campaign)
{
    uint64_t longest_ns = 0;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        if (campaign_agent_is_live(&campaign->agents[i])) {
            uint64_t round_trip_ns = members_round_trip_ns(campaign->agents[i].member);
            longest_ns = round_trip_ns > longest_ns ? round_trip_ns : longest_ns;
        }
    }
    uint64_t least_ns = campaign->home.settings->start_delay_ms * NS_PER_MS;
    uint64_t lead_ns =
        longest_ns < LEAD_MOST_NS / LEAD_ROUND_TRIPS ? longest_ns * LEAD_ROUND_TRIPS : LEAD_MOST_NS;
    return lead_ns > least_ns ? lead_ns : least_ns;
}

/* The network may have changed since the start: barriers release by what it is now. */
static void look_at_lead(struct campaign *campaign, uint64_t now_ns)
{
    if (now_ns - campaign->lead_looked_ns >= LEAD_LOOK_NS) {
        campaign->lead_looked_ns = now_ns;
        rooms_set_start_delay(campaign->rooms, campaign_lead_ns(campaign));
    }
}

static void measure(struct performance *performance, const struct gauges *gauges)
{
    performance->measured_us += gauges->interval_us;
    performance->cpu_us += gauges->cpu_us;
    if (gauges->memory_bytes > performance->memory_bytes) {
        performance->memory_bytes = gauges->memory_bytes;
    }
    if (performance->lag_us == NULL) {
        performance->lag_us = histogram_new();
    }
    histogram_merge(performance->lag_us, gauges->lag_us);
    overload_add(&performance->overload, gauges);
}

void campaign_gauges(struct campaign *campaign, uint64_t now_ns, const struct member *member,
                     const struct gauges *gauges)
{
    struct campaign_agent *agent = campaign_agent_of(campaign, member);
    if (campaign_is_ended(campaign) || agent == NULL || agent->workers == 0) {
        return;
    }
    look_at_lead(campaign, now_ns);
    struct performance *performance = &agent->performance;
    if (gauges->has_clock) {
        performance->has_clock = true;
        performance->clock_offset_ns = gauges->clock_offset_ns;
        performance->clock_uncertainty_ns = gauges->clock_uncertainty_ns;
    }
    /* What came before they began is not theirs: loading the script, say. */
    if (campaign->begun_ns != 0 && now_ns > campaign->begun_ns && !agent->is_finished) {
        measure(performance, gauges);
    }
}

void campaign_report_performance(const struct campaign_agent *agent, struct agent_report *report)
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

static struct bottleneck_report bottleneck_of(const struct campaign_agent *agent)
{
    const struct overload_sum *total = &agent->performance.overload.total;
    double whole_us = (double)total->us;
    return (struct bottleneck_report){
        .agent = agent->name,
        .strained_us = total->us,
        .lag_p99_us = total->lag_p99_us,
        .lag_maximum_us = total->lag_max_us,
        .busy = (double)total->busy_us / whole_us,
        .host_cpu = agent->cores > 0 ? (double)total->host_cpu_us / whole_us / agent->cores : 0,
    };
}

void campaign_report_bottlenecks(struct campaign *campaign)
{
    struct campaign_report *report = &campaign->report;
    report->bottleneck_count = 0;
    if (campaign->bottleneck_reports == NULL && campaign->agent_count > 0) {
        campaign->bottleneck_reports =
            memory_new(campaign->agent_count, sizeof *campaign->bottleneck_reports);
    }
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        if (campaign->agents[i].performance.overload.total.us > 0) {
            campaign->bottleneck_reports[report->bottleneck_count++] = bottleneck_of(&campaign->agents[i]);
        }
    }
    report->bottlenecks = campaign->bottleneck_reports;
}
