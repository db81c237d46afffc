/* Watchers of a campaign: server-sent events, from when they connect until it has ended. */
#include "coordinator/api/api_inside.h"

#include "common/memory.h"
#include "coordinator/json/report_json.h"

#define EVENT_MAX_BYTES ((size_t)8 * 1024 * 1024)
#define REPORT_MAX_BYTES ((size_t)1024 * 1024)

struct watcher {
    struct api *api;
    uint64_t campaign;
    struct http_stream *stream;
    bool has_ended; /* everything has been sent to it */
    struct watcher *next;
};

static void on_gone(void *context)
{
    struct watcher *watcher = (struct watcher *)context;
    struct watcher **at = &watcher->api->watchers;
    while (*at != watcher) {
        at = &(*at)->next;
    }
    *at = watcher->next;
    memory_free(watcher);
}

/* Takes `data`. */
static void api_watch_tell(struct watcher *watcher, const char *event, json_t *data)
{
    SCOPED(memory_free_at) char *text = json_to_text(data, false);
    SCOPED(buffer_finish) struct buffer line;
    json_decref(data);
    buffer_init(&line, EVENT_MAX_BYTES);
    buffer_append_string(&line, "event: ");
    buffer_append_string(&line, event);
    buffer_append_string(&line, "\ndata: ");
    buffer_append_string(&line, text);
    buffer_append_string(&line, "\n\n");
    (void)http_stream_write(watcher->stream, buffer_bytes(&line));
}

static json_t *object_with(const char *key, const char *text)
{
    json_t *object = json_object();
    json_put_text(object, key, bytes_of_string(text));
    return object;
}

/* A report that is too large for an event is replaced by its path. Takes it. */
static void tell_end(struct watcher *watcher, json_t *report)
{
    if (json_dumpb(report, NULL, 0, JSON_COMPACT) > REPORT_MAX_BYTES) {
        SCOPED(memory_free_at)
        char *path = memory_format("/v1/campaigns/%llu/report", (unsigned long long)watcher->campaign);
        json_t *reference = object_with("report", path);
        json_put_count(reference, "campaign", watcher->campaign);
        json_put(reference, "verdict", json_incref(json_object_get(report, "verdict")));
        json_decref(report);
        report = reference;
    }
    api_watch_tell(watcher, "ended", report);
    http_stream_end(watcher->stream);
    watcher->has_ended = true;
}

void api_watch_campaign(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    const struct report_view *report = server_report(api->server, campaign);
    json_t *archived = report == NULL ? api_archived_report(api, campaign) : NULL;
    if (report == NULL && archived == NULL) {
        api_answer_unknown(request, campaign);
        return;
    }
    struct watcher *watcher = MEMORY_NEW(struct watcher);
    *watcher = (struct watcher){.api = api, .campaign = campaign, .next = api->watchers};
    watcher->stream = http_answer_stream(request, "text/event-stream", on_gone, watcher);
    api->watchers = watcher;
    if (report == NULL || report->state == CAMPAIGN_ENDED) {
        tell_end(watcher, report != NULL ? report_json_object(report) : archived);
        return;
    }
    api_watch_tell(watcher, "state", object_with("state", campaign_state_name(report->state)));
    api_watch_tell(watcher, "progress", report_json_live(report));
}

void api_campaign_changed(struct api *api, uint64_t campaign, enum campaign_state state)
{
    api_keep(api, campaign);
    for (struct watcher *watcher = api->watchers; watcher != NULL; watcher = watcher->next) {
        if (watcher->campaign != campaign || watcher->has_ended) {
            continue;
        }
        api_watch_tell(watcher, "state", object_with("state", campaign_state_name(state)));
        if (state == CAMPAIGN_ENDED) {
            tell_end(watcher, report_json_object(server_report(api->server, campaign)));
        }
    }
}

void api_deadlock_found(struct api *api, uint64_t campaign, const char *text)
{
    for (struct watcher *watcher = api->watchers; watcher != NULL; watcher = watcher->next) {
        if (watcher->campaign == campaign && !watcher->has_ended) {
            api_watch_tell(watcher, "deadlock", object_with("text", text));
        }
    }
}

void api_refresh_reports(struct api *api)
{
    const struct coordinator_overview *overview = server_overview(api->server);
    for (size_t i = 0; i < overview->campaign_count; i++) {
        if (overview->campaigns[i].state != CAMPAIGN_ENDED) {
            api_tell_left_out(api, server_report_now(api->server, overview->campaigns[i].campaign));
        }
    }
}

/* A slow reader gets progress less often, but every other event. */
void api_tell_progress(struct api *api)
{
    for (struct watcher *watcher = api->watchers; watcher != NULL; watcher = watcher->next) {
        if (!watcher->has_ended && http_stream_is_idle(watcher->stream)) {
            const struct report_view *report = server_report(api->server, watcher->campaign);
            api_watch_tell(watcher, "progress", report_json_live(report));
        }
    }
}

bool api_is_quiet(const struct api *api)
{
    return api->watchers == NULL;
}
