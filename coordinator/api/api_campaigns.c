/* The API's answers about campaigns: the list, live numbers, the report, the stop. */
#include "coordinator/api/api_inside.h"

#include "common/clock.h"
#include "common/memory.h"
#include "coordinator/json/report_json.h"
#include "coordinator/json/report_seen.h"

#include <stdlib.h>
#include <string.h>

#define REASON_MAX_BYTES 300u

json_t *api_verdict(const struct campaign_report *report)
{
    return report->state == CAMPAIGN_ENDED ? json_string(verdict_name(report->verdict)) : json_null();
}

static double seconds(uint64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

static json_t *api_campaigns_steps_of(const struct campaign_report *report)
{
    json_t *steps = json_object();
    json_put_count(steps, "ok", report->steps_ok);
    json_put_count(steps, "failed", report->steps_failed);
    json_put_count(steps, "stopped", report->steps_stopped);
    json_put_count(steps, "lost", report->steps_lost);
    return steps;
}

static void put_common(json_t *object, const struct campaign_report *report)
{
    json_put_count(object, "campaign", report->campaign);
    json_put_text(object, "script", report->script);
    json_put(object, "state", json_string(campaign_state_name(report->state)));
    json_put(object, "verdict", api_verdict(report));
    json_put_count(object, "workers", report->options->workers);
    json_put(object, "elapsed_s", json_real(seconds(report->running_ns)));
    json_put(object, "steps", api_campaigns_steps_of(report));
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

/* Of the last second while it runs, of all of it when it has ended. */
static double requests_per_s(const struct api *api, const struct campaign_report *report)
{
    if (report->state == CAMPAIGN_ENDED) {
        double whole_s = seconds(report->running_ns);
        return whole_s > 0 ? (double)report->requests_total / whole_s : 0;
    }
    const struct api_rate *rate = find_rate(api, report->campaign);
    return rate != NULL ? rate->requests_per_s : 0;
}

/* Over a whole second: in less, the agents' reports would make it jump. */
static struct api_rate rate_since(const struct api_rate *last, const struct campaign_report *report)
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
            rates[count++] = rate_since(find_rate(api, campaign), server_report(api->server, campaign));
        }
    }
    memory_free(api->rates);
    api->rates = rates;
    api->rate_count = count;
}

static json_t *api_campaigns_agents_of(const struct campaign_report *report)
{
    json_t *agents = json_array();
    for (size_t i = 0; i < report->agent_count; i++) {
        const struct agent_report *agent = &report->agents[i];
        json_t *object = json_object();
        json_put_text(object, "name", agent->name);
        json_put_text(object, "host", agent->host);
        json_put(object, "labels", report_json_labels(agent->labels));
        json_put_count(object, "workers", agent->workers);
        json_put(object, "state", json_string(agent_state_name(agent->state)));
        json_array_append_new(agents, object);
    }
    return agents;
}

json_t *api_live_object(const struct api *api, const struct campaign_report *report)
{
    json_t *object = json_object();
    put_common(object, report);
    json_put_text(object, "reason", report->reason);
    json_put_count(object, "workers_running", report->workers_running);
    json_put_count(object, "requests_total", report->requests_total);
    json_put(object, "requests_per_s", json_real(requests_per_s(api, report)));
    json_put_ms(object, "p95_ms", histogram_quantile(report->request_latency_us, 0.95));
    json_put_text(object, "waiting", report->waiting);
    json_put(object, "seen", report_seen_json(report));
    json_put(object, "agents", api_campaigns_agents_of(report));
    return object;
}

json_t *api_report_object(const struct campaign_report *report)
{
    uint64_t begun_wall_ns =
        report->begun_ns > 0 ? clock_wall_ns() - (report->made_ns - report->begun_ns) : 0;
    return report_json_object(report, begun_wall_ns);
}

void api_list_campaigns(struct api *api, struct http_request *request, uint64_t campaign)
{
    (void)campaign;
    json_t *list = json_array();
    api_list_archived(api, list);
    const struct coordinator_overview *overview = server_overview(api->server);
    for (size_t i = 0; i < overview->campaign_count; i++) {
        const struct campaign_report *report = server_report(api->server, overview->campaigns[i].campaign);
        json_t *object = json_object();
        put_common(object, report);
        json_put_count(object, "agents", report->agent_count);
        json_array_append_new(list, object);
    }
    json_t *answer = json_object();
    json_put(answer, "campaigns", list);
    json_put(answer, "journal", api_journal_object(api));
    api_answer_json(request, 200, answer);
}

void api_show_campaign(struct api *api, struct http_request *request, uint64_t campaign)
{
    const struct campaign_report *report = server_report(api->server, campaign);
    const json_t *archived = report == NULL ? api_archived_live(api, campaign) : NULL;
    if (report != NULL) {
        api_answer_json(request, 200, api_live_object(api, report));
    } else if (archived != NULL) {
        api_answer_json(request, 200, json_copy((json_t *)archived));
    } else {
        api_answer_unknown(request, campaign);
    }
}

void api_show_report(struct api *api, struct http_request *request, uint64_t campaign)
{
    const struct campaign_report *report = server_report(api->server, campaign);
    json_t *object = report != NULL ? api_report_object(report) : api_archived_report(api, campaign);
    if (object != NULL) {
        api_answer_json(request, 200, object);
    } else {
        api_answer_unknown(request, campaign);
    }
}

void api_show_artifact(struct api *api, struct http_request *request, uint64_t campaign)
{
    const struct campaign_report *report = server_report(api->server, campaign);
    if (report == NULL && api_archived_live(api, campaign) == NULL) {
        api_answer_unknown(request, campaign);
        return;
    }
    /* The route has matched: the path ends with a number. */
    uint64_t number = strtoull(strrchr(http_path(request), '/') + 1, NULL, 10);
    SCOPED(buffer_finish) struct buffer content;
    struct artifact artifact = {0};
    buffer_init(&content, LIMIT_ARTIFACT_BYTES);
    bool is_in_memory = report != NULL && number > 0 && number <= report->artifact_count;
    if (is_in_memory) {
        artifact = report->artifacts[number - 1];
    } else if (api->artifacts == NULL ||
               !artifact_store_read(api->artifacts, campaign, number, &content, &artifact)) {
        api_answer_error(request, 404, "campaign %llu has no artifact %llu, or not any more",
                         (unsigned long long)campaign, (unsigned long long)number);
        return;
    }
    http_answer(request, &(struct http_answer){.status = 200,
                                               .content_type = artifact_content_type(&artifact),
                                               .body = artifact.content,
                                               .header = "X-Content-Type-Options",
                                               .header_value = "nosniff"});
}

struct stop {
    bool is_at_once;
    char reason[REASON_MAX_BYTES + 1];
};

static bool read_stop(const json_t *object, struct stop *stop, struct error *error)
{
    static const char *const keys[] = {"at_once", "reason", NULL};
    const json_t *at_once = json_object_get(object, "at_once");
    const json_t *reason = json_object_get(object, "reason");
    if (!json_check_keys(object, keys, "stop", error)) {
        return false;
    }
    if (at_once != NULL && !json_is_boolean(at_once)) {
        return error_set(error, "at_once is neither true nor false");
    }
    if (reason != NULL && (!json_is_string(reason) || json_string_length(reason) > REASON_MAX_BYTES)) {
        return error_set(error, "reason is no text of at most %u bytes", REASON_MAX_BYTES);
    }
    stop->is_at_once = json_is_true(at_once);
    if (reason != NULL && json_string_length(reason) > 0) {
        bytes_to_text(bytes_of_string(json_string_value(reason)), stop->reason, sizeof stop->reason);
    }
    return true;
}

void api_stop_campaign(struct api *api, struct http_request *request, uint64_t campaign)
{
    struct stop stop = {.reason = "stopped through the API"};
    struct error error;
    const struct campaign_report *report = api_find(api, request, campaign);
    if (report == NULL) {
        return;
    }
    if (report->state == CAMPAIGN_ENDED) {
        api_answer_error(request, 409, "campaign %llu has ended", (unsigned long long)campaign);
        return;
    }
    json_t *body = http_body(request).size > 0 ? api_body_object(request) : json_object();
    if (body == NULL) {
        return;
    }
    if (!read_stop(body, &stop, &error)) {
        api_answer_error(request, 400, "%s", error.text);
    } else {
        server_stop(api->server, campaign, stop.is_at_once, stop.reason);
        api_answer_json(request, 202, json_object());
    }
    json_decref(body);
}
