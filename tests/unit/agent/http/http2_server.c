/* Answers each request of HTTP/2 according to its path. */
#include "tests/unit/agent/http/http2_server.h"

#include "common/buffer.h"
#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX_BYTES (64u * 1024u * 1024u)

struct http2_request {
    struct http2_peer *peer;
    struct http2_request *next;
    int32_t id;
    struct buffer fields;
    struct buffer body;
    struct buffer answer;
    size_t sent;
    char path[200];
    bool is_expecting;
    bool is_parked;
    bool has_trailers;
    bool closes; /* in the middle of its body */
};

struct http2_peer {
    uv_tcp_t tcp;
    struct http2_server *server;
    struct http2_peer *next;
    nghttp2_session *session;
    struct http2_request *requests;
    unsigned number;
    unsigned asked;
    bool is_leaving;
    uint32_t noise_seed; /* of what is sent after the answers; 0: nothing */
    char wire[65536];
};

struct http2_server {
    uv_tcp_t tcp;
    struct http2_peer *peers;
    unsigned connections;
    unsigned requests;
    unsigned refused;
    unsigned resets;
    uint32_t reset_code;
    unsigned pongs;
    bool has_said_goodbye;
};

static void http2_peer_closed(uv_handle_t *handle)
{
    struct http2_peer *peer = handle->data;

    while (peer->requests != NULL) {
        struct http2_request *request = peer->requests;
        peer->requests = request->next;
        buffer_finish(&request->fields);
        buffer_finish(&request->body);
        buffer_finish(&request->answer);
        memory_free(request);
    }
    nghttp2_session_del(peer->session);
    memory_free(peer);
}

static void close_http2_peer(struct http2_peer *peer)
{
    struct http2_peer **at = &peer->server->peers;

    if (uv_is_closing((uv_handle_t *)&peer->tcp)) {
        return;
    }
    while (*at != peer) {
        at = &(*at)->next;
    }
    *at = peer->next;
    uv_close((uv_handle_t *)&peer->tcp, http2_peer_closed);
}

struct http2_write {
    uv_write_t request;
    uint8_t *data;
};

static void http2_on_written(uv_write_t *request, int status)
{
    struct http2_write *write = (struct http2_write *)request;

    (void)status;
    memory_free(write->data);
    memory_free(write);
}

static void send_raw(struct http2_peer *peer, const void *data, size_t size)
{
    struct http2_write *write = MEMORY_NEW(struct http2_write);

    write->data = memory_new(size, 1);
    memcpy(write->data, data, size);
    uv_buf_t buffer = uv_buf_init((char *)write->data, (unsigned)size);
    uv_write(&write->request, (uv_stream_t *)&peer->tcp, &buffer, 1, http2_on_written);
}

static void flush_http2_peer(struct http2_peer *peer)
{
    const uint8_t *data;
    ssize_t size;

    while (!uv_is_closing((uv_handle_t *)&peer->tcp) &&
           (size = nghttp2_session_mem_send(peer->session, &data)) > 0) {
        send_raw(peer, data, (size_t)size);
    }
    if (peer->is_leaving) {
        close_http2_peer(peer);
    }
}

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

/* With what is in request->answer as its body, and one more field, unless `name` is NULL. */
static void submit_answer(struct http2_request *request, const char *status, const char *name,
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
    submit_answer(request, "200", NULL, NULL);
}

static void inform(struct http2_request *request, const char *status, unsigned times)
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
            flush_http2_peer(peer);
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

static void make_noise(struct http2_peer *peer)
{
    uint32_t seed = peer->noise_seed;
    struct buffer noise;

    peer->noise_seed = 0;
    buffer_init(&noise, 1u << 20);
    for (int i = 0; i < 20; i++) {
        add_noise(&noise, &seed);
    }
    send_raw(peer, noise.data, noise.size);
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
    submit_answer(request, "200", NULL, NULL);
    memory_free(text);
}

static void answer_long_head(struct http2_request *request, size_t size)
{
    char *text = memory_new(size + 1, 1);

    memset(text, 'x', size);
    submit_answer(request, "200", "x-long", text);
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
        submit_answer(request, status, "location", "/echo");
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
        close_http2_peer(peer);
    } else if (strcmp(path, "/text") == 0) {
        send_raw(peer, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    } else if (strcmp(path, "/raw") == 0) {
        send_raw(peer, data_on_stream_0, sizeof data_on_stream_0);
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
    submit_answer(request, "200", NULL, NULL);
}

static void answer_http2(struct http2_request *request)
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
        submit_answer(request, "200", "set-cookie", "who=someone");
    } else if (strcmp(path, "/trailers") == 0) {
        request->has_trailers = true;
        answer_text(request, "with trailers");
    } else if (strcmp(path, "/hints") == 0) {
        inform(request, "103", 1);
        answer_text(request, "after hints");
    } else if (strcmp(path, "/informs") == 0) {
        inform(request, "103", 50);
    } else if (strcmp(path, "/short") == 0) {
        buffer_append_string(&request->answer, "short");
        submit_answer(request, "200", "content-length", "1000");
    } else if (strcmp(path, "/ping") == 0) {
        nghttp2_submit_ping(request->peer->session, NGHTTP2_FLAG_NONE, NULL);
        answer_text(request, "ping");
    } else {
        answer_with_number(request);
    }
}

static struct http2_request *request_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int server_on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct http2_peer *peer = context;

    if (request_of(session, frame->hd.stream_id) != NULL) {
        return 0;
    }
    struct http2_request *request = MEMORY_NEW(struct http2_request);
    request->peer = peer;
    request->id = frame->hd.stream_id;
    buffer_init(&request->fields, BODY_MAX_BYTES);
    buffer_init(&request->body, BODY_MAX_BYTES);
    buffer_init(&request->answer, BODY_MAX_BYTES);
    request->next = peer->requests;
    peer->requests = request;
    nghttp2_session_set_stream_user_data(session, request->id, request);
    return 0;
}

static int server_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                            size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                            void *context)
{
    struct http2_request *request = request_of(session, frame->hd.stream_id);

    (void)flags, (void)context;
    if (name_size == 5 && memcmp(name, ":path", 5) == 0) {
        bytes_to_text(bytes_of(value, value_size), request->path, sizeof request->path);
    }
    request->is_expecting |= name_size == 6 && memcmp(name, "expect", 6) == 0;
    buffer_append_format(&request->fields, "%.*s: %.*s\n", (int)name_size, (const char *)name,
                         (int)value_size, (const char *)value);
    return 0;
}

static void on_request_head(struct http2_request *request)
{
    if (strcmp(request->path, "/early") == 0) {
        submit_answer(request, "413", NULL, NULL);
    } else if (request->is_expecting && strcmp(request->path, "/refuses") == 0) {
        submit_answer(request, "417", NULL, NULL);
    } else if (request->is_expecting && strcmp(request->path, "/continue") == 0) {
        inform(request, "100", 1);
    }
}

static int server_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct http2_peer *peer = context;
    struct http2_request *request = request_of(session, frame->hd.stream_id);
    uint8_t type = frame->hd.type;

    if (type == NGHTTP2_RST_STREAM) {
        peer->server->resets++;
        peer->server->reset_code = frame->rst_stream.error_code;
        return 0;
    }
    peer->server->pongs += type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (request == NULL || (type != NGHTTP2_HEADERS && type != NGHTTP2_DATA)) {
        return 0;
    }
    if (type == NGHTTP2_HEADERS) {
        on_request_head(request);
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && strcmp(request->path, "/early") != 0) {
        answer_http2(request);
    }
    return 0;
}

static int server_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                          size_t size, void *context)
{
    struct http2_request *request = request_of(session, id);

    (void)flags, (void)context;
    (void)buffer_append(&request->body, data, size);
    if (strcmp(request->path, "/sink") != 0) {
        nghttp2_session_consume(session, id, size);
    }
    return 0;
}

static void make_session(struct http2_peer *peer)
{
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}};
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;

    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, 1u << 20);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, server_on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, server_on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, server_on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, server_on_data);
    assert_int_equal(nghttp2_session_server_new2(&peer->session, callbacks, peer, option), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    nghttp2_submit_settings(peer->session, NGHTTP2_FLAG_NONE, settings, 1);
}

static void server_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct http2_peer *peer = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(peer->wire, sizeof peer->wire);
}

static void server_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct http2_peer *peer = stream->data;

    if (count < 0 ||
        nghttp2_session_mem_recv(peer->session, (const uint8_t *)buffer->base, (size_t)count) < 0) {
        close_http2_peer(peer);
        return;
    }
    flush_http2_peer(peer);
    if (peer->noise_seed != 0 && !uv_is_closing((uv_handle_t *)&peer->tcp)) {
        make_noise(peer);
    }
}

static void server_on_connection(uv_stream_t *stream, int status)
{
    struct http2_server *server = stream->data;
    struct http2_peer *peer = MEMORY_NEW(struct http2_peer);

    assert_int_equal(status, 0);
    uv_tcp_init(stream->loop, &peer->tcp);
    peer->tcp.data = peer;
    peer->server = server;
    peer->number = ++server->connections;
    peer->next = server->peers;
    server->peers = peer;
    make_session(peer);
    uv_accept(stream, (uv_stream_t *)&peer->tcp);
    uv_tcp_nodelay(&peer->tcp, 1); /* its frames are written one by one */
    uv_read_start((uv_stream_t *)&peer->tcp, server_on_alloc, server_on_read);
    flush_http2_peer(peer);
}

struct http2_server *http2_server_new(uv_loop_t *loop)
{
    struct http2_server *server = MEMORY_NEW(struct http2_server);
    struct sockaddr_in address;

    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &server->tcp);
    server->tcp.data = server;
    uv_tcp_bind(&server->tcp, (const struct sockaddr *)&address, 0);
    assert_int_equal(uv_listen((uv_stream_t *)&server->tcp, 16, server_on_connection), 0);
    return server;
}

int http2_server_port(const struct http2_server *server)
{
    struct sockaddr_in address;
    int size = sizeof address;

    uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

unsigned http2_server_connections(const struct http2_server *server)
{
    return server->connections;
}

unsigned http2_server_requests(const struct http2_server *server)
{
    return server->requests;
}

unsigned http2_server_resets(const struct http2_server *server)
{
    return server->resets;
}

uint32_t http2_server_reset_code(const struct http2_server *server)
{
    return server->reset_code;
}

unsigned http2_server_pongs(const struct http2_server *server)
{
    return server->pongs;
}

void http2_server_hang_up(struct http2_server *server)
{
    while (server->peers != NULL) {
        close_http2_peer(server->peers);
    }
}

static void server_on_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void http2_server_close(struct http2_server **pointer)
{
    http2_server_hang_up(*pointer);
    uv_close((uv_handle_t *)&(*pointer)->tcp, server_on_closed);
    *pointer = NULL;
}
