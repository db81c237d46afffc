/* The routes of the practice target: one row each. */
#include "target/target_routes.h"

#include <ctype.h>
#include <string.h>

#define INDEX_MAX_BYTES 4096

static enum MHD_Result answer_index(struct target_request *request)
{
    return target_answer_shared(request, MHD_HTTP_OK, request->scene->index);
}

static enum MHD_Result answer_page(struct target_request *request)
{
    return target_answer_shared(request, MHD_HTTP_OK, request->scene->page);
}

static const struct target_route ROUTES[] = {
    {"GET", "/pad/NAME", target_answer_pad_get, "the text, its version as ETag and X-Version; If-None-Match"},
    {"PUT", "/pad/NAME", target_answer_pad_put, "a new text, at most 1 MiB; If-Match, If-None-Match"},
    {"DELETE", "/pad/NAME", target_answer_pad_delete, "removes it; If-Match"},
    {"GET", "/page", answer_page, "a tiny page that never changes"},
    {NULL, "/status/CODE", target_answer_status, "that status, 100 to 599; any method"},
    {NULL, "/delay/MS", target_answer_delay,
     "a response after this many milliseconds, at most 60000; any method"},
    {"GET", "/events/N", target_answer_events,
     "server-sent events; ?interval=MS, first=MS, retry=MS; cut=N ends after N; Last-Event-ID"},
    {"GET", "/bytes/N", target_answer_bytes, "this many bytes, at most 17179869184 (16 GiB)"},
    {NULL, "/echo", target_answer_echo, "the body of the request; any method"},
    {"GET", "/headers", target_answer_headers, "the headers of the request, as JSON"},
    {"GET", "/cookies", target_answer_cookies, "the cookies of the request, as JSON"},
    {"GET", "/cookies/set", target_answer_cookies_set, "?NAME=VALUE: sets cookies, redirects to /cookies"},
    {"GET", "/redirect/N", target_answer_redirect, "this many redirects, at most 1000, the last one to /"},
    {"GET", "/basic-auth/USER/PASSWORD", target_answer_basic_auth, "401 unless given these two"},
    {"GET", "/ws/echo", target_answer_socket, "a WebSocket: each message comes back"},
    {"GET", "/ws/chat/ROOM", target_answer_socket,
     "a WebSocket: each message goes to all in the room, the sender too"},
    {"GET", "/socket.io/", target_answer_session_get,
     "Socket.IO: join ROOM, say, echo; EIO=3 or 4, polling and WebSocket; /, and /admin with the token "
     "secret"},
    {"POST", "/socket.io/", target_answer_session_post, "the same, for what a client that polls sends"},
    {"GET", "/tcp", target_answer_tcp, "where plain TCP is (tcp://HOST:PORT): what comes goes back"},
    {"GET", "/", answer_index, "this list"},
};
#define ROUTE_COUNT (sizeof ROUTES / sizeof ROUTES[0])

/* The argument in `path` if it matches the pattern ("" if the pattern has none), else NULL. */
static const char *match(const char *pattern, const char *path)
{
    while (*pattern != '\0' && *pattern == *path) {
        pattern++;
        path++;
    }
    if (isupper((unsigned char)*pattern)) {
        return *path != '\0' ? path : NULL;
    }
    return *pattern == '\0' && *path == '\0' ? path : NULL;
}

static bool takes(const struct target_route *route, const char *method)
{
    return route->method == NULL || strcmp(route->method, method) == 0 ||
           (strcmp(route->method, MHD_HTTP_METHOD_GET) == 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) == 0);
}

static enum MHD_Result answer_wrong_method(struct target_request *request)
{
    struct buffer methods SCOPED(buffer_finish);
    buffer_init(&methods, INDEX_MAX_BYTES);
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (match(ROUTES[i].pattern, request->path) != NULL) {
            buffer_append_format(&methods, "%s%s", methods.size > 0 ? ", " : "", ROUTES[i].method);
            buffer_append_string(&methods, takes(&ROUTES[i], MHD_HTTP_METHOD_HEAD) ? ", HEAD" : "");
        }
    }
    struct MHD_Response *response =
        target_text_response("text/plain", "this path does not take that method; / lists the routes\n");
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, buffer_string(&methods));
    }
    return target_answer(request, MHD_HTTP_METHOD_NOT_ALLOWED, response);
}

static enum MHD_Result refuse_body(struct target_request *request)
{
    if (request->refusal == MHD_HTTP_CONTENT_TOO_LARGE) {
        return target_answer_text(request, request->refusal, "a body may have at most %u bytes\n",
                                  TARGET_MAX_BODY_BYTES);
    }
    return target_answer_text(request, request->refusal,
                              "too many bodies are being received at once; try again\n");
}

enum MHD_Result target_route(struct target_request *request)
{
    if (request->refusal != 0) {
        return refuse_body(request);
    }
    bool is_path_known = false;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        request->argument = match(ROUTES[i].pattern, request->path);
        if (request->argument != NULL && takes(&ROUTES[i], request->method)) {
            return ROUTES[i].answer(request);
        }
        is_path_known = is_path_known || request->argument != NULL;
    }
    return is_path_known ? answer_wrong_method(request)
                         : target_answer_shared(request, MHD_HTTP_NOT_FOUND, request->scene->not_found);
}

static struct MHD_Response *new_index(void)
{
    struct buffer text SCOPED(buffer_finish);
    buffer_init(&text, INDEX_MAX_BYTES);
    buffer_append_string(&text, "The practice target of tutti.\n\n");
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct target_route *route = &ROUTES[i];
        buffer_append_format(&text, "%-6s %-26s %s\n", route->method != NULL ? route->method : "any",
                             route->pattern, route->help);
    }
    return target_text_response("text/plain; charset=utf-8", buffer_string(&text));
}

void target_routes_prepare(struct target_scene *scene)
{
    scene->index = new_index();
    scene->page =
        target_text_response("text/html; charset=utf-8",
                             "<!doctype html>\n<title>tutti</title>\n<p>A tiny page to practise on.\n");
    scene->not_found = target_text_response("text/plain", "not found; / lists the routes\n");
}
