/* Metrics of WebSocket connections. */
#include "coordinator/metrics/metrics_inside.h"

#include "common/buffer.h"

#define CODE_BYTES 16u

typedef void websocket_give(const struct metric_giver *giver, const struct websocket_view *websocket);

static void each_websocket(const struct metric_giver *giver, websocket_give *give)
{
    for (size_t i = 0; i < metric_shown(giver->report->websocket_count); i++) {
        give(giver, &giver->report->websockets[i]);
    }
}

static void websocket_value(const struct metric_giver *giver, const struct websocket_view *websocket,
                            struct metric_label label, uint64_t value)
{
    metric_give(giver, (double)value, metric_label_bytes("name", websocket->name), label);
}

static void websocket_open(const struct metric_giver *giver, const struct websocket_view *websocket)
{
    websocket_value(giver, websocket, metric_label_none(), websocket_view_open(websocket));
}

static void websocket_results(const struct metric_giver *giver, const struct websocket_view *websocket)
{
    for (int count = WEBSOCKET_COUNT_OPENED; count <= WEBSOCKET_COUNT_LOST; count++) {
        websocket_value(giver, websocket,
                        metric_label_text("event", websocket_count_name((enum websocket_count)count)),
                        websocket->counts[count]);
    }
}

static void websocket_directions(const struct metric_giver *giver, const struct websocket_view *websocket,
                                 enum websocket_count in)
{
    websocket_value(giver, websocket, metric_label_text("direction", "in"), websocket->counts[in]);
    websocket_value(giver, websocket, metric_label_text("direction", "out"), websocket->counts[in + 1]);
}

static void websocket_messages(const struct metric_giver *giver, const struct websocket_view *websocket)
{
    websocket_directions(giver, websocket, WEBSOCKET_COUNT_MESSAGES_IN);
}

static void websocket_bytes(const struct metric_giver *giver, const struct websocket_view *websocket)
{
    websocket_directions(giver, websocket, WEBSOCKET_COUNT_BYTES_IN);
}

static void websocket_dropped(const struct metric_giver *giver, const struct websocket_view *websocket)
{
    websocket_value(giver, websocket, metric_label_none(), websocket->counts[WEBSOCKET_COUNT_DROPPED]);
}

static void websocket_closes(const struct metric_giver *giver, const struct websocket_view *websocket)
{
    for (size_t i = 0; i < websocket->codes.size; i++) {
        char code[CODE_BYTES];
        struct buffer text;
        buffer_init_within(&text, code, sizeof code);
        buffer_append_format(&text, "%u", (unsigned)websocket->codes.items[i].code);
        websocket_value(giver, websocket, metric_label_text("code", buffer_string(&text)),
                        websocket->codes.items[i].count);
    }
}

/* Nothing where nothing was measured. */
static void websocket_quantiles(const struct metric_giver *giver, const struct websocket_view *websocket,
                                const struct quantiles *quantiles)
{
    if (quantiles->maximum_us > 0) {
        metric_give_quantiles(giver, quantiles, metric_label_bytes("name", websocket->name));
    }
}

static void websocket_handshakes(const struct metric_giver *giver, const struct websocket_view *websocket)
{
    websocket_quantiles(giver, websocket, &websocket->handshake);
}

static void websocket_pings(const struct metric_giver *giver, const struct websocket_view *websocket)
{
    websocket_quantiles(giver, websocket, &websocket->ping);
}

static void websocket_queues(const struct metric_giver *giver, const struct websocket_view *websocket)
{
    websocket_quantiles(giver, websocket, &websocket->queued);
}

static void websockets_open(const struct metric_giver *giver)
{
    each_websocket(giver, websocket_open);
}

static void websockets_results(const struct metric_giver *giver)
{
    each_websocket(giver, websocket_results);
}

static void websockets_closes(const struct metric_giver *giver)
{
    each_websocket(giver, websocket_closes);
}

static void websockets_messages(const struct metric_giver *giver)
{
    each_websocket(giver, websocket_messages);
}

static void websockets_bytes(const struct metric_giver *giver)
{
    each_websocket(giver, websocket_bytes);
}

static void websockets_dropped(const struct metric_giver *giver)
{
    each_websocket(giver, websocket_dropped);
}

static void websockets_handshakes(const struct metric_giver *giver)
{
    each_websocket(giver, websocket_handshakes);
}

static void websockets_pings(const struct metric_giver *giver)
{
    each_websocket(giver, websocket_pings);
}

static void websockets_queues(const struct metric_giver *giver)
{
    each_websocket(giver, websocket_queues);
}

static const struct campaign_family ROWS[] = {
    {{"tutti_campaign_websockets_open", METRIC_GAUGE, "WebSocket connections that are open."},
     websockets_open},
    {{"tutti_campaign_websockets_total", METRIC_COUNTER, "WebSocket connections by what has become of them."},
     websockets_results},
    {{"tutti_campaign_websocket_closes_total", METRIC_COUNTER,
      "WebSocket connections that have ended, by code; 0: others."},
     websockets_closes},
    {{"tutti_campaign_websocket_messages_total", METRIC_COUNTER, "WebSocket messages."}, websockets_messages},
    {{"tutti_campaign_websocket_bytes_total", METRIC_COUNTER, "Bytes of WebSocket messages."},
     websockets_bytes},
    {{"tutti_campaign_websocket_dropped_total", METRIC_COUNTER,
      "WebSocket messages that found the queue of their connection full."},
     websockets_dropped},
    {{"tutti_campaign_websocket_handshake_seconds", METRIC_GAUGE,
      "From connecting until a WebSocket was open."},
     websockets_handshakes},
    {{"tutti_campaign_websocket_ping_seconds", METRIC_GAUGE, "Round trip of WebSocket pings."},
     websockets_pings},
    {{"tutti_campaign_websocket_queued_seconds", METRIC_GAUGE,
      "From sending a WebSocket message until the kernel had all of it."},
     websockets_queues},
};

const struct campaign_families METRICS_OF_WEBSOCKETS = {ROWS, sizeof ROWS / sizeof ROWS[0]};
