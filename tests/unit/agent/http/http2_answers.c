/* Answers each request of HTTP/2 according to its path. */
#include "tests/unit/agent/http/http2_server_inside.h"

#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ssize_t read_answer_body(nghttp2_session *session, int32_t id, uint8_t *data, size_t size,
                                uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct http2_request *request = source->ptr;
    size_t left = request->answer.size - request->sent;

    (void)context;
    if (request->closes && request->sent > 0) {
        request->peer->is_leaving = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    size = size < left ? size : left;
    size = request->closes && size > 1000 ? 1000 : size;
    if (size > 0) {
        memcpy(data, request->answer.data + request->sent, size);
    }
    request->sent += size;
    if (size == left) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    if (size == left && request->has_trailers) {
        nghttp2_nv trailer = {.name = (uint8_t *)(uintptr_t) "x-end",
                              .namelen = 5,
                              .value = (uint8_t *)(uintptr_t) "1",
                              .valuelen = 1};
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, &trailer, 1);
    }
    return (ssize_t)size;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .namelen = strlen(name),
                        .value = (uint8_t *)(uintptr_t)value,
                        .valuelen = strlen(value)};
}

void http2_answer_status(struct http2_request *request, const char *status, const char *name,
                         const char *value)
{
    nghttp2_nv fields[] = {field(":status", status), field("server", "rude"),
                           field(name != NULL ? name : "x-twice", name != NULL ? value : "a")};
    nghttp2_data_provider body = {.source.ptr = request, .read_callback = read_answer_body};

    bool is_head = strncmp((const char *)request->fields.data, ":method: HEAD\n", 14) == 0;

    nghttp2_submit_response(request->peer->session, request->id, fields, 3, is_head ? NULL : &body);
}

static void answer_text(struct http2_request *request, const char *text)
{
    buffer_append_string(&request->answer, text);
    http2_answer_status(request, "200", NULL, NULL);
}

void http2_answer_inform(struct http2_request *request, const char *status, unsigned times)
{
    nghttp2_nv fields[] = {field(":status", status), field("link", "</a>")};

    for (unsigned i = 0; i < times; i++) {
        nghttp2_submit_headers(request->peer->session, NGHTTP2_FLAG_NONE, request->id, NULL, fields, 2, NULL);
    }
}

static void reset(struct http2_request *request, uint32_t code)
{
    nghttp2_submit_rst_stream(request->peer->session, NGHTTP2_FLAG_NONE, request->id, code);
}

static void meet(struct http2_request *newest, unsigned count)
{
    struct http2_server *server = newest->peer->server;
    unsigned parked = 0;

    newest->is_parked = true;
    for (struct http2_peer *peer = server->peers; peer != NULL; peer = peer->next) {
        for (struct http2_request *at = peer->requests; at != NULL; at = at->next) {
            parked += at->is_parked;
        }
    }
    for (struct http2_peer *peer = server->peers; peer != NULL && parked >= count; peer = peer->next) {
        for (struct http2_request *at = peer->requests; at != NULL; at = at->next) {
            if (at->is_parked) {
                at->is_parked = false;
                answer_text(at, "together");
            }
        }
        if (peer != newest->peer) {
            http2_peer_flush(peer);
        }
    }
}

static uint32_t noise_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* A frame of a kind that may come at this point, whatever is in it. */
static void add_noise(struct buffer *noise, uint32_t *seed)
{
    static const struct {
        uint8_t kind;
        uint8_t least_bytes;
        uint8_t spread;
        bool is_of_connection;
    } kinds[] = {{NGHTTP2_DATA, 0, 60, false},
                 {NGHTTP2_HEADERS, 1, 20, false},
                 {NGHTTP2_HEADERS, 1, 2, false},
                 {NGHTTP2_RST_STREAM, 4, 1, false},
                 {NGHTTP2_WINDOW_UPDATE, 4, 1, true},
                 {NGHTTP2_PING, 8, 1, true},
                 {0x20, 0, 60, false},
                 {NGHTTP2_GOAWAY, 8, 20, true}};
    size_t kind = noise_next(seed) % (sizeof kinds / sizeof *kinds);
    uint32_t size = kinds[kind].least_bytes + noise_next(seed) % kinds[kind].spread;
    bool is_head = kinds[kind].kind == NGHTTP2_HEADERS;
    uint8_t frame[9 + 80] = {0};

    frame[2] = (uint8_t)size;
    frame[3] = kinds[kind].kind;
    frame[4] = (uint8_t)(noise_next(seed) % 2 | (is_head ? NGHTTP2_FLAG_END_HEADERS : 0));
    frame[8] = kinds[kind].is_of_connection ? 0 : 3;
    for (uint32_t i = 0; i < size; i++) {
        frame[9 + i] =
            (uint8_t)(noise_next(seed) % 3 == 0 ? 0x88 + noise_next(seed) % 4 : noise_next(seed) & 0x7f);
    }
    frame[9] = is_head && noise_next(seed) % 8 != 0 ? 0x88 : frame[9]; /* ":status: 200" */
    (void)buffer_append(noise, frame, 9 + size);
}

void http2_answer_noise(struct http2_peer *peer)
{
    uint32_t seed = peer->noise_seed;
    struct buffer noise;

    peer->noise_seed = 0;
    buffer_init(&noise, 1u << 20);
    for (int i = 0; i < 20; i++) {
        add_noise(&noise, &seed);
    }
    http2_peer_send(peer, noise.data, noise.size);
    buffer_finish(&noise);
    peer->is_leaving = noise_next(&seed) % 2 == 0;
}

static void answer_with_number(struct http2_request *request)
{
    char number[20];

    snprintf(number, sizeof number, "%u", request->peer->number);
    answer_text(request, number);
}

static bool has_prefix(const char *path, const char *prefix, unsigned long *number)
{
    size_t size = strlen(prefix);

    *number = strncmp(path, prefix, size) == 0 ? strtoul(path + size, NULL, 10) : 0;
    return strncmp(path, prefix, size) == 0;
}

static void answer_long(struct http2_request *request, size_t size)
{
    uint8_t *text = memory_new(size + 1, 1);

    memset(text, 'x', size);
    (void)buffer_append(&request->answer, text, size);
    http2_answer_status(request, "200", NULL, NULL);
    memory_free(text);
}

static void answer_long_head(struct http2_request *request, size_t size)
{
    char *text = memory_new(size + 1, 1);

    memset(text, 'x', size);
    http2_answer_status(request, "200", "x-long", text);
    memory_free(text);
}

/* Many that are small. */
static void answer_many_fields(struct http2_request *request, size_t count)
{
    nghttp2_nv *fields = memory_new(count + 1, sizeof *fields);
    char text[1001];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    fields[0] = field(":status", "200");
    for (size_t i = 1; i <= count; i++) {
        fields[i] = field("x-one", text);
    }
    nghttp2_submit_response(request->peer->session, request->id, fields, count + 1, NULL);
    memory_free(fields);
}

static void say_goodbye(struct http2_request *request, int32_t last, uint32_t code)
{
    static const char why[] = "until later";

    nghttp2_submit_goaway(request->peer->session, NGHTTP2_FLAG_NONE, last, code, (const uint8_t *)why,
                          sizeof why - 1);
}

/* Those with a number. */
static bool answer_numbered(struct http2_request *request)
{
    struct http2_server *server = request->peer->server;
    unsigned long number;

    if (has_prefix(request->path, "/meet/", &number)) {
        meet(request, (unsigned)number);
    } else if (has_prefix(request->path, "/reset/", &number)) {
        reset(request, (uint32_t)number);
    } else if (has_prefix(request->path, "/refuse/", &number)) {
        if (server->refused++ < number) {
            reset(request, NGHTTP2_REFUSED_STREAM);
        } else {
            answer_text(request, "at last");
        }
    } else if (has_prefix(request->path, "/big/", &number)) {
        answer_long(request, number);
    } else if (has_prefix(request->path, "/head/", &number)) {
        answer_long_head(request, number);
    } else if (has_prefix(request->path, "/noise/", &number)) {
        request->peer->noise_seed = (uint32_t)number;
    } else if (has_prefix(request->path, "/fields/", &number)) {
        answer_many_fields(request, number);
    } else if (has_prefix(request->path, "/redirect/", &number)) {
        char status[10];
        snprintf(status, sizeof status, "%lu", number);
        http2_answer_status(request, status, "location", "/echo");
    } else {
        return false;
    }
    return true;
}

/* Those that break a connection. */
static bool answer_breaking(struct http2_request *request)
{
    static const uint8_t data_on_stream_0[] = {0, 0, 1, 0, 0, 0, 0, 0, 0, 'x'};
    struct http2_peer *peer = request->peer;
    const char *path = request->path;

    if (strcmp(path, "/goaway") == 0 && !peer->server->has_said_goodbye) {
        peer->server->has_said_goodbye = true;
        say_goodbye(request, request->id - 2, NGHTTP2_NO_ERROR);
    } else if (strcmp(path, "/bye") == 0) {
        answer_with_number(request);
        say_goodbye(request, request->id, NGHTTP2_NO_ERROR);
    } else if (strcmp(path, "/calm") == 0) {
        say_goodbye(request, request->id, NGHTTP2_ENHANCE_YOUR_CALM);
        peer->is_leaving = true;
    } else if (strcmp(path, "/closes") == 0 || (strcmp(path, "/dies") == 0 && peer->asked > 1)) {
        http2_peer_close(peer);
    } else if (strcmp(path, "/text") == 0) {
        http2_peer_send(peer, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    } else if (strcmp(path, "/raw") == 0) {
        http2_peer_send(peer, data_on_stream_0, sizeof data_on_stream_0);
    } else if (strcmp(path, "/half") == 0) {
        request->closes = true;
        answer_long(request, 100000);
    } else {
        return false;
    }
    return true;
}

static void answer_echo(struct http2_request *request)
{
    (void)buffer_append(&request->answer, request->fields.data, request->fields.size);
    buffer_append_string(&request->answer, "\n");
    if (request->body.size > 0) {
        (void)buffer_append(&request->answer, request->body.data, request->body.size);
    }
    http2_answer_status(request, "200", NULL, NULL);
}

void http2_answer(struct http2_request *request)
{
    const char *path = request->path;

    request->peer->server->requests++;
    request->peer->asked++;
    if (answer_numbered(request) || answer_breaking(request) || strcmp(path, "/stall") == 0) {
        return;
    }
    if (strcmp(path, "/echo") == 0) {
        answer_echo(request);
    } else if (strcmp(path, "/cookie") == 0) {
        http2_answer_status(request, "200", "set-cookie", "who=someone");
    } else if (strcmp(path, "/trailers") == 0) {
        request->has_trailers = true;
        answer_text(request, "with trailers");
    } else if (strcmp(path, "/hints") == 0) {
        http2_answer_inform(request, "103", 1);
        answer_text(request, "after hints");
    } else if (strcmp(path, "/informs") == 0) {
        http2_answer_inform(request, "103", 50);
    } else if (strcmp(path, "/short") == 0) {
        buffer_append_string(&request->answer, "short");
        http2_answer_status(request, "200", "content-length", "1000");
    } else if (strcmp(path, "/ping") == 0) {
        nghttp2_submit_ping(request->peer->session, NGHTTP2_FLAG_NONE, NULL);
        answer_text(request, "ping");
    } else {
        answer_with_number(request);
    }
}
