/* The routes of the HTTP API, and who may use them. */
#include "coordinator/api/api_inside.h"

#include "common/digits.h"
#include "proto/message/limits.h"

#include <ctype.h>
#include <string.h>

/* Of a request that brings no bundle. */
#define SMALL_BODY_BYTES ((size_t)64 * 1024)
#define ALLOW_BYTES 64u

enum api_route_entry {
    NEEDS_TOKEN,
    IS_OPEN,
    IS_PAGE, /* is open, and links of other sites may lead to it */
};

static const struct api_route {
    const char *method;
    const char *path; /* words in capitals stand for numbers, the first for the id of a campaign; a star at
                         the end stands for any text */
    enum api_route_entry entry;
    size_t body_bytes;
    api_function *answer;
} ROUTES[] = {
    {"GET", "/", IS_PAGE, 0, api_show_dashboard},
    {"GET", "/dashboard/*", IS_OPEN, 0, api_show_dashboard_file},
    {"GET", "/healthz", IS_OPEN, 0, api_show_health},
    {"GET", "/readyz", IS_OPEN, 0, api_show_readiness},
    {"GET", "/metrics", NEEDS_TOKEN, 0, api_show_metrics},
    {"GET", "/v1/openapi.yaml", NEEDS_TOKEN, 0, api_show_description},
    {"POST", "/v1/login", IS_OPEN, SMALL_BODY_BYTES, api_login},
    {"POST", "/v1/login/code", NEEDS_TOKEN, SMALL_BODY_BYTES, api_create_code},
    {"GET", "/v1/log", NEEDS_TOKEN, 0, api_show_log},
    {"GET", "/v1/agents", NEEDS_TOKEN, 0, api_list_agents},
    {"GET", "/v1/campaigns", NEEDS_TOKEN, 0, api_list_campaigns},
    {"POST", "/v1/campaigns", NEEDS_TOKEN, API_BODY_BYTES, api_create_campaign},
    {"GET", "/v1/campaigns/ID", NEEDS_TOKEN, 0, api_show_campaign},
    {"DELETE", "/v1/campaigns/ID", NEEDS_TOKEN, 0, api_delete_campaign},
    {"GET", "/v1/campaigns/ID/report", NEEDS_TOKEN, 0, api_show_report},
    {"GET", "/v1/campaigns/ID/series", NEEDS_TOKEN, 0, api_show_series},
    {"GET", "/v1/campaigns/ID/rooms", NEEDS_TOKEN, 0, api_list_rooms},
    {"GET", "/v1/campaigns/ID/rooms/NUMBER", NEEDS_TOKEN, 0, api_show_room},
    {"GET", "/v1/campaigns/ID/artifacts/NUMBER", NEEDS_TOKEN, 0, api_show_artifact},
    {"GET", "/v1/campaigns/ID/events", NEEDS_TOKEN, 0, api_watch_campaign},
    {"POST", "/v1/campaigns/ID/stop", NEEDS_TOKEN, SMALL_BODY_BYTES, api_stop_campaign},
    {"POST", "/v1/campaigns/ID/scale", NEEDS_TOKEN, SMALL_BODY_BYTES, api_scale_campaign},
    {"POST", "/v1/campaigns/ID/rate", NEEDS_TOKEN, SMALL_BODY_BYTES, api_rate_campaign},
    {"POST", "/v1/campaigns/ID/pause", NEEDS_TOKEN, SMALL_BODY_BYTES, api_pause_campaign},
    {"POST", "/v1/campaigns/ID/resume", NEEDS_TOKEN, SMALL_BODY_BYTES, api_resume_campaign},
};
#define ROUTE_COUNT (sizeof ROUTES / sizeof ROUTES[0])

static bool path_matches(const char *pattern, const char *path, uint64_t numbers[HTTP_MATCH_NUMBERS])
{
    size_t count = 0;
    while (*pattern != '\0') {
        if (*pattern == '*') {
            return *path != '\0';
        }
        if (isupper((unsigned char)*pattern)) {
            uint64_t number = 0;
            if (!digits_read(&path, &number) || number > LIMIT_CAMPAIGN_ID) {
                return false;
            }
            numbers[count++] = number;
            while (isupper((unsigned char)*pattern)) {
                pattern++;
            }
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool route_takes(const struct api_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* `allowed` are the methods that the path has. */
static void refuse_method(struct http_exchange *request, struct buffer *allowed)
{
    http_answer(request, &(struct http_answer){
                             .status = 405,
                             .content_type = "application/json",
                             .body = bytes_of_string("{\"error\":\"this path does not take that method\"}"),
                             .headers = {{"Allow", buffer_string(allowed)}}});
}

/* Finds the route and keeps it with the request. NULL if there is none: then `allowed` are the methods that
 * the path has. */
static const struct api_route *find_route(struct http_exchange *request, struct buffer *allowed)
{
    struct http_match *match = http_request_match(request);
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!path_matches(ROUTES[i].path, http_path(request), match->numbers)) {
            continue;
        }
        if (route_takes(&ROUTES[i], http_method(request))) {
            match->route = &ROUTES[i];
            return &ROUTES[i];
        }
        buffer_append_format(allowed, "%s%s%s", allowed->size > 0 ? ", " : "", ROUTES[i].method,
                             route_takes(&ROUTES[i], "HEAD") ? ", HEAD" : "");
    }
    return NULL;
}

static void refuse_path(struct http_exchange *request, struct buffer *allowed)
{
    if (allowed->size > 0) {
        refuse_method(request, allowed);
    } else {
        api_answer_error(request, 404, "there is nothing at %s; see /v1/openapi.yaml", http_path(request));
    }
}

/* Refuses before the body is sent, which may be a large bundle. */
void api_on_headers(void *context, struct http_exchange *request)
{
    struct api *api = context;
    SCOPED(buffer_finish) struct buffer allowed;
    buffer_init(&allowed, ALLOW_BYTES);
    const struct api_route *route = find_route(request, &allowed);
    if (!api_entry_check_host(api, request) ||
        !api_entry_check_origin(request, route != NULL && route->entry == IS_PAGE)) {
        return;
    }
    if (route == NULL) {
        refuse_path(request, &allowed);
    } else if ((route->entry != NEEDS_TOKEN || api_entry_check_token(api, request)) &&
               api_entry_check_body(request)) {
        http_limit_body(request, route->body_bytes);
    }
}

/* Called only if on_headers has not answered, so there is a route. */
void api_on_request(void *context, struct http_exchange *request)
{
    struct api *api = context;
    const struct http_match *match = http_request_match(request);
    const struct api_route *route = match->route;
    server_flush(api->server);
    route->answer(api, request, match->numbers[0]);
}
