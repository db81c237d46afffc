/* The slowest requests with traces: [{"trace": "4bf9…", "ms": 812.3, "worker": 3, "step": 7}, …] */
#include "coordinator/json/traces_json.h"

#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"

static void put_slow_traces(json_t *object, const char *key, const void *item)
{
    const struct request_view *request = item;
    if (request->slowest.size == 0) {
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < request->slowest.size; i++) {
        const struct slow_trace *trace = &request->slowest.items[i];
        json_t *inner = json_object();
        char id[TRACE_TEXT_BYTES];
        trace_id_to_text(trace->id, id);
        json_put(inner, "trace", json_string(id));
        json_put_ms(inner, "ms", trace->latency_us);
        json_put(inner, "worker", trace->has_worker ? json_integer((json_int_t)trace->worker) : json_null());
        json_put(inner, "step", trace->step > 0 ? json_integer((json_int_t)trace->step) : json_null());
        (void)json_array_append_new(list, inner);
    }
    json_put(object, key, list);
}

static bool get_slow_traces(const json_t *value, void *item, struct report_view *view)
{
    struct request_view *request = item;
    request->slowest.items = report_view_array(view, SLOW_TRACES, sizeof *request->slowest.items);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *inner = json_array_get(value, i);
        const json_t *worker = json_object_get(inner, "worker");
        struct bytes id = json_get_text(inner, "trace");
        struct slow_trace trace = {.latency_us = json_us_of_ms(json_object_get(inner, "ms")),
                                   .has_worker = json_is_integer(worker),
                                   .worker = (uint32_t)json_count_of(worker),
                                   .step = json_get_count(inner, "step")};
        if (trace_id_of_text((const char *)id.data, id.size, trace.id)) {
            slow_traces_add(&request->slowest, &trace);
        }
    }
    return json_is_array(value);
}

const struct json_special json_special_slowest = {put_slow_traces, get_slow_traces};
