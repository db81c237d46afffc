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

/* The rate since the last line, not since the beginning. */
static void live_line_append_requests(struct live_line *last, const struct report_view *report,
                                      struct buffer *line)
{
    char text[FORMAT_BYTES];
    uint64_t passed_ns = report->running_ns - last->running_ns;
    if (report->requests_total == 0 || report->running_ns <= last->running_ns) {
        return;
    }
    uint64_t count = report->requests_total - last->requests;
    format_rate((double)count * (double)NS_PER_S / (double)passed_ns, text);
    buffer_append_format(line, "  %s", text);
    format_us(report->request.p95_us, text);
    buffer_append_format(line, "  p95 %s", text);
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

/* The connections that are open, and their messages since the last line. */
static void append_websockets(struct live_line *last, const struct report_view *report, struct buffer *line)
{
    uint64_t open = 0;
    uint64_t messages = 0;
    char text[FORMAT_BYTES];
    for (size_t i = 0; i < report->websocket_count; i++) {
        const struct websocket_view *websocket = &report->websockets[i];
        open += websocket_view_open(websocket);
        messages +=
            websocket->counts[WEBSOCKET_COUNT_MESSAGES_IN] + websocket->counts[WEBSOCKET_COUNT_MESSAGES_OUT];
    }
    if (report->websocket_count == 0 || report->running_ns <= last->running_ns) {
        return;
    }
    append_count(line, open, open == 1 ? "WebSocket" : "WebSockets");
    format_rate((double)(messages - last->messages) * (double)NS_PER_S /
                    (double)(report->running_ns - last->running_ns),
                text);
    buffer_append_format(line, " %s", text);
    last->messages = messages;
}

void live_line_compose(struct live_line *last, const struct report_view *report, struct buffer *line)
{
    append_elapsed(line, report->running_ns);
    if (report->state != CAMPAIGN_RUNNING) {
        buffer_append_format(line, "  %s", campaign_state_name(report->state));
    }
    append_count(line, report->workers_running, report->workers_running == 1 ? "worker" : "workers");
    append_count(line, report->steps_ok, "ok");
    append_count(line, report->steps_failed, "failed");
    live_line_append_requests(last, report, line);
    append_websockets(last, report, line);
    append_seen(report, line);
    if (report->waiting.size > 0) {
        buffer_append_format(line, "  %.*s", BYTES_FORMAT(report->waiting));
    }
    last->running_ns = report->running_ns;
    last->requests = report->requests_total;
}
