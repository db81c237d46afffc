/* The progress of campaigns: the rate of each, and the live object. */
#include "coordinator/api/api_inside.h"

#include "common/clock.h"
#include "common/memory.h"
#include "coordinator/json/report_json.h"

static double seconds(uint64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

static const struct api_rate *find_rate(const struct api *api, uint64_t campaign)
{
    for (size_t i = 0; i < api->rate_count; i++) {
        if (api->rates[i].campaign == campaign) {
            return &api->rates[i];
        }
    }
    return NULL;
}

/* Over the last second while it runs, over all of it once it has ended. */
static double requests_per_s(const struct api *api, const struct report_view *report)
{
    if (report->state == CAMPAIGN_ENDED) {
        double whole_s = seconds(report->running_ns);
        return whole_s > 0 ? (double)report->requests_total / whole_s : 0;
    }
    const struct api_rate *rate = find_rate(api, report->campaign);
    return rate != NULL ? rate->requests_per_s : 0;
}

/* Over a whole second: agents report about once a second, so a shorter interval would make it jump. */
static struct api_rate rate_since(const struct api_rate *last, const struct report_view *report)
{
    struct api_rate rate = {
        .campaign = report->campaign, .running_ns = report->running_ns, .requests = report->requests_total};
    uint64_t from_ns = last != NULL ? last->running_ns : 0;
    uint64_t from = last != NULL ? last->requests : 0;
    if (rate.running_ns > from_ns) {
        rate.requests_per_s = (double)(rate.requests - from) / seconds(rate.running_ns - from_ns);
    }
    return rate;
}

void api_sample_rates(struct api *api)
{
    const struct coordinator_overview *overview = server_overview(api->server);
    size_t count = 0;
    struct api_rate *rates =
        (struct api_rate *)memory_new(overview->live_campaign_count + 1, sizeof(struct api_rate));
    for (size_t i = 0; i < overview->campaign_count; i++) {
        if (overview->campaigns[i].state != CAMPAIGN_ENDED) {
            uint64_t campaign = overview->campaigns[i].campaign;
            rates[count++] = rate_since(find_rate(api, campaign), server_report_now(api->server, campaign));
        }
    }
    memory_free(api->rates);
    api->rates = rates;
    api->rate_count = count;
}

json_t *api_live_object(const struct api *api, const struct report_view *report)
{
    struct report_view live = *report;
    live.requests_per_s = requests_per_s(api, report);
    return report_json_live(&live);
}
