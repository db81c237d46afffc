/* Watchers of a campaign: server-sent events, from when they connect until it has ended. */
#include "coordinator/api/api_inside.h"

#include "common/memory.h"
#include "coordinator/json/report_json.h"
#include "coordinator/json/series_json.h"

#include <string.h>

#define REPORT_MAX_BYTES ((size_t)1024 * 1024)

struct watcher {
    struct api *api;
    uint64_t campaign;
    struct http_stream *stream;
    bool has_ended;    /* everything has been sent to it */
    bool wants_rows;   /* what was counted second by second */
    uint64_t next_s;   /* those before have been sent, as they are now */
    unsigned told_for; /* the tick for which it has been told */
    struct watcher *next;
};

static bool watch_has_rows(const struct api *api, uint64_t campaign)
{
    for (const struct watcher *watcher = api->watchers; watcher != NULL; watcher = watcher->next) {
        if (watcher->campaign == campaign && watcher->wants_rows) {
            return true;
        }
    }
    return false;
}

static void on_gone(void *context)
{
    struct watcher *watcher = (struct watcher *)context;
    struct watcher **at = &watcher->api->watchers;
    while (*at != watcher) {
        at = &(*at)->next;
    }
    *at = watcher->next;
    if (!watch_has_rows(watcher->api, watcher->campaign)) {
        api_rows_forget(watcher->api, watcher->campaign);
    }
    memory_free(watcher);
}

/* Takes `data`. The whole event, for memory_free. */
static char *event_text(const char *event, json_t *data)
{
    SCOPED(memory_free_at) char *text = json_to_text(data, false);
    json_decref(data);
    return memory_format("event: %s\ndata: %s\n\n", event, text);
}

static void api_watch_write(struct watcher *watcher, const char *text)
{
    (void)http_stream_write(watcher->stream, bytes_of_string(text));
}

/* Takes `data`. */
static void api_watch_tell(struct watcher *watcher, const char *event, json_t *data)
{
    SCOPED(memory_free_at) char *text = event_text(event, data);
    api_watch_write(watcher, text);
}

static json_t *object_with(const char *key, const char *text)
{
    json_t *object = json_object();
    json_put_text(object, key, bytes_of_string(text));
    return object;
}

/* An event that many watchers are sent. */
struct shared_event {
    uint64_t from_s;
    char *text; /* NULL: not made yet */
};

static void shared_event_finish(struct shared_event *event)
{
    memory_free(event->text);
    event->text = NULL;
}

/* Most watchers have been told of the same seconds, so the text is made once for all of them. */
static void shared_event_make(struct shared_event *event, const struct series *series, uint64_t from_s,
                              uint64_t end_s)
{
    if (event->text != NULL && event->from_s == from_s) {
        return;
    }
    shared_event_finish(event);
    SCOPED(series_view_free) struct series_view *view = series_view_of_seconds(series, from_s, end_s);
    SCOPED(memory_free_at) char *rows = series_json_of_counted(view);
    event->from_s = from_s;
    event->text = memory_format("id: %llu\nevent: series\ndata: %s\n\n", (unsigned long long)end_s, rows);
}

/* Seconds that cannot be sent by themselves any more. */
static void watcher_skip(struct watcher *watcher, uint64_t to_s)
{
    SCOPED(memory_free_at)
    char *path = memory_format("/v1/campaigns/%llu/series?since=%llu", (unsigned long long)watcher->campaign,
                               (unsigned long long)watcher->next_s);
    json_t *object = object_with("series", path);
    json_put_count(object, "from", watcher->next_s);
    json_put_count(object, "to", to_s);
    api_watch_tell(watcher, "skipped", object);
    watcher->next_s = to_s;
}

static void watcher_tell_rows(struct watcher *watcher, const struct row_news *news,
                              struct shared_event *event)
{
    const struct series *series = server_series_inside(watcher->api->server, watcher->campaign);
    uint64_t first = series_open_seconds(series).first;
    if (watcher->next_s < first) {
        watcher_skip(watcher, first);
    }
    if (watcher->next_s < news->end) {
        shared_event_make(event, series, watcher->next_s, news->end);
        api_watch_write(watcher, event->text);
        watcher->next_s = news->end;
    }
}

/* What has changed since is sent again to those that had it. */
static struct row_news watch_look(struct api *api, uint64_t campaign, bool has_ended)
{
    struct row_news news = api_rows_look(api, campaign, has_ended);
    for (struct watcher *watcher = api->watchers; watcher != NULL; watcher = watcher->next) {
        if (watcher->campaign == campaign && news.changed_from < watcher->next_s) {
            watcher->next_s = news.changed_from;
        }
    }
    return news;
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

/* What it has been told by an earlier process, and we do not know, comes again. */
static void watcher_begin_rows(struct watcher *watcher)
{
    SCOPED(shared_event_finish) struct shared_event event = {0};
    uint64_t since_s = watcher->next_s;
    struct row_news news = watch_look(watcher->api, watcher->campaign, false);
    watcher->next_s = since_s < news.end ? since_s : news.end;
    watcher_tell_rows(watcher, &news, &event);
}

static void watch_begin(struct watcher *watcher, const struct report_view *report)
{
    api_watch_tell(watcher, "state", object_with("state", campaign_state_name(report->state)));
    api_watch_tell(watcher, "progress", report_json_live(report));
    if (watcher->wants_rows) {
        watcher_begin_rows(watcher);
    }
}

void api_watch_campaign(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    bool wants_rows = false;
    uint64_t since_s = 0;
    struct error error;
    if (!api_read_since(request, &wants_rows, &since_s, &error)) {
        api_answer_error(request, 400, "%s", error.text);
        return;
    }
    const struct report_view *report = server_report(api->server, campaign);
    json_t *archived = report == NULL ? api_archived_report(api, campaign) : NULL;
    if (report == NULL && archived == NULL) {
        api_answer_unknown(request, campaign);
        return;
    }
    struct watcher *watcher = MEMORY_NEW(struct watcher);
    *watcher = (struct watcher){
        .api = api, .campaign = campaign, .wants_rows = wants_rows, .next_s = since_s, .next = api->watchers};
    watcher->told_for = api->ticks;
    watcher->stream = http_answer_stream(request, "text/event-stream", on_gone, watcher);
    api->watchers = watcher;
    if (report == NULL || report->state == CAMPAIGN_ENDED) {
        tell_end(watcher, report != NULL ? report_json_object(report) : archived);
    } else {
        watch_begin(watcher, report);
    }
}

static void watch_tell_end(struct api *api, uint64_t campaign)
{
    SCOPED(shared_event_finish) struct shared_event event = {0};
    bool has_rows = watch_has_rows(api, campaign);
    struct row_news news = has_rows ? watch_look(api, campaign, true) : (struct row_news){0};
    for (struct watcher *watcher = api->watchers; watcher != NULL; watcher = watcher->next) {
        if (watcher->campaign != campaign || watcher->has_ended) {
            continue;
        }
        if (watcher->wants_rows) {
            watcher_tell_rows(watcher, &news, &event);
        }
        tell_end(watcher, report_json_object(server_report(api->server, campaign)));
    }
}

void api_campaign_changed(struct api *api, uint64_t campaign, enum campaign_state state)
{
    api_keep(api, campaign);
    for (struct watcher *watcher = api->watchers; watcher != NULL; watcher = watcher->next) {
        if (watcher->campaign == campaign && !watcher->has_ended) {
            api_watch_tell(watcher, "state", object_with("state", campaign_state_name(state)));
        }
    }
    if (state == CAMPAIGN_ENDED) {
        watch_tell_end(api, campaign);
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

/* All watchers of a campaign, from this one on; a slow one gets this less often, but every other event. */
static void watch_tell_progress(struct watcher *first)
{
    struct api *api = first->api;
    SCOPED(shared_event_finish) struct shared_event rows = {0};
    SCOPED(memory_free_at)
    char *progress = event_text("progress", report_json_live(server_report(api->server, first->campaign)));
    bool has_rows = watch_has_rows(api, first->campaign);
    struct row_news news = has_rows ? watch_look(api, first->campaign, false) : (struct row_news){0};
    for (struct watcher *watcher = first; watcher != NULL; watcher = watcher->next) {
        if (watcher->campaign != first->campaign || watcher->has_ended) {
            continue;
        }
        watcher->told_for = api->ticks;
        if (http_stream_is_idle(watcher->stream)) {
            api_watch_write(watcher, progress);
            if (watcher->wants_rows) {
                watcher_tell_rows(watcher, &news, &rows);
            }
        }
    }
}

void api_tell_progress(struct api *api)
{
    for (struct watcher *watcher = api->watchers; watcher != NULL; watcher = watcher->next) {
        if (!watcher->has_ended && watcher->told_for != api->ticks) {
            watch_tell_progress(watcher);
        }
    }
}

bool api_is_quiet(const struct api *api)
{
    return api->watchers == NULL;
}
