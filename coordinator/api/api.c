/* The HTTP API: its routes, who may use them, and its turn each second. */
#include "coordinator/api/api_inside.h"

#include "common/clock.h"
#include "common/compose.h"
#include "common/memory.h"
#include "coordinator/api/openapi.h"
#include "proto/message/limits.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#define SAMPLE_MS 1000u
/* So many samples, and what campaigns have done by then is kept. */
#define KEEP_EVERY 10u
/* A bundle in Base64, its paths, and what stands around them. */
#define BODY_BYTES ((size_t)LIMIT_BUNDLE_BYTES / 3 * 4 + (size_t)2 * 1024 * 1024)
#define INCOMING_BYTES (4 * BODY_BYTES)
#define DISCARDED_BYTES ((size_t)128 * 1024 * 1024)
/* A report of thousands of kinds of requests and errors. */
#define STREAM_BYTES ((size_t)8 * 1024 * 1024)
/* Of a wish that brings no bundle. */
#define WISH_BYTES ((size_t)64 * 1024)
#define CONNECTIONS 512u
#define CONNECTIONS_EACH 64u
#define CONNECTIONS_SPARE 64u
#define HEADERS_MS 10000u
#define IDLE_MS 30000u
#define BODY_MS 20000u
#define ANSWER_MS 30000u
#define ALLOW_BYTES 64u
#define CAMPAIGN_DIGITS 18u

static void show_health(struct api *api, struct http_request *request, uint64_t campaign)
{
    (void)api;
    (void)campaign;
    http_answer(request, &(struct http_answer){.status = 200,
                                               .content_type = "text/plain; charset=utf-8",
                                               .body = bytes_of_string("ok\n")});
}

static void show_readiness(struct api *api, struct http_request *request, uint64_t campaign)
{
    (void)campaign;
    http_answer(request,
                &(struct http_answer){.status = api->is_draining ? 503 : 200,
                                      .content_type = "text/plain; charset=utf-8",
                                      .body = bytes_of_string(api->is_draining ? "draining\n" : "ready\n")});
}

static void show_description(struct api *api, struct http_request *request, uint64_t campaign)
{
    (void)api;
    (void)campaign;
    http_answer(request, &(struct http_answer){.status = 200,
                                               .content_type = "application/yaml; charset=utf-8",
                                               .body = bytes_of(openapi_text, openapi_size)});
}

static const struct route {
    const char *method;
    const char *path; /* words in capitals stand for numbers; the first is that of a campaign */
    bool is_open;     /* needs no token */
    size_t body_bytes;
    api_function *answer;
} ROUTES[] = {
    {"GET", "/healthz", true, 0, show_health},
    {"GET", "/readyz", true, 0, show_readiness},
    {"GET", "/metrics", false, 0, api_show_metrics},
    {"GET", "/v1/openapi.yaml", false, 0, show_description},
    {"GET", "/v1/agents", false, 0, api_list_agents},
    {"GET", "/v1/campaigns", false, 0, api_list_campaigns},
    {"POST", "/v1/campaigns", false, BODY_BYTES, api_create_campaign},
    {"GET", "/v1/campaigns/ID", false, 0, api_show_campaign},
    {"GET", "/v1/campaigns/ID/report", false, 0, api_show_report},
    {"GET", "/v1/campaigns/ID/artifacts/NUMBER", false, 0, api_show_artifact},
    {"GET", "/v1/campaigns/ID/events", false, 0, api_watch_campaign},
    {"POST", "/v1/campaigns/ID/stop", false, WISH_BYTES, api_stop_campaign},
    {"POST", "/v1/campaigns/ID/scale", false, WISH_BYTES, api_scale_campaign},
};
#define ROUTE_COUNT (sizeof ROUTES / sizeof ROUTES[0])

void api_answer_json(struct http_request *request, unsigned status, json_t *value)
{
    SCOPED(memory_free_at) char *text = json_to_text(value, false);
    json_decref(value);
    http_answer(request, &(struct http_answer){.status = status,
                                               .content_type = "application/json",
                                               .body = bytes_of_string(text),
                                               .header = status == 401 ? "WWW-Authenticate" : NULL,
                                               .header_value = "Bearer"});
}

void api_answer_error(struct http_request *request, unsigned status, const char *format, ...)
{
    char text[ERROR_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    compose_list(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *object = json_object();
    json_put_text(object, "error", bytes_of_string(text));
    api_answer_json(request, status, object);
}

void api_answer_unknown(struct http_request *request, uint64_t campaign)
{
    api_answer_error(request, 404, "there is no campaign %llu", (unsigned long long)campaign);
}

const struct report_view *api_find(struct api *api, struct http_request *request, uint64_t campaign)
{
    const struct report_view *report = server_report(api->server, campaign);
    if (report == NULL && api_archived_live(api, campaign) != NULL) {
        api_answer_error(request, 409, "campaign %llu has ended, and only its report was kept",
                         (unsigned long long)campaign);
    } else if (report == NULL) {
        api_answer_unknown(request, campaign);
    }
    return report;
}

/* Moves `*path` over a number. */
static bool api_take_number(const char **path, uint64_t *number)
{
    size_t digits = strspn(*path, "0123456789");
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        *number = *number * 10 + (uint64_t)((*path)[i] - '0');
    }
    *path += digits;
    return digits > 0 && digits <= CAMPAIGN_DIGITS;
}

static bool matches(const char *pattern, const char *path, uint64_t *campaign)
{
    uint64_t other;
    uint64_t *number = campaign;
    while (*pattern != '\0') {
        if (isupper((unsigned char)*pattern)) {
            if (!api_take_number(&path, number)) {
                return false;
            }
            number = &other;
            while (isupper((unsigned char)*pattern)) {
                pattern++;
            }
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool takes(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void refuse_method(struct http_request *request)
{
    SCOPED(buffer_finish) struct buffer allowed;
    uint64_t campaign = 0;
    buffer_init(&allowed, ALLOW_BYTES);
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (matches(ROUTES[i].path, http_path(request), &campaign)) {
            buffer_append_format(&allowed, "%s%s%s", allowed.size > 0 ? ", " : "", ROUTES[i].method,
                                 takes(&ROUTES[i], "HEAD") ? ", HEAD" : "");
        }
    }
    http_answer(request, &(struct http_answer){
                             .status = 405,
                             .content_type = "application/json",
                             .body = bytes_of_string("{\"error\":\"this path does not take that method\"}"),
                             .header = "Allow",
                             .header_value = buffer_string(&allowed)});
}

/* NULL after it has answered 404 or 405. */
static const struct route *find_route(struct http_request *request, uint64_t *campaign)
{
    bool is_path_known = false;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!matches(ROUTES[i].path, http_path(request), campaign)) {
            continue;
        }
        if (takes(&ROUTES[i], http_method(request))) {
            return &ROUTES[i];
        }
        is_path_known = true;
    }
    if (is_path_known) {
        refuse_method(request);
    } else {
        api_answer_error(request, 404, "there is nothing at %s; see /v1/openapi.yaml", http_path(request));
    }
    return NULL;
}

/* Nobody needs to send a bundle to be told that he may not. */
static void on_headers(void *context, struct http_request *request)
{
    struct api *api = (struct api *)context;
    uint64_t campaign = 0;
    if (!api_entry_check_origin(api, request)) {
        return;
    }
    const struct route *route = find_route(request, &campaign);
    if (route != NULL && (route->is_open || api_entry_check_token(api, request)) &&
        api_entry_check_body(request)) {
        http_limit_body(request, route->body_bytes);
    }
}

static void on_request(void *context, struct http_request *request)
{
    struct api *api = (struct api *)context;
    uint64_t campaign = 0;
    const struct route *route = find_route(request, &campaign);
    server_flush(api->server);
    if (route != NULL) {
        route->answer(api, request, campaign);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct api *api = (struct api *)timer->data;
    server_flush(api->server);
    api_sample_rates(api);
    api_tell_progress(api);
    if (++api->ticks % KEEP_EVERY == 0) {
        api_keep_all(api);
    }
}

struct api *api_new(uv_loop_t *loop, const struct api_settings *settings, struct error *error)
{
    struct api *api = MEMORY_NEW(struct api);
    api->proxies = *settings->proxies;
    const struct http_settings http = {.address = settings->address,
                                       .body_bytes = BODY_BYTES,
                                       .incoming_bytes = INCOMING_BYTES,
                                       .discarded_bytes = DISCARDED_BYTES,
                                       .stream_bytes = STREAM_BYTES,
                                       .http_clients = {.most = CONNECTIONS,
                                                        .most_each = CONNECTIONS_EACH,
                                                        .spare = CONNECTIONS_SPARE,
                                                        .headers_ms = HEADERS_MS,
                                                        .idle_ms = IDLE_MS,
                                                        .body_ms = BODY_MS,
                                                        .answer_ms = ANSWER_MS},
                                       .proxies = &api->proxies,
                                       .on_headers = on_headers,
                                       .on_request = on_request,
                                       .context = api};
    api->http = http_new(loop, &http, error);
    if (api->http == NULL) {
        memory_free(api);
        return NULL;
    }
    api_entry_open(&api->entry, settings);
    api->server = settings->server;
    api->archive = settings->archive;
    api->artifacts = settings->artifacts;
    api->target = settings->target;
    api->began_wall_ns = clock_wall_ns();
    api->work.loop = loop;
    api->open_parts = 1;
    (void)uv_timer_init(loop, &api->tick);
    api->tick.data = api;
    (void)uv_timer_start(&api->tick, on_tick, SAMPLE_MS, SAMPLE_MS);
    return api;
}

uint16_t api_port(const struct api *api)
{
    return http_port(api->http);
}

void api_drain(struct api *api)
{
    api->is_draining = true;
}

void api_release(struct api *api)
{
    if (--api->open_parts == 0) {
        memory_free(api->rates);
        memory_free(api);
    }
}

static void api_on_closed(uv_handle_t *handle)
{
    api_release((struct api *)handle->data);
}

void api_close(struct api **at)
{
    struct api *api = *at;
    *at = NULL;
    if (api == NULL) {
        return;
    }
    http_close(&api->http);
    api_work_close(&api->work);
    uv_close((uv_handle_t *)&api->tick, api_on_closed);
}
