/* What an exchange makes of the answer that comes: cookies, body, and whether another request follows on it.
 */
#include "agent/http/native/native_inside.h"

#include "agent/http/message/resend.h"
#include "common/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* And its head has been given. */
bool native_answer_is_streamed(const struct native_exchange *exchange)
{
    return exchange->streamed != NULL && exchange->streamed->has_head;
}

void native_answer_note_end(struct native_exchange *exchange, bool is_ok)
{
    struct http_response *response = &exchange->response;
    struct phase_clock *clock = &exchange->clock;
    uint64_t now_ns = clock_now_ns();

    if (exchange->connection != NULL) {
        native_connection_note_phase(exchange);
    }
    phase_clock_enter(clock, clock->phase, now_ns);
    response->phase = is_ok ? NULL : request_phase_name(clock->phase);
    response->has_left = exchange->has_left;
    response->timings.total_us = (now_ns - exchange->started_ns) / 1000;
    memcpy(response->timings.phase_us, clock->us, sizeof clock->us);
}

void native_answer_fill(struct native_exchange *exchange)
{
    struct http_response *response = &exchange->response;

    response->headers = native_answer_is_streamed(exchange)
                            ? bytes_of(exchange->streamed->head, exchange->streamed->head_size)
                            : buffer_bytes(&exchange->bodies.head);
    if (exchange->redirects > 0) {
        response->url = exchange->wish.url.text;
        response->redirects = buffer_bytes(&exchange->hops);
    }
}

static bool answer_append_plain(void *context, struct bytes plain)
{
    struct native_exchange *exchange = context;
    struct http_bodies *bodies = &exchange->bodies;
    bool is_streamed = native_answer_is_streamed(exchange);
    char text[200];

    if (is_streamed) {
        native_stream_make_room(exchange);
    }
    if (http_bodies_append(bodies, &bodies->body, (const char *)plain.data, plain.size)) {
        if (is_streamed) {
            native_stream_grown(exchange);
        }
        return true;
    }
    if (bodies->is_out_of_memory) {
        native_exchange_end(exchange, HTTP_NO_MEMORY, native_no_memory_text(exchange, text, sizeof text));
    } else {
        snprintf(text, sizeof text, "the body is larger than %zu bytes (max_body)", bodies->body.maximum);
        native_exchange_end(exchange, HTTP_TOO_LARGE, text);
    }
    return false;
}

bool native_exchange_take_body(struct native_exchange *exchange, struct bytes piece)
{
    exchange->response.received_bytes += piece.size;
    if (exchange->decoder == NULL) {
        return answer_append_plain(exchange, piece);
    }
    switch (content_decoder_write(exchange->decoder, piece, answer_append_plain, exchange)) {
    case CONTENT_OK:
        return true;
    case CONTENT_MALFORMED:
        native_exchange_end(exchange, HTTP_PROTOCOL,
                            "the body is not in the coding that Content-Encoding names");
        return false;
    default:
        return false;
    }
}

static void answer_take_cookies(struct native_exchange *exchange)
{
    struct bytes head = buffer_bytes(&exchange->bodies.head);
    int64_t wall_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    struct bytes name;
    struct bytes value;
    size_t at = 0;

    while (fields_next(head, &at, &name, &value)) {
        if (field_is_word(name, "set-cookie")) {
            (void)cookie_jar_take(&exchange->client->jar, &exchange->wish.url, value, wall_s);
        }
    }
}

static bool answer_is_redirect(const struct native_exchange *exchange)
{
    return exchange->wish.is_followed && resend_is_redirect(exchange->response.status);
}

/* Before the connection is given up, or used again. */
static void answer_note_connection(struct native_exchange *exchange,
                                   const struct native_connection *connection)
{
    struct http_response *response = &exchange->response;

    const char *peer = stream_peer(connection->stream);
    size_t size = strnlen(peer, sizeof exchange->address - 1);

    memcpy(exchange->address, peer, size);
    exchange->address[size] = 0;
    response->address = exchange->address;
    response->version = connection->http2 != NULL               ? "2"
                        : connection->parser.minor_version == 0 ? "1.0"
                                                                : "1.1";
    response->is_reused = connection->http2 != NULL ? exchange->stream.id > 1 : connection->is_used;
    response->is_retried = exchange->is_retried;
}

/* Whether another request follows on this answer. */
static bool answer_leads_on(const struct native_exchange *exchange)
{
    struct bytes location;

    return exchange->is_challenged || (exchange->is_body_held && exchange->response.status == 417) ||
           (answer_is_redirect(exchange) &&
            fields_find(buffer_bytes(&exchange->bodies.head), "location", &location));
}

/* The answer, or what precedes it, has begun. */
void native_exchange_answer_begins(struct native_exchange *exchange)
{
    if (exchange->clock.phase == REQUEST_RECEIVING) {
        return;
    }
    uint64_t now_ns = net_ready_ns(exchange->engine->net);
    native_connection_note_phase(exchange);
    phase_clock_enter(&exchange->clock, REQUEST_RECEIVING, now_ns);
    if (!exchange->has_begun_answer) {
        exchange->has_begun_answer = true;
        exchange->response.timings.first_byte_us = (now_ns - exchange->started_ns) / 1000;
    }
}

void native_exchange_head_is_complete(struct native_exchange *exchange, uint32_t status, bool has_set_cookie,
                                      bool has_content_encoding)
{
    struct bytes value;

    exchange->response.status = status;
    if (has_set_cookie) {
        answer_take_cookies(exchange);
    }
    if (has_content_encoding &&
        fields_find(buffer_bytes(&exchange->bodies.head), "content-encoding", &value)) {
        exchange->decoder = content_decoder_new(value);
    }
    exchange->is_challenged = native_digest_take(exchange);
    if (exchange->streamed != NULL && !answer_leads_on(exchange)) {
        answer_note_connection(exchange, exchange->connection);
        native_answer_note_end(exchange, true);
        native_answer_fill(exchange);
        native_stream_head(exchange);
    }
}

static void answer_follow_redirect(struct native_exchange *exchange, struct bytes location)
{
    struct error error;

    if (exchange->redirects == 0) {
        buffer_clear(&exchange->hops);
    }
    buffer_append_format(&exchange->hops, "%u %s\n", exchange->response.status, exchange->wish.url.text);
    if (exchange->redirects == NATIVE_REDIRECTS_MAX) {
        native_exchange_end(exchange, HTTP_REDIRECTS, "more than 20 redirects, one after the other");
        return;
    }
    if (!native_wish_redirect(exchange, exchange->response.status, location, &error)) {
        native_exchange_end(exchange, HTTP_REDIRECTS, error.text);
        return;
    }
    exchange->redirects++;
    exchange->challenges = 0;
    exchange->is_retried = false;
    native_exchange_begin(exchange, false);
    native_client_serve_waiting(exchange->client);
}

/* What has not left of the request by now never needs to. */
static void answer_leave_connection(struct native_exchange *exchange, bool keeps_alive, bool is_body_held)
{
    struct native_connection *connection = exchange->connection;

    if (connection->http2 != NULL) {
        if (exchange->stream.sent < exchange->wish.body_size) {
            native_http2_abandon(connection->http2, exchange);
        }
        native_connection_leave(exchange);
        return;
    }
    bool is_sent = !is_body_held && !exchange->is_upload_open && stream_pending(connection->stream) == 0;
    exchange->is_upload_open = false;
    native_stream_resume(exchange);
    native_connection_leave(exchange);
    if (!keeps_alive || !is_sent || exchange->wish.has_close_field || exchange->wish.is_fresh) {
        native_connection_drop(connection, !is_sent);
    }
}

void native_exchange_answer_is_complete(struct native_exchange *exchange, bool keeps_alive)
{
    struct native_connection *connection = exchange->connection;
    struct bytes location;

    if (exchange->decoder != NULL && !content_decoder_is_whole(exchange->decoder)) {
        native_exchange_end(exchange, HTTP_PROTOCOL, "the coded body ends in the middle");
        return;
    }
    answer_note_connection(exchange, connection);
    bool is_held = exchange->is_body_held;
    exchange->is_body_held = false;
    answer_leave_connection(exchange, keeps_alive, is_held);
    if (is_held && exchange->response.status == 417) {
        /* RFC 9110 §10.1.1: once more without the expectation. The body has not left yet. */
        exchange->wish.expects = false;
        exchange->wish.is_expectation_refused = true;
        native_exchange_begin(exchange, false);
    } else if (exchange->is_challenged) {
        native_exchange_begin(exchange, false);
        native_client_serve_waiting(exchange->client);
    } else if (answer_is_redirect(exchange) &&
               fields_find(buffer_bytes(&exchange->bodies.head), "location", &location)) {
        answer_follow_redirect(exchange, location);
    } else {
        native_exchange_end(exchange, HTTP_OK, "");
    }
}

/* The connection is nobody's any more but the response's. */
void native_exchange_is_upgraded(struct native_exchange *exchange, struct bytes rest)
{
    struct native_connection *connection = exchange->connection;
    struct stream *stream = connection->stream;

    if (!exchange->wish.is_upgrade) {
        native_exchange_end(exchange, HTTP_PROTOCOL,
                            "the server changes to a protocol that was not asked for");
        return;
    }
    assert(!exchange->engine->defers); /* on_done comes within this call */
    answer_note_connection(exchange, connection);
    connection->stream = NULL;
    native_connection_drop(connection, false);
    exchange->response.upgraded = &stream;
    exchange->response.rest = rest;
    native_exchange_end(exchange, HTTP_OK, "");
    stream_close(&stream, true);
}
