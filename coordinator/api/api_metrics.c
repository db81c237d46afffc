/* The metrics of the coordinator for Prometheus: one row each. */
#include "coordinator/api/api_inside.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/metrics/campaign_metrics.h"
#include "coordinator/metrics/metrics_text.h"

/* A few hundred bytes an agent. */
#define METRICS_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* What the rows are computed from; sums are over campaigns that have not ended. */
struct sums {
    const struct api *api;
    const struct coordinator_overview *overview;
    const struct report_view **live; /* of campaigns that have not ended */
    size_t live_count;
    uint64_t states[CAMPAIGN_STATE_COUNT];
    uint64_t running_agents;
    uint64_t workers_running;
    uint64_t notifiers;
    uint64_t barriers;
    uint64_t variables;
    uint64_t waits;
};

static double agents(const struct sums *sums)
{
    return (double)(sums->overview->agent_count - sums->overview->lost_count);
}

static double agents_running(const struct sums *sums)
{
    return (double)sums->running_agents;
}

static double agents_joined(const struct sums *sums)
{
    return (double)sums->overview->agents_joined;
}

static double agents_left(const struct sums *sums)
{
    return (double)sums->overview->agents_left;
}

static double agents_lost(const struct sums *sums)
{
    return (double)sums->overview->agents_lost;
}

static double campaigns_created(const struct sums *sums)
{
    return (double)sums->overview->campaigns_created;
}

static double workers_running(const struct sums *sums)
{
    return (double)sums->workers_running;
}

static double frames_received(const struct sums *sums)
{
    return (double)sums->overview->frames_received;
}

static double frames_sent(const struct sums *sums)
{
    return (double)sums->overview->frames_sent;
}

static double operations(const struct sums *sums)
{
    return (double)sums->overview->operations;
}

static double notifiers(const struct sums *sums)
{
    return (double)sums->notifiers;
}

static double barriers(const struct sums *sums)
{
    return (double)sums->barriers;
}

static double variables(const struct sums *sums)
{
    return (double)sums->variables;
}

static double waits(const struct sums *sums)
{
    return (double)sums->waits;
}

static double draining(const struct sums *sums)
{
    return sums->api->is_draining ? 1 : 0;
}

static struct recovery_state journal_of(const struct sums *sums)
{
    const struct recovery *recovery = server_recovery(sums->api->server);
    return recovery != NULL ? recovery_state(recovery) : (struct recovery_state){0};
}

static double journal_size(const struct sums *sums)
{
    return (double)journal_of(sums).bytes;
}

static double journal_written_size(const struct sums *sums)
{
    return (double)journal_of(sums).written_bytes;
}

static double journal_writes(const struct sums *sums)
{
    return (double)journal_of(sums).writes;
}

static double journal_bases(const struct sums *sums)
{
    return (double)journal_of(sums).bases;
}

static double journal_failures(const struct sums *sums)
{
    return (double)journal_of(sums).failures;
}

static double journal_failed(const struct sums *sums)
{
    return journal_of(sums).is_failed ? 1 : 0;
}

static double http_requests(const struct sums *sums)
{
    return (double)http_request_count(sums->api->http);
}

static double http_connections(const struct sums *sums)
{
    return (double)http_connection_count(sums->api->http);
}

static double api_metrics_memory_bytes(const struct sums *sums)
{
    size_t bytes = 0;
    (void)sums;
    (void)uv_resident_set_memory(&bytes);
    return (double)bytes;
}

static double processor_s(const struct sums *sums)
{
    uv_rusage_t usage = {0};
    (void)sums;
    (void)uv_getrusage(&usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double start_time_s(const struct sums *sums)
{
    return (double)sums->api->began_wall_ns / (double)NS_PER_S;
}

static const struct coordinator_metric {
    const char *name;
    const char *type;
    const char *help;
    double (*value)(const struct sums *sums);
} METRICS[] = {
    {"tutti_agents", "gauge", "Agents that have joined and are not lost.", agents},
    {"tutti_agents_running", "gauge", "Agents that take part in a campaign now.", agents_running},
    {"tutti_agents_joined_total", "counter", "Times that an agent has joined.", agents_joined},
    {"tutti_agents_left_total", "counter", "Times that an agent said goodbye.", agents_left},
    {"tutti_agents_lost_total", "counter", "Times that an agent was declared lost.", agents_lost},
    {"tutti_campaigns_created_total", "counter", "Campaigns that were asked for.", campaigns_created},
    {"tutti_workers_running", "gauge", "Workers of all campaigns that run now.", workers_running},
    {"tutti_frames_received_total", "counter", "Frames from agents.", frames_received},
    {"tutti_frames_sent_total", "counter", "Frames to agents.", frames_sent},
    {"tutti_operations_total", "counter", "Operations of workers on notifiers, barriers and variables.",
     operations},
    {"tutti_live_notifiers", "gauge", "Notifiers that are held.", notifiers},
    {"tutti_live_barriers", "gauge", "Barriers that are held.", barriers},
    {"tutti_live_variables", "gauge", "Variables that are held.", variables},
    {"tutti_live_waits", "gauge", "Workers that wait.", waits},
    {"tutti_draining", "gauge", "1 once the coordinator takes no new campaigns.", draining},
    {"tutti_journal_bytes", "gauge", "The journal of the campaigns that live; 0 while none does.",
     journal_size},
    {"tutti_journal_written_bytes_total", "counter", "Bytes that were written to journals.",
     journal_written_size},
    {"tutti_journal_writes_total", "counter", "Writes to journals.", journal_writes},
    {"tutti_journal_bases_total", "counter", "New bases that have taken the place of a journal.",
     journal_bases},
    {"tutti_journal_failures_total", "counter", "Times that a journal could not be written.",
     journal_failures},
    {"tutti_journal_failed", "gauge", "1 while campaigns would not survive the coordinator.", journal_failed},
    {"tutti_http_requests_total", "counter", "Requests to the API.", http_requests},
    {"tutti_http_connections", "gauge", "Open connections to the API.", http_connections},
    {"process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", api_metrics_memory_bytes},
    {"process_cpu_seconds_total", "counter", "Processor time in seconds.", processor_s},
    {"process_start_time_seconds", "gauge", "When the process began, since 1970.", start_time_s},
};

static void sum_up(struct api *api, struct sums *sums)
{
    const struct coordinator_overview *overview = server_overview(api->server);
    *sums = (struct sums){.api = api, .overview = overview};
    sums->live = memory_new(overview->live_campaign_count + 1, sizeof *sums->live);
    for (size_t i = 0; i < overview->agent_count; i++) {
        sums->running_agents += overview->agents[i].campaign_count > 0;
    }
    for (size_t i = 0; i < overview->campaign_count; i++) {
        sums->states[overview->campaigns[i].state]++;
        if (overview->campaigns[i].state == CAMPAIGN_ENDED) {
            continue;
        }
        const struct report_view *report = server_report(api->server, overview->campaigns[i].campaign);
        sums->live[sums->live_count++] = report;
        sums->workers_running += report->workers_running;
        sums->notifiers += report->live_notifiers;
        sums->barriers += report->live_barriers;
        sums->variables += report->live_variables;
        sums->waits += report->live_waits;
    }
}

static void append_states(struct buffer *text, const struct sums *sums)
{
    metrics_text_head(text, "tutti_campaigns", "gauge",
                      "Campaigns by state; ended ones as long as their report is kept.");
    for (int state = 0; state < CAMPAIGN_STATE_COUNT; state++) {
        buffer_append_format(text, "tutti_campaigns{state=\"%s\"} %llu\n",
                             campaign_state_name((enum campaign_state)state),
                             (unsigned long long)sums->states[state]);
    }
}

static void append_refusals(struct buffer *text, const struct refusals *refusals)
{
    metrics_text_head(text, "tutti_refusals_total", "counter",
                      "What came to the port of the agents and was not let in.");
    for (int kind = 0; kind < REFUSAL_COUNT; kind++) {
        buffer_append_format(text, "tutti_refusals_total{kind=\"%s\"} %llu\n",
                             refusal_name((enum refusal)kind), (unsigned long long)refusals->counts[kind]);
    }
}

void api_tell_left_out(struct api *api, const struct report_view *report)
{
    uint64_t *cut = &api->cut_campaigns[report->campaign % API_LIVE_CAMPAIGNS];
    uint64_t left_out = campaign_metrics_left_out(report);
    if (left_out > 0 && *cut != report->campaign) {
        *cut = report->campaign;
        log_about(LOG_WARNING, "coordinator", &(struct log_subject){.campaign = report->campaign},
                  "campaign %llu has too many names for /metrics: %llu are not shown by themselves",
                  (unsigned long long)report->campaign, (unsigned long long)left_out);
    }
}

void api_show_metrics(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    SCOPED(buffer_finish) struct buffer text;
    struct sums sums;
    (void)campaign;
    buffer_init(&text, METRICS_MAX_BYTES);
    sum_up(api, &sums);
    for (size_t i = 0; i < sizeof METRICS / sizeof METRICS[0]; i++) {
        metrics_text_head(&text, METRICS[i].name, METRICS[i].type, METRICS[i].help);
        buffer_append_format(&text, "%s %.15g\n", METRICS[i].name, METRICS[i].value(&sums));
    }
    append_states(&text, &sums);
    /* Only campaigns that have not ended: the report has the others. */
    const struct metric_sink sink = metrics_text_sink(&text);
    campaign_metrics_give(sums.live, sums.live_count, &sink);
    append_refusals(&text, server_refusals(api->server));
    api_append_agent_metrics(&text, sums.overview);
    metrics_text_head(&text, "tutti_build_info", "gauge", "The version, as a label.");
    buffer_append_format(&text, "tutti_build_info{version=\"%s\"} 1\n", TUTTI_VERSION);
    http_answer(request, &(struct http_answer){.status = 200,
                                               .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                               .body = buffer_bytes(&text)});
    memory_free(sums.live);
}
