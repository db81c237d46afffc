/* What a report has of WebSocket connections, by name, as JSON and back. */
#include "coordinator/json/websocket_json.h"

#include "coordinator/json/json_codes.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"

#include <assert.h>
#include <math.h>

/* clang-format off */
#define QUANTILE(field) offsetof(struct quantiles, field)
static const struct json_row QUANTILE_ROWS[] = {
    {.key = "p50", .type = JSON_TABLE_US_AS_MS, .offset = QUANTILE(p50_us)},
    {.key = "p95", .type = JSON_TABLE_US_AS_MS, .offset = QUANTILE(p95_us)},
    {.key = "p99", .type = JSON_TABLE_US_AS_MS, .offset = QUANTILE(p99_us)},
    {.key = "max", .type = JSON_TABLE_US_AS_MS, .offset = QUANTILE(maximum_us)},
};
/* clang-format on */
static const struct json_table QUANTILES = {JSON_ROWS(QUANTILE_ROWS, struct quantiles)};

static json_t *quantiles_object(const struct quantiles *quantiles)
{
    json_t *object = json_object();
    json_table_put(&QUANTILES, object, quantiles);
    return object;
}

/* Over the whole campaign; rates over a shorter time are those of the metrics. */
static void put_rate(json_t *object, const char *key, uint64_t count, uint64_t running_ns)
{
    double per_s = running_ns > 0 ? (double)count / ((double)running_ns / 1e9) : 0;
    json_put(object, key, json_real(round(per_s * 1000) / 1000));
}

static void put_rates(json_t *object, const struct websocket_view *websocket, uint64_t running_ns)
{
    static const char *const keys[] = {"messages_in_per_s", "messages_out_per_s", "bytes_in_per_s",
                                       "bytes_out_per_s"};
    static_assert(WEBSOCKET_COUNT_BYTES_OUT - WEBSOCKET_COUNT_MESSAGES_IN + 1 == sizeof keys / sizeof *keys,
                  "each direction has a rate");
    for (int i = 0; i < (int)(sizeof keys / sizeof *keys); i++) {
        put_rate(object, keys[i], websocket->counts[WEBSOCKET_COUNT_MESSAGES_IN + i], running_ns);
    }
}

static void put_websockets(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    json_t *websockets = json_object();
    for (size_t i = 0; i < report->websocket_count; i++) {
        const struct websocket_view *websocket = &report->websockets[i];
        json_t *inner = json_object();
        for (int count = 0; count < WEBSOCKET_COUNTS; count++) {
            json_put_count(inner, websocket_count_name((enum websocket_count)count),
                           websocket->counts[count]);
        }
        json_put_count(inner, "open", websocket_view_open(websocket));
        put_rates(inner, websocket, report->running_ns);
        json_put(inner, "close_codes", json_codes(&websocket->codes));
        json_put(inner, "handshake_ms", quantiles_object(&websocket->handshake));
        json_put(inner, "ping_ms", quantiles_object(&websocket->ping));
        json_put(inner, "queued_ms", quantiles_object(&websocket->queued));
        json_put_by_name(websockets, websocket->name, inner);
    }
    json_put(object, key, websockets);
}

static bool get_websockets(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    struct websocket_view *websockets = report_view_array(view, json_object_size(value), sizeof *websockets);
    const char *name = NULL;
    json_t *inner = NULL;
    report->websocket_count = 0;
    json_object_foreach((json_t *)(uintptr_t)value, name, inner)
    {
        struct websocket_view *websocket = &websockets[report->websocket_count++];
        websocket->name = report_view_text(view, bytes_of_string(name));
        for (int count = 0; count < WEBSOCKET_COUNTS; count++) {
            websocket->counts[count] =
                json_get_count(inner, websocket_count_name((enum websocket_count)count));
        }
        json_read_codes(json_object_get(inner, "close_codes"), &websocket->codes);
        json_table_get(&QUANTILES, json_object_get(inner, "handshake_ms"), &websocket->handshake, view);
        json_table_get(&QUANTILES, json_object_get(inner, "ping_ms"), &websocket->ping, view);
        json_table_get(&QUANTILES, json_object_get(inner, "queued_ms"), &websocket->queued, view);
    }
    report->websockets = websockets;
    return json_is_object(value);
}

const struct json_special json_special_websockets = {put_websockets, get_websockets};
