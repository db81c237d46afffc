/* The line that shows the progress of a campaign. */
#include "cli/view/live_line.h"
#include "cli/base/format.h"
#include "common/clock.h"

static void append_elapsed(struct buffer *line, uint64_t running_ns)
{
    unsigned long long seconds = running_ns / NS_PER_S;
    if (seconds >= 3600) {
        buffer_append_format(line, "%llu:%02llu:%02llu", seconds / 3600, seconds / 60 % 60, seconds % 60);
    } else {
        buffer_append_format(line, "%llu:%02llu", seconds / 60, seconds % 60);
    }
}

static void append_count(struct buffer *line, uint64_t count, const char *what)
{
    char text[FORMAT_BYTES];
    format_count(count, text);
    buffer_append_format(line, "  %s %s", text, what);
}

/* Rate and latency are of the same time. A coordinator of an earlier version does not say which. */
static void live_line_append_requests(const struct report_view *report, struct buffer *line)
{
    char text[FORMAT_BYTES];
    if (report->requests_total == 0) {
        return;
    }
    buffer_append_string(line, "  ");
    if (report->window_ns > 0 && report->state != CAMPAIGN_ENDED) {
        buffer_append_format(line, "last %llu s: ", (unsigned long long)(report->window_ns / NS_PER_S));
    }
    format_rate(report->requests_per_s, "requests", text);
    buffer_append_string(line, text);
    if (report->failed_per_s > 0) {
        format_rate(report->failed_per_s, "failed", text);
        buffer_append_format(line, ", %s", text);
    }
    format_us(report->recent.p95_us, text);
    buffer_append_format(line, ", p95 %s", text);
}

/* Of the notifier with the most sightings. */
static void append_seen(const struct report_view *report, struct buffer *line)
{
    const struct seen_view *most = NULL;
    for (size_t i = 0; i < report->seen_count; i++) {
        most = most == NULL || report->seen[i].count > most->count ? &report->seen[i] : most;
    }
    if (most != NULL && most->count > 0) {
        char text[FORMAT_BYTES];
        format_us(most->seen.p50_us, text);
        buffer_append_format(line, "  seen %s", text);
    }
}

/* The connections that are open, and their messages in the same time as the requests. */
static void append_websockets(const struct report_view *report, struct buffer *line)
{
    uint64_t open = 0;
    char text[FORMAT_BYTES];
    for (size_t i = 0; i < report->websocket_count; i++) {
        open += websocket_view_open(&report->websockets[i]);
    }
    if (report->websocket_count > 0) {
        append_count(line, open, open == 1 ? "WebSocket" : "WebSockets");
        format_rate(report->messages_per_s, "messages", text);
        buffer_append_format(line, ", %s", text);
    }
}

void live_line_append_head(const struct report_view *report, struct buffer *line)
{
    append_elapsed(line, report->running_ns);
    if (report->state != CAMPAIGN_RUNNING) {
        buffer_append_format(line, "  %s", campaign_state_name(report->state));
    }
    append_count(line, report->workers_running, report->workers_running == 1 ? "worker" : "workers");
    append_count(line, report->steps_ok, "ok");
    append_count(line, report->steps_failed, "failed");
}

void live_line_compose(const struct report_view *report, struct buffer *line)
{
    live_line_append_head(report, line);
    live_line_append_requests(report, line);
    append_websockets(report, line);
    append_seen(report, line);
    if (report->waiting.size > 0) {
        buffer_append_format(line, "  %.*s", BYTES_FORMAT(report->waiting));
    }
}
