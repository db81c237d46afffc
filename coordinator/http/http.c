/* An HTTP server on a libuv loop: the daemon of libmicrohttpd, its descriptor and its timeouts. */
#include "coordinator/http/http_internal.h"

#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Holds the headers of a request. */
#define CONNECTION_MEMORY_BYTES (32u * 1024u)

static void http_on_timer(uv_timer_t *timer);
static void on_idle(uv_idle_t *idle);

/* Runs everything that is due in libmicrohttpd once, and finds out when it is due next. "At once" means the
 * next turn of the loop: a timer of zero would fire again before any other handle runs, as long as a body
 * keeps arriving. */
static void turn(struct http *http)
{
    if (http->is_closing || http->is_running) {
        return;
    }
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    http->is_running = true;
    (void)MHD_run(http->daemon);
    http->is_running = false;
    http_arm_deadline(http);
    bool has_timeout = MHD_get_timeout(http->daemon, &wait_ms) == MHD_YES;
    if (has_timeout && wait_ms == 0) {
        http_wake(http);
        return;
    }
    (void)uv_idle_stop(&http->idle);
    if (has_timeout) {
        (void)uv_timer_start(&http->timer, http_on_timer, wait_ms, 0);
    }
}

static void on_idle(uv_idle_t *idle)
{
    turn((struct http *)idle->data);
}

static void http_on_timer(uv_timer_t *timer)
{
    turn((struct http *)timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    turn((struct http *)poll->data);
}

void http_wake(struct http *http)
{
    if (!http->is_closing && !http->is_running) {
        (void)uv_idle_start(&http->idle, on_idle);
    }
}

static struct http_client *http_client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return (struct http_client *)info->socket_context;
}

static struct http_exchange *request_new(struct http *http, struct MHD_Connection *connection,
                                         const char *method, const char *path)
{
    struct http_exchange *request = MEMORY_NEW(struct http_exchange);
    request->http = http;
    request->connection = connection;
    request->method = memory_copy_string(method);
    request->path = memory_copy_string(path);
    request->http_client = http_client_of(connection);
    buffer_init(&request->body, http->settings.body_bytes);
    http->requests++;
    return request;
}

static void forget_body(struct http_exchange *request)
{
    request->http->incoming_bytes -= request->counted_bytes;
    request->counted_bytes = 0;
    buffer_finish(&request->body);
}

static void request_free(struct http_exchange *request)
{
    forget_body(request);
    if (request->response != NULL) {
        MHD_destroy_response(request->response);
    }
    memory_free(request->method);
    memory_free(request->path);
    memory_free(request);
}

static void http_refuse(struct http_exchange *request, unsigned status, const char *json)
{
    http_answer(request, &(struct http_answer){.status = status,
                                               .content_type = "application/json",
                                               .body = bytes_of_string(json)});
    forget_body(request);
}

static void refuse_large(struct http_exchange *request)
{
    char json[128];
    (void)snprintf(json, sizeof json, "{\"error\":\"a body may have at most %zu bytes\"}",
                   request->body.maximum);
    http_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, json);
}

static size_t announced_bytes(const struct http_exchange *request)
{
    const char *length = http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length != NULL ? (size_t)strtoull(length, NULL, 10) : 0;
}

static enum MHD_Result send_answer(struct http_exchange *request)
{
    struct http *http = request->http;
    assert(request->response != NULL); /* on_request has to answer */
    if (request->is_stream) {
        http_client_is_served(request->http_client);
    } else {
        http_client_reads(http->http_clients, request->http_client, request->response_bytes,
                          http_now_ms(http));
    }
    enum MHD_Result result = MHD_queue_response(request->connection, request->status, request->response);
    MHD_destroy_response(request->response);
    request->response = NULL;
    return result;
}

static struct bytes header_of(const struct http_exchange *request, const char *name)
{
    return bytes_of_string(http_header(request, name));
}

static void refuse_crowd(struct http_exchange *request)
{
    http_answer(request, &(struct http_answer){
                             .status = MHD_HTTP_SERVICE_UNAVAILABLE,
                             .content_type = "application/json",
                             .body = bytes_of_string("{\"error\":\"too many connections; try again\"}"),
                             .headers = {{MHD_HTTP_HEADER_CONNECTION, "close"}}});
}

/* A client that is refused at once is not read any further. */
static enum MHD_Result http_begin(struct http_exchange *request)
{
    struct http *http = request->http;
    size_t announced = announced_bytes(request);
    bool is_crowd =
        !http_client_asks(http->http_clients, request->http_client, header_of(request, "X-Forwarded-For"),
                          header_of(request, "Forwarded"), http_now_ms(http)) ||
        http_client_is_turned_away(request->http_client);
    if (is_crowd) {
        refuse_crowd(request);
        return send_answer(request);
    }
    http->settings.on_headers(http->settings.context, request);
    if (request->response == NULL && announced > request->body.maximum) {
        refuse_large(request);
    }
    /* A client that sends Expect: 100-continue has not sent the body yet and can be refused at once. */
    bool is_asking = http_header(request, MHD_HTTP_HEADER_EXPECT) != NULL;
    if (request->response != NULL && (is_asking || announced > http->settings.discarded_bytes)) {
        return send_answer(request);
    }
    return MHD_YES;
}

/* False once more has arrived than we are willing to read after a refusal. */
static bool take_body(struct http_exchange *request, const char *data, size_t size)
{
    struct http *http = request->http;
    if (request->response == NULL) {
        request->counted_bytes += size;
        http->incoming_bytes += size;
        if (http->incoming_bytes > http->settings.incoming_bytes) {
            http_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                        "{\"error\":\"too many bodies are being received at once; try again\"}");
        } else if (!buffer_append(&request->body, data, size)) {
            refuse_large(request);
        } else {
            http_client_sends(http->http_clients, request->http_client, request->body.size);
            return true;
        }
    }
    request->discarded_bytes += size;
    return request->discarded_bytes <= http->settings.discarded_bytes;
}

/* Called with the headers, then with each piece of the body, then at its end. */
static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *path,
                                 const char *method, const char *version, const char *data, size_t *size,
                                 void **state)
{
    struct http *http = (struct http *)context;
    struct http_exchange *request = (struct http_exchange *)*state;
    (void)version;
    if (request == NULL) {
        *state = request = request_new(http, connection, method, path);
        return http_begin(request);
    }
    if (*size > 0) {
        size_t added = *size;
        *size = 0;
        return take_body(request, data, added) ? MHD_YES : MHD_NO;
    }
    if (request->response == NULL) {
        http->settings.on_request(http->settings.context, request);
    }
    if (request->on_gone != NULL) {
        return MHD_YES; /* called again when it is resumed */
    }
    if (request->response == NULL) {
        assert(http->is_closing); /* else on_request has to answer */
        return MHD_NO;
    }
    forget_body(request);
    return send_answer(request);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode reason)
{
    struct http *http = (struct http *)context;
    (void)connection;
    (void)reason;
    if (*state != NULL) {
        struct http_exchange *request = (struct http_exchange *)*state;
        http_client_rests(http->http_clients, request->http_client, http_now_ms(http));
        request_free(request);
        *state = NULL;
    }
}

/* Decodes %XX in place. A zero byte would truncate the text: such a text is left as it was sent. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strstr(text, "%00") != NULL ? strlen(text) : MHD_http_unescape(text);
}

static struct MHD_Daemon *start_daemon(struct http *http, int listener)
{
    const struct http_clients_settings *http_clients = &http->settings.http_clients;
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, listener, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)(http_clients->most + 2 * (intptr_t)http_clients->spare),
         NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)(http_clients->idle_ms / 1000), NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, http,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION,
                            http_on_connection, http, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
                            MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static void start_handles(struct http *http, uv_loop_t *loop)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int result = uv_poll_init(loop, &http->poll, info->epoll_fd);
    assert(result == 0);
    (void)result;
    (void)uv_timer_init(loop, &http->timer);
    (void)uv_timer_init(loop, &http->deadline);
    (void)uv_idle_init(loop, &http->idle);
    http->poll.data = http->timer.data = http->deadline.data = http->idle.data = http;
    http->open_handles = 4;
    (void)uv_poll_start(&http->poll, UV_READABLE, on_readable);
}

struct http *http_new(uv_loop_t *loop, const struct http_settings *settings, struct error *error)
{
    int listener = listener_open(settings->address, error);
    if (listener < 0) {
        return NULL;
    }
    struct http *http = MEMORY_NEW(struct http);
    http->settings = *settings;
    http->port = listener_port(listener);
    http->http_clients = http_clients_new(&settings->http_clients, settings->proxies);
    http->daemon = start_daemon(http, listener);
    if (http->daemon == NULL) {
        http_clients_free(&http->http_clients);
        memory_free(http);
        (void)error_set(error, "cannot start the HTTP server");
        return NULL;
    }
    start_handles(http, loop);
    return http;
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}

uint64_t http_request_count(const struct http *http)
{
    return http->requests;
}

unsigned http_connection_count(const struct http *http)
{
    return http_clients_count(http->http_clients);
}

static void http_on_closed(uv_handle_t *handle)
{
    struct http *http = (struct http *)handle->data;
    if (--http->open_handles == 0) {
        http_clients_free(&http->http_clients);
        memory_free(http);
    }
}

void http_close(struct http **at)
{
    struct http *http = *at;
    *at = NULL;
    if (http == NULL || http->is_closing) {
        return;
    }
    assert(!http->is_running);
    http->is_closing = true;
    (void)uv_poll_stop(&http->poll);
    (void)uv_timer_stop(&http->timer);
    (void)uv_idle_stop(&http->idle);
    (void)uv_timer_stop(&http->deadline);
    http_wake_streams(http);
    http_abandon_postponed(http);
    MHD_stop_daemon(http->daemon);
    uv_close((uv_handle_t *)&http->poll, http_on_closed);
    uv_close((uv_handle_t *)&http->timer, http_on_closed);
    uv_close((uv_handle_t *)&http->deadline, http_on_closed);
    uv_close((uv_handle_t *)&http->idle, http_on_closed);
}
