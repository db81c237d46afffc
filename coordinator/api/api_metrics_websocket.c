/* Metrics of WebSocket connections. */
#include "coordinator/api/api_inside.h"

#include "coordinator/api/metrics_text.h"

#include <stdio.h>

#define US_PER_S 1e6

/* The line up to its closing brace, and another label. */
static void append_value(struct buffer *text, const char *metric, const struct report_view *report,
                         const struct websocket_view *websocket, const char *label, uint64_t value)
{
    buffer_append_format(text, "%s{campaign=\"%llu\",", metric, (unsigned long long)report->campaign);
    metrics_text_label(text, "name", websocket->name);
    buffer_append_format(text, "%s} %llu\n", label, (unsigned long long)value);
}

static void append_open(struct buffer *text, const struct report_view *report,
                        const struct websocket_view *websocket)
{
    append_value(text, "tutti_campaign_websockets_open", report, websocket, "",
                 websocket_view_open(websocket));
}

static void append_results(struct buffer *text, const struct report_view *report,
                           const struct websocket_view *websocket)
{
    for (int count = WEBSOCKET_COUNT_OPENED; count <= WEBSOCKET_COUNT_LOST; count++) {
        char label[60];
        snprintf(label, sizeof label, ",event=\"%s\"", websocket_count_name((enum websocket_count)count));
        append_value(text, "tutti_campaign_websockets_total", report, websocket, label,
                     websocket->counts[count]);
    }
}

static void append_directions(struct buffer *text, const char *metric, const struct report_view *report,
                              const struct websocket_view *websocket, enum websocket_count in)
{
    append_value(text, metric, report, websocket, ",direction=\"in\"", websocket->counts[in]);
    append_value(text, metric, report, websocket, ",direction=\"out\"", websocket->counts[in + 1]);
}

static void append_messages(struct buffer *text, const struct report_view *report,
                            const struct websocket_view *websocket)
{
    append_directions(text, "tutti_campaign_websocket_messages_total", report, websocket,
                      WEBSOCKET_COUNT_MESSAGES_IN);
}

static void append_bytes(struct buffer *text, const struct report_view *report,
                         const struct websocket_view *websocket)
{
    append_directions(text, "tutti_campaign_websocket_bytes_total", report, websocket,
                      WEBSOCKET_COUNT_BYTES_IN);
}

static void append_dropped(struct buffer *text, const struct report_view *report,
                           const struct websocket_view *websocket)
{
    append_value(text, "tutti_campaign_websocket_dropped_total", report, websocket, "",
                 websocket->counts[WEBSOCKET_COUNT_DROPPED]);
}

static void append_closes(struct buffer *text, const struct report_view *report,
                          const struct websocket_view *websocket)
{
    for (size_t i = 0; i < websocket->codes.size; i++) {
        char label[40];
        snprintf(label, sizeof label, ",code=\"%u\"", (unsigned)websocket->codes.items[i].code);
        append_value(text, "tutti_campaign_websocket_closes_total", report, websocket, label,
                     websocket->codes.items[i].count);
    }
}

/* Nothing where nothing was measured. */
static void websocket_append_quantiles(struct buffer *text, const char *metric,
                                       const struct report_view *report,
                                       const struct websocket_view *websocket,
                                       const struct quantiles *quantiles)
{
    const struct {
        const char *quantile;
        uint64_t us;
    } rows[] = {
        {"0.5", quantiles->p50_us},
        {"0.95", quantiles->p95_us},
        {"0.99", quantiles->p99_us},
        {"1", quantiles->maximum_us},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && quantiles->maximum_us > 0; i++) {
        buffer_append_format(text, "%s{campaign=\"%llu\",", metric, (unsigned long long)report->campaign);
        metrics_text_label(text, "name", websocket->name);
        buffer_append_format(text, ",quantile=\"%s\"} %.9g\n", rows[i].quantile,
                             (double)rows[i].us / US_PER_S);
    }
}

static void append_handshakes(struct buffer *text, const struct report_view *report,
                              const struct websocket_view *websocket)
{
    websocket_append_quantiles(text, "tutti_campaign_websocket_handshake_seconds", report, websocket,
                               &websocket->handshake);
}

static void append_pings(struct buffer *text, const struct report_view *report,
                         const struct websocket_view *websocket)
{
    websocket_append_quantiles(text, "tutti_campaign_websocket_ping_seconds", report, websocket,
                               &websocket->ping);
}

static void append_queues(struct buffer *text, const struct report_view *report,
                          const struct websocket_view *websocket)
{
    websocket_append_quantiles(text, "tutti_campaign_websocket_queued_seconds", report, websocket,
                               &websocket->queued);
}

static const struct websocket_metric {
    const char *name;
    const char *type;
    const char *help;
    void (*append)(struct buffer *text, const struct report_view *report,
                   const struct websocket_view *websocket);
} METRICS[] = {
    {"tutti_campaign_websockets_open", "gauge", "WebSocket connections that are open.", append_open},
    {"tutti_campaign_websockets_total", "counter", "WebSocket connections by what has become of them.",
     append_results},
    {"tutti_campaign_websocket_closes_total", "counter",
     "WebSocket connections that have ended, by code; 0: others.", append_closes},
    {"tutti_campaign_websocket_messages_total", "counter", "WebSocket messages.", append_messages},
    {"tutti_campaign_websocket_bytes_total", "counter", "Bytes of WebSocket messages.", append_bytes},
    {"tutti_campaign_websocket_dropped_total", "counter",
     "WebSocket messages that found the queue of their connection full.", append_dropped},
    {"tutti_campaign_websocket_handshake_seconds", "gauge", "From connecting until a WebSocket was open.",
     append_handshakes},
    {"tutti_campaign_websocket_ping_seconds", "gauge", "Round trip of WebSocket pings.", append_pings},
    {"tutti_campaign_websocket_queued_seconds", "gauge",
     "From sending a WebSocket message until the kernel had all of it.", append_queues},
};

void api_append_websockets(struct buffer *text, const struct report_view *const *reports, size_t count)
{
    for (size_t row = 0; row < sizeof METRICS / sizeof METRICS[0]; row++) {
        metrics_text_head(text, METRICS[row].name, METRICS[row].type, METRICS[row].help);
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < reports[i]->websocket_count; j++) {
                METRICS[row].append(text, reports[i], &reports[i]->websockets[j]);
            }
        }
    }
}
