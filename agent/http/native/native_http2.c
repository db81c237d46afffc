/* HTTP/2 on a connection, by libnghttp2: what comes and goes is handed to it as bytes. Within its callbacks
 * nothing is called back further: what ends meanwhile is delivered afterwards. */
#include "agent/http/native/native_inside.h"

#include "common/clock.h"
#include "common/memory.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may be on its way to us: of a body, and of all on a connection. All is taken as it comes. */
#define STREAM_WINDOW_BYTES (1024 * 1024)
#define CONNECTION_WINDOW_BYTES (16 * 1024 * 1024)
/* Until the server has said how many it allows: it would refuse more. */
#define STREAMS_AT_FIRST 100
/* Frames are written in pieces of this size, as long as no more than this waits to be sent. */
#define WRITE_BYTES (64u * 1024u)

struct native_http2 {
    struct native_connection *connection;
    nghttp2_session *session;
    nghttp2_nv *fields; /* of the request that is being sent */
    size_t field_capacity;
    bool has_farewell;
    char farewell[200];
    char trouble[200]; /* what is wrong with what the server sends; empty: nothing */
};

static void printable_text(char *text, size_t size, const char *prefix, const char *what)
{
    snprintf(text, size, "%s%s", prefix, what);
    for (char *at = text; *at; at++) {
        *at = *at >= ' ' && *at < 127 ? *at : '?';
    }
}

static struct native_exchange *exchange_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int http2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct native_exchange *exchange = exchange_of(session, frame->hd.stream_id);

    (void)context;
    if (exchange != NULL && !exchange->stream.has_head) {
        native_exchange_answer_begins(exchange);
        buffer_clear(&exchange->bodies.head);
        exchange->stream.status = 0;
    }
    return 0;
}

static void note_field(struct native_stream *stream, struct bytes name)
{
    stream->has_set_cookie |= field_is_word(name, "set-cookie");
    stream->has_content_encoding |= field_is_word(name, "content-encoding");
}

/* Trailers are read over. */
static int http2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name_data,
                           size_t name_size, const uint8_t *value_data, size_t value_size, uint8_t flags,
                           void *context)
{
    struct native_exchange *exchange = exchange_of(session, frame->hd.stream_id);
    struct bytes name = bytes_of(name_data, name_size);
    struct bytes value = bytes_of(value_data, value_size);

    (void)flags, (void)context;
    if (exchange == NULL || exchange->stream.has_head) {
        return 0;
    }
    if (field_is_word(name, ":status")) {
        /* Three digits: the library has looked. */
        exchange->stream.status =
            (uint16_t)((value.data[0] - '0') * 100 + (value.data[1] - '0') * 10 + (value.data[2] - '0'));
        return 0;
    }
    struct buffer *head = &exchange->bodies.head;
    bool is_in = buffer_append(head, name.data, name.size) && buffer_append(head, ": ", 2) &&
                 buffer_append(head, value.data, value.size) && buffer_append(head, "\r\n", 2);
    if (!is_in || !field_is_value(value)) {
        native_exchange_end(exchange, HTTP_PROTOCOL,
                            is_in ? "a header holds a line break or a zero byte"
                                  : "the head of the answer is too large");
        return 0;
    }
    note_field(&exchange->stream, name);
    return 0;
}

static void http2_end_of_head(struct native_exchange *exchange)
{
    struct native_stream *stream = &exchange->stream;

    if (stream->has_head) {
        return;
    }
    if (stream->status >= 200) {
        stream->has_head = true;
        native_exchange_head_is_complete(exchange, stream->status, stream->has_set_cookie,
                                         stream->has_content_encoding);
        return;
    }
    stream->has_set_cookie = stream->has_content_encoding = false;
    native_connection_await_answer(exchange);
    if (stream->interim_count++ == HTTP1_INTERIM_MAX) {
        native_exchange_end(exchange, HTTP_PROTOCOL, "there is no end to responses that only inform");
    } else if (stream->status == 100) {
        native_exchange_continue(exchange);
    }
}

static void note_farewell(struct native_http2 *http2, const nghttp2_goaway *goaway)
{
    char reason[100];

    bytes_to_text(bytes_of(goaway->opaque_data, goaway->opaque_data_len), reason, sizeof reason);
    http2->has_farewell = true;
    http2->connection->is_closing = true;
    snprintf(http2->farewell, sizeof http2->farewell, "the server closed the connection: GOAWAY %s%s",
             nghttp2_http2_strerror(goaway->error_code), reason[0] ? ": " : "");
    char text[sizeof http2->farewell];
    memcpy(text, http2->farewell, sizeof text);
    printable_text(http2->farewell, sizeof http2->farewell, text, reason);
}

static int http2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct native_http2 *http2 = context;
    struct native_exchange *exchange = exchange_of(session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_GOAWAY) {
        note_farewell(http2, &frame->goaway);
    } else if (exchange != NULL && frame->hd.type == NGHTTP2_RST_STREAM) {
        exchange->stream.is_reset_by_peer = true;
    } else if (exchange != NULL && frame->hd.type == NGHTTP2_HEADERS) {
        http2_end_of_head(exchange);
        exchange = exchange_of(session, frame->hd.stream_id); /* it may have ended */
    }
    bool has_end = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                   (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (exchange != NULL && has_end) {
        /* The exchange has nothing to do with the stream any more, whether or not that has ended. */
        nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, NULL);
        native_exchange_answer_is_complete(exchange, true);
    }
    return 0;
}

static int http2_on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                         size_t size, void *context)
{
    struct native_exchange *exchange = exchange_of(session, stream_id);

    (void)flags, (void)context;
    if (exchange != NULL) {
        (void)native_exchange_take_body(exchange, bytes_of(data, size));
    }
    return 0;
}

/* Before the answer was complete. */
static int http2_on_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *context)
{
    struct native_http2 *http2 = context;
    struct native_exchange *exchange = exchange_of(session, stream_id);
    char text[300];

    if (exchange == NULL) {
        return 0;
    }
    if (code == NGHTTP2_REFUSED_STREAM) {
        native_streams_refused(exchange);
        return 0;
    }
    bool is_by_peer = exchange->stream.is_reset_by_peer;
    if (is_by_peer) {
        snprintf(text, sizeof text, "the server reset the stream: %s", nghttp2_http2_strerror(code));
    } else {
        snprintf(text, sizeof text, "the answer breaks the rules of HTTP/2: %s",
                 http2->trouble[0] ? http2->trouble : nghttp2_http2_strerror(code));
    }
    native_connection_leave(exchange);
    native_exchange_end(exchange, is_by_peer ? HTTP_RESET : HTTP_PROTOCOL, text);
    return 0;
}

/* A request that the library could not send: the connection takes no more, or the head is too large. */
static int http2_on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int code, void *context)
{
    struct native_http2 *http2 = context;
    struct native_exchange *exchange = http2->connection->streams;

    (void)session;
    while (exchange != NULL && exchange->stream.id != frame->hd.stream_id) {
        exchange = exchange->next_stream;
    }
    if (frame->hd.type != NGHTTP2_HEADERS || exchange == NULL) {
        return 0;
    }
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, NULL);
    if (code == NGHTTP2_ERR_START_STREAM_NOT_ALLOWED || code == NGHTTP2_ERR_SESSION_CLOSING) {
        http2->connection->is_closing = true;
        native_streams_refused(exchange);
    } else {
        native_connection_leave(exchange);
        native_exchange_end(exchange, HTTP_BAD_REQUEST, nghttp2_strerror(code));
    }
    return 0;
}

/* The library gives up the connection: for the reason that is known by now, or else this one. */
static int http2_on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct native_http2 *http2 = context;

    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY && http2->trouble[0] == 0) {
        printable_text(http2->trouble, sizeof http2->trouble, "",
                       nghttp2_http2_strerror(frame->goaway.error_code));
    }
    return 0;
}

static int http2_on_trouble(nghttp2_session *session, int code, const char *text, size_t size, void *context)
{
    struct native_http2 *http2 = context;

    (void)session, (void)code, (void)size;
    printable_text(http2->trouble, sizeof http2->trouble, "", text);
    return 0;
}

static nghttp2_session *http2_session_new(struct native_http2 *http2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_session *session = NULL;
    nghttp2_option *option = NULL;

    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) {
        abort();
    }
    nghttp2_option_set_peer_max_concurrent_streams(option, STREAMS_AT_FIRST);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, http2_on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, http2_on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, http2_on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, http2_on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, http2_on_close);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, http2_on_not_sent);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, http2_on_sent);
    nghttp2_session_callbacks_set_error_callback2(callbacks, http2_on_trouble);
    if (nghttp2_session_client_new2(&session, callbacks, http2, option) != 0) {
        abort();
    }
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return session;
}

struct native_http2 *native_http2_new(struct native_connection *connection)
{
    struct native_http2 *http2 = MEMORY_NEW(struct native_http2);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP1_HEAD_MAX_BYTES},
    };

    http2->connection = connection;
    http2->session = http2_session_new(http2);
    if (nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings,
                                sizeof settings / sizeof *settings) != 0 ||
        nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0,
                                              CONNECTION_WINDOW_BYTES) != 0) {
        abort();
    }
    return http2;
}

void native_http2_free(struct native_http2 **pointer)
{
    struct native_http2 *http2 = *pointer;

    if (http2 == NULL) {
        return;
    }
    nghttp2_session_del(http2->session);
    memory_free(http2->fields);
    memory_free(http2);
    *pointer = NULL;
}

const char *native_http2_farewell(const struct native_http2 *http2)
{
    return http2->has_farewell ? http2->farewell : NULL;
}

static ssize_t http2_read_body(nghttp2_session *session, int32_t stream_id, uint8_t *data, size_t size,
                               uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct native_exchange *exchange = exchange_of(session, stream_id);

    (void)source, (void)context;
    if (exchange == NULL || exchange->is_body_held) {
        return NGHTTP2_ERR_DEFERRED; /* until it is reset, or resumed */
    }
    size_t left = exchange->wish.body_size - exchange->stream.sent;
    size = size < left ? size : left;
    memcpy(data, exchange->wish.body + exchange->stream.sent, size);
    exchange->stream.sent += size;
    exchange->response.sent_bytes += size;
    if (size == left) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        phase_clock_enter(&exchange->clock, REQUEST_WAITING, clock_now_ns());
    }
    return (ssize_t)size;
}

static void http2_add_field(struct native_http2 *http2, size_t *count, struct bytes name, struct bytes value)
{
    http2->fields = memory_reserve(http2->fields, &http2->field_capacity, *count + 1, sizeof *http2->fields);
    http2->fields[(*count)++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.data,
                                             .namelen = name.size,
                                             .value = (uint8_t *)(uintptr_t)value.data,
                                             .valuelen = value.size};
}

/* RFC 9113 §8.2.3: each by itself, so that those that stay the same compress well. */
static void http2_add_cookies(struct native_http2 *http2, size_t *count, struct bytes name,
                              struct bytes value)
{
    while (value.size > 0) {
        const uint8_t *end = memchr(value.data, ';', value.size);
        size_t size = end != NULL ? (size_t)(end - value.data) : value.size;
        http2_add_field(http2, count, name, field_trim(bytes_of(value.data, size)));
        size += end != NULL;
        value = field_trim(bytes_of(value.data + size, value.size - size));
    }
}

/* Fields of one connection of HTTP/1.1, which HTTP/2 has no place for (RFC 9113 §8.2.2). */
static bool is_of_connection(struct bytes name, struct bytes value)
{
    static const char *const names[] = {"connection",        "keep-alive", "proxy-connection",
                                        "transfer-encoding", "upgrade",    "http2-settings"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (field_is_word(name, names[i])) {
            return true;
        }
    }
    return field_is_word(name, "te") && !field_is_word(value, "trailers");
}

/* The fields of the request, which are lines in the engine's buffer; names in lower case. */
static size_t http2_list_fields(struct native_http2 *http2, const struct native_exchange *exchange)
{
    static const char *const pseudo[] = {":method", ":scheme", ":authority", ":path"};
    const struct native_wish *wish = &exchange->wish;
    struct buffer *out = &exchange->engine->out;
    struct bytes values[] = {bytes_of_string(wish->method),
                             bytes_of_string(wish->url.is_tls ? "https" : "http"), wish->url.authority,
                             wish->url.target};
    struct bytes name;
    struct bytes value;
    size_t count = 0;
    size_t at = 0;

    (void)fields_find(buffer_bytes(out), "host", &values[2]);
    for (size_t i = 0; i < 4; i++) {
        http2_add_field(http2, &count, bytes_of_string(pseudo[i]), values[i]);
    }
    while (fields_next(buffer_bytes(out), &at, &name, &value)) {
        uint8_t *letters = out->data + (name.data - out->data);
        for (size_t i = 0; i < name.size; i++) {
            letters[i] |= letters[i] >= 'A' && letters[i] <= 'Z' ? 0x20 : 0;
        }
        if (field_is_word(name, "cookie")) {
            http2_add_cookies(http2, &count, name, value);
        } else if (!field_is_word(name, "host") && !is_of_connection(name, value)) {
            http2_add_field(http2, &count, name, value);
        }
    }
    return count;
}

void native_http2_begin(struct native_http2 *http2, struct native_exchange *exchange)
{
    nghttp2_data_provider body = {.read_callback = http2_read_body};

    buffer_clear(&exchange->engine->out);
    native_wish_write_fields(exchange);
    size_t count = http2_list_fields(http2, exchange);
    exchange->is_body_held = exchange->wish.expects;
    exchange->stream = (struct native_stream){0};
    int32_t id = nghttp2_submit_request(http2->session, NULL, http2->fields, count,
                                        exchange->wish.body_size > 0 ? &body : NULL, exchange);
    if (id < 0) {
        /* The numbers of streams are used up: 2^30 requests. */
        bool was_deferring = exchange->engine->defers;
        http2->connection->is_closing = true;
        exchange->engine->defers = true;
        native_streams_refused(exchange);
        exchange->engine->defers = was_deferring;
        return;
    }
    exchange->stream.id = id;
    exchange->has_left = true;
    if (exchange->wish.body_size == 0) {
        phase_clock_enter(&exchange->clock, REQUEST_WAITING, clock_now_ns());
    }
    if (exchange->is_body_held) {
        native_engine_set_timer(exchange->engine, &exchange->body_timer, clock_now_ns() + NS_PER_S);
    }
}

void native_http2_continue(struct native_http2 *http2, struct native_exchange *exchange)
{
    (void)nghttp2_session_resume_data(http2->session, exchange->stream.id);
    native_http2_write(http2);
}

void native_http2_abandon(struct native_http2 *http2, struct native_exchange *exchange)
{
    if (exchange->stream.id > 0) {
        nghttp2_session_set_stream_user_data(http2->session, exchange->stream.id, NULL);
        (void)nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, exchange->stream.id,
                                        NGHTTP2_CANCEL);
    }
}

/* All frames that may go out now, in pieces that are worth a system call. False: the session is broken. */
static bool http2_send_frames(struct native_http2 *http2)
{
    struct native_connection *connection = http2->connection;
    struct buffer *frames = &connection->engine->frames;
    const uint8_t *data;
    ssize_t size = 1;

    while (size > 0 && stream_pending(connection->stream) < WRITE_BYTES) {
        buffer_clear(frames);
        while (frames->size < WRITE_BYTES && (size = nghttp2_session_mem_send(http2->session, &data)) > 0) {
            buffer_append(frames, data, (size_t)size);
        }
        stream_write(connection->stream, buffer_bytes(frames));
    }
    return size >= 0;
}

/* Nothing more can come or go: the server has broken the rules, or said goodbye. */
static void http2_end(struct native_http2 *http2, int code)
{
    char text[300];
    bool is_broken = http2->trouble[0] != 0 || code < 0;

    if (is_broken) {
        snprintf(text, sizeof text, "the server breaks the rules of HTTP/2: %s",
                 http2->trouble[0] ? http2->trouble : nghttp2_strerror(code));
    } else {
        snprintf(text, sizeof text, "%s", http2->has_farewell ? http2->farewell : "the connection has ended");
    }
    native_streams_fail(http2->connection, is_broken ? HTTP_PROTOCOL : HTTP_RESET, text);
}

/* Sends, and looks whether the session has come to its end. The engine defers. */
static void http2_settle(struct native_http2 *http2, int code)
{
    http2->connection->is_kept = true;
    bool is_alive = code == 0 && http2_send_frames(http2);
    http2->connection->is_kept = false;
    if (!is_alive ||
        (!nghttp2_session_want_read(http2->session) && !nghttp2_session_want_write(http2->session))) {
        http2_end(http2, code);
    } else if (http2->connection->is_closing && http2->connection->streams == NULL) {
        native_connection_drop(http2->connection, false);
    }
}

void native_http2_write(struct native_http2 *http2)
{
    struct native_engine *engine = http2->connection->engine;
    bool was_deferring = engine->defers;

    if (http2->connection->is_kept) {
        return; /* it is in the middle of a callback, and will be written */
    }
    engine->defers = true;
    http2_settle(http2, 0);
    engine->defers = was_deferring;
    if (!was_deferring) {
        native_engine_wake(engine);
    }
}

void native_http2_read(struct native_http2 *http2, struct bytes data)
{
    struct native_engine *engine = http2->connection->engine;

    engine->defers = true;
    http2->connection->is_kept = true;
    ssize_t size = nghttp2_session_mem_recv(http2->session, data.data, data.size);
    http2_settle(http2, size < 0 ? (int)size : 0);
    engine->defers = false;
    native_engine_deliver(engine);
}
