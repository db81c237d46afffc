/* Requests as the routes see them, and their answers: complete, or piece by piece on a stream. */
#include "coordinator/http/http_internal.h"

#include "common/memory.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#define STREAM_BLOCK_BYTES (16u * 1024u)
/* What the kernel queues for a reader of a stream: without this it is up to 4 MB, and a slow reader is found
 * out late. */
#define STREAM_SOCKET_BYTES (256 * 1024)

struct http_stream {
    struct http *http;
    struct MHD_Connection *connection;
    struct http_stream *next;
    struct buffer waiting;
    size_t sent; /* of what is queued */
    bool is_suspended;
    bool is_ended;
    void (*on_gone)(void *context);
    void *context;
};

const char *http_method(const struct http_exchange *request)
{
    return request->method;
}

const char *http_path(const struct http_exchange *request)
{
    return request->path;
}

const char *http_header(const struct http_exchange *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_argument(const struct http_exchange *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct bytes http_body(const struct http_exchange *request)
{
    return buffer_bytes(&request->body);
}

bool http_has_body(const struct http_exchange *request)
{
    const char *length = http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return http_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL ||
           (length != NULL && length[strspn(length, "0 \t")] != '\0');
}

struct http_match *http_request_match(struct http_exchange *request)
{
    return &request->match;
}

void http_limit_body(struct http_exchange *request, size_t bytes)
{
    request->body.maximum = bytes;
}

uint8_t *http_take_body(struct http_exchange *request, size_t *size)
{
    return buffer_take(&request->body, size);
}

struct address http_local_address(const struct http_exchange *request)
{
    struct sockaddr_storage local = {0};
    struct address address = {0};
    socklen_t size = sizeof local;
    if (getsockname(http_client_descriptor(request->http_client), (struct sockaddr *)&local, &size) == 0) {
        (void)address_of_socket((struct sockaddr *)&local, &address);
    }
    return address;
}

void http_postpone(struct http_exchange *request, void (*on_gone)(void *context), void *context)
{
    assert(request->response == NULL && request->on_gone == NULL);
    request->on_gone = on_gone;
    request->context = context;
    request->next_postponed = request->http->postponed;
    request->http->postponed = request;
    http_client_is_served(request->http_client);
    MHD_suspend_connection(request->connection);
}

void http_answer_postponed(struct http_exchange *request)
{
    struct http_exchange **at = &request->http->postponed;
    assert(request->response != NULL && request->on_gone != NULL && !request->http->is_running);
    while (*at != request) {
        at = &(*at)->next_postponed;
    }
    *at = request->next_postponed;
    request->on_gone = NULL;
    MHD_resume_connection(request->connection);
    http_wake(request->http);
}

void http_abandon_postponed(struct http *http)
{
    while (http->postponed != NULL) {
        struct http_exchange *request = http->postponed;
        http->postponed = request->next_postponed;
        MHD_resume_connection(request->connection);
        request->on_gone(request->context);
    }
}

static void http_answer_keep(struct http_exchange *request, unsigned status, struct MHD_Response *response)
{
    if (request->response != NULL) {
        MHD_destroy_response(response);
        return;
    }
    request->status = status;
    request->response = response;
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value != NULL) {
        (void)MHD_add_response_header(response, name, value);
    }
}

/* The page is of our own scripts and styles alone; nothing else that we answer is a page. */
static void add_usual_headers(struct MHD_Response *response, const char *content_type,
                              const char *cache_control)
{
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache_control != NULL ? cache_control : "no-store");
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "Content-Security-Policy",
               "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
               "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    add_header(response, "Referrer-Policy", "no-referrer");
    add_header(response, "Cross-Origin-Resource-Policy", "same-origin");
}

void http_answer(struct http_exchange *request, const struct http_answer *answer)
{
    /* The cast is safe: the library only reads. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body.size, (void *)(uintptr_t)answer->body.data,
                                        answer->is_constant ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
    assert(response != NULL); /* out of memory */
    add_usual_headers(response, answer->content_type, answer->cache_control);
    for (size_t i = 0; i < HTTP_ANSWER_HEADERS && answer->headers[i].name != NULL; i++) {
        add_header(response, answer->headers[i].name, answer->headers[i].value);
    }
    if (request->response == NULL) {
        request->response_bytes = answer->body.size;
    }
    http_answer_keep(request, answer->status, response);
}

/* Hands over what is queued; else suspends the connection until there is more. */
static ssize_t read_stream(void *context, uint64_t position, char *into, size_t size)
{
    struct http_stream *stream = (struct http_stream *)context;
    size_t left = stream->waiting.size - stream->sent;
    (void)position;
    if (left > 0) {
        size_t count = left < size ? left : size;
        memcpy(into, stream->waiting.data + stream->sent, count);
        stream->sent += count;
        if (stream->sent == stream->waiting.size) {
            buffer_clear(&stream->waiting);
            stream->sent = 0;
        }
        return (ssize_t)count;
    }
    if (stream->is_ended || stream->http->is_closing) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    stream->is_suspended = true;
    MHD_suspend_connection(stream->connection);
    return 0;
}

static void forget_stream(void *context)
{
    struct http_stream *stream = (struct http_stream *)context;
    struct http_stream **at = &stream->http->streams;
    while (*at != stream) {
        at = &(*at)->next;
    }
    *at = stream->next;
    if (stream->on_gone != NULL) {
        stream->on_gone(stream->context);
    }
    buffer_finish(&stream->waiting);
    memory_free(stream);
}

static void bound_socket(const struct http_exchange *request)
{
    int size = STREAM_SOCKET_BYTES;
    (void)setsockopt(http_client_descriptor(request->http_client), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

struct http_stream *http_answer_stream(struct http_exchange *request, const char *content_type,
                                       void (*on_gone)(void *context), void *context)
{
    assert(request->response == NULL);
    struct http_stream *stream = MEMORY_NEW(struct http_stream);
    stream->http = request->http;
    stream->connection = request->connection;
    stream->next = request->http->streams;
    request->http->streams = stream;
    stream->on_gone = on_gone;
    stream->context = context;
    buffer_init(&stream->waiting, request->http->settings.stream_bytes);
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES,
                                                                      read_stream, stream, forget_stream);
    assert(response != NULL); /* out of memory */
    add_usual_headers(response, content_type, NULL);
    request->is_stream = true;
    bound_socket(request);
    http_answer_keep(request, MHD_HTTP_OK, response);
    return stream;
}

static void resume(struct http_stream *stream)
{
    if (stream->is_suspended) {
        stream->is_suspended = false;
        MHD_resume_connection(stream->connection);
        http_wake(stream->http);
    }
}

void http_wake_streams(struct http *http)
{
    for (struct http_stream *stream = http->streams; stream != NULL; stream = stream->next) {
        resume(stream);
    }
}

bool http_stream_write(struct http_stream *stream, struct bytes bytes)
{
    bool fits = !stream->is_ended && buffer_append(&stream->waiting, bytes.data, bytes.size);
    stream->is_ended = stream->is_ended || !fits;
    resume(stream);
    return fits;
}

bool http_stream_is_idle(const struct http_stream *stream)
{
    return stream->waiting.size == 0;
}

void http_stream_end(struct http_stream *stream)
{
    stream->is_ended = true;
    resume(stream);
}
