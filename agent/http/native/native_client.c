/* The life of a request: from http_start to on_done, over redirects and a second try. */
#include "agent/http/native/native_inside.h"

#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define OUT_MAX_BYTES (4u * 1024u * 1024u)

static struct native_client *client_of(struct http_client *base)
{
    return CONTAINER_OF(base, struct native_client, base);
}

static void init_timer(struct native_timer *timer, struct native_client *client, bool is_for_body)
{
    timer_init(&timer->timer);
    timer->client = client;
    timer->is_for_body = is_for_body;
}

struct http_client *native_client_new(struct http_engine *base,
                                      void (*on_done)(void *context, struct http_response *response),
                                      void *context)
{
    struct native_client *client = MEMORY_NEW(struct native_client);

    client->engine = CONTAINER_OF(base, struct native_engine, base);
    client->on_done = on_done;
    client->context = context;
    client->turn = client->engine->clients++;
    buffer_init(&client->out, OUT_MAX_BYTES);
    http_bodies_init(&client->bodies);
    client->bodies.head.maximum = HTTP1_HEAD_MAX_BYTES;
    buffer_init(&client->wish.fields, 0);
    init_timer(&client->timer, client, false);
    init_timer(&client->body_timer, client, true);
    return &client->base;
}

void native_client_set_network(struct http_client *base, const struct http_network *network)
{
    struct native_client *client = client_of(base);

    client->overrides = network->overrides;
    client->has_source = network->source != NULL;
    if (client->has_source) {
        client->source = *network->source;
    }
}

static void drop_sent(struct native_client *client)
{
    memory_free(client->wish.body);
    client->wish.body = NULL;
    client->wish.body_capacity = client->wish.body_size = 0;
}

static void native_drop_bodies(struct native_client *client)
{
    if (http_bodies_drop(&client->bodies)) {
        drop_sent(client);
    }
}

/* Takes the request out of the engine; the connection stays, if it is to. */
static void stop_running(struct native_client *client)
{
    native_engine_unset_timer(client->engine, &client->timer);
    native_engine_unset_timer(client->engine, &client->body_timer);
    content_decoder_free(&client->decoder);
    if (client->at != NULL) {
        native_engine_remove(client);
    }
    client->state = NATIVE_IDLE;
}

void native_client_cancel(struct http_client *base)
{
    struct native_client *client = client_of(base);

    if (client->state != NATIVE_IDLE) {
        stop_running(client);
        if (client->connection != NULL) {
            native_connection_drop(client->connection, true);
        }
        native_drop_bodies(client);
    }
}

void native_client_free(struct http_client *base)
{
    struct native_client *client = client_of(base);

    native_client_cancel(base);
    native_connections_drop_all(client, false);
    cookie_jar_finish(&client->jar);
    native_wish_finish(&client->wish);
    memory_free(client->given_url);
    buffer_finish(&client->out);
    http_bodies_finish(&client->bodies);
    memory_free(client);
}

void native_client_drop_body(struct http_client *base)
{
    struct native_client *client = client_of(base);

    if (client->state == NATIVE_IDLE) {
        native_drop_bodies(client);
    }
}

void native_client_deliver(struct native_client *client)
{
    client->state = NATIVE_IDLE;
    client->on_done(client->context, &client->response);
}

void native_client_end(struct native_client *client, enum http_failure failure, const char *text)
{
    struct http_response *response = &client->response;

    /* The text may be the connection's own. */
    bytes_to_text(bytes_of_string(text), client->text, sizeof client->text);
    if (failure != HTTP_OK && client->connection != NULL) {
        native_connection_drop(client->connection, true);
    }
    stop_running(client);
    client->connection = NULL;
    response->failure = failure;
    response->text = failure != HTTP_OK ? client->text : NULL;
    response->timings.total_us = (clock_now_ns() - client->started_ns) / 1000;
    if (failure != HTTP_OK) {
        native_drop_bodies(client);
    }
    response->headers = buffer_bytes(&client->bodies.head);
    response->body = buffer_bytes(&client->bodies.body);
    response->url = client->redirects > 0 ? client->wish.url.text : NULL;
    native_client_deliver(client);
}

static const char *memory_text(struct native_client *client, char *text, size_t size)
{
    snprintf(
        text, size,
        "no memory for its body: the bodies that the workers of this thread hold have reached %zu MiB (a "
        "smaller max_body bounds each)",
        client->engine->memory->limit_bytes >> 21);
    return text;
}

static void fail_within_start(struct native_client *client, enum http_failure failure, const char *text)
{
    bytes_to_text(bytes_of_string(text), client->text, sizeof client->text);
    client->response.failure = failure;
    client->response.text = client->text;
    native_drop_bodies(client);
    if (failure == HTTP_NO_MEMORY) {
        drop_sent(client); /* it was not counted */
    }
    client->state = NATIVE_ENDED;
    native_engine_end_later(client->engine, client);
}

void native_client_exchange(struct native_client *client, bool is_fresh)
{
    client->has_begun_answer = false;
    client->is_body_held = false;
    buffer_clear(&client->bodies.head);
    buffer_clear(&client->bodies.body);
    content_decoder_free(&client->decoder);
    if (is_fresh || !native_connection_use_idle(client)) {
        native_connection_open(client);
    }
}

void native_client_start(struct http_client *base, const struct http_request *request)
{
    struct native_client *client = client_of(base);
    struct error error;

    assert(client->state == NATIVE_IDLE);
    client->started_ns = clock_now_ns();
    client->timeout_ms = request->timeout_ms;
    client->redirects = 0;
    client->is_retried = false;
    client->response = (struct http_response){0};
    native_drop_bodies(client);
    if (!native_wish_take(client, request, &error)) {
        fail_within_start(client, HTTP_BAD_REQUEST, error.text);
        return;
    }
    if (!http_bodies_begin(&client->bodies, client->engine->memory, client->wish.body_size,
                           request->max_body_bytes)) {
        fail_within_start(client, HTTP_NO_MEMORY, memory_text(client, error.text, sizeof error.text));
        return;
    }
    client->state = NATIVE_RUNNING;
    native_engine_add(client->engine, client);
    native_engine_set_timer(client->engine, &client->timer,
                            client->started_ns + client->timeout_ms * NS_PER_MS);
    native_client_exchange(client, false);
}

void native_client_lose(struct native_client *client)
{
    native_client_end(client, HTTP_LOST, "the agent lost its lease before all of it was sent");
}

void native_client_time_out(struct native_client *client)
{
    char text[100];

    snprintf(text, sizeof text, "timed out: no answer within %llu ms",
             (unsigned long long)client->timeout_ms);
    native_client_end(client, HTTP_TIMEOUT, text);
}

/* The body that waited for the server's 100 goes out. */
void native_client_continue(struct native_client *client)
{
    if (client->is_body_held && client->connection != NULL) {
        client->is_body_held = false;
        native_engine_unset_timer(client->engine, &client->body_timer);
        stream_write_borrowed(client->connection->stream,
                              bytes_of(client->wish.body, client->wish.body_size));
    }
}

static bool append_plain(void *context, struct bytes plain)
{
    struct native_client *client = context;
    struct http_bodies *bodies = &client->bodies;
    char text[200];

    if (http_bodies_append(bodies, &bodies->body, (const char *)plain.data, plain.size)) {
        return true;
    }
    if (bodies->is_out_of_memory) {
        native_client_end(client, HTTP_NO_MEMORY, memory_text(client, text, sizeof text));
    } else {
        snprintf(text, sizeof text, "the body is larger than %zu bytes (max_body)", bodies->body.maximum);
        native_client_end(client, HTTP_TOO_LARGE, text);
    }
    return false;
}

bool native_client_take_body(struct native_client *client, struct bytes piece)
{
    if (client->decoder == NULL) {
        return append_plain(client, piece);
    }
    switch (content_decoder_write(client->decoder, piece, append_plain, client)) {
    case CONTENT_OK:
        return true;
    case CONTENT_MALFORMED:
        native_client_end(client, HTTP_PROTOCOL, "the body is not in the coding that Content-Encoding names");
        return false;
    default:
        return false;
    }
}

static void take_cookies(struct native_client *client)
{
    struct bytes head = buffer_bytes(&client->bodies.head);
    int64_t wall_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    struct bytes name;
    struct bytes value;
    size_t at = 0;

    while (fields_next(head, &at, &name, &value)) {
        if (field_is_word(name, "set-cookie")) {
            (void)cookie_jar_take(&client->jar, &client->wish.url, value, wall_s);
        }
    }
}

void native_client_head_is_complete(struct native_client *client, const struct http1_parser *parser)
{
    struct bytes value;

    client->response.status = parser->status;
    if (parser->has_set_cookie) {
        take_cookies(client);
    }
    if (parser->has_content_encoding &&
        fields_find(buffer_bytes(&client->bodies.head), "content-encoding", &value)) {
        client->decoder = content_decoder_new(value);
    }
}

static bool is_redirect(const struct native_client *client)
{
    switch (client->response.status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return client->wish.is_followed;
    default:
        return false;
    }
}

static void follow_redirect(struct native_client *client, struct bytes location)
{
    struct error error;

    if (client->redirects == NATIVE_REDIRECTS_MAX) {
        native_client_end(client, HTTP_REDIRECTS, "more than 20 redirects, one after the other");
        return;
    }
    if (!native_wish_redirect(client, client->response.status, location, &error)) {
        native_client_end(client, HTTP_REDIRECTS, error.text);
        return;
    }
    client->redirects++;
    client->is_retried = false;
    native_client_exchange(client, false);
}

/* Before the connection is given up, or used again. */
static void note_exchange(struct native_client *client, const struct native_connection *connection)
{
    struct http_response *response = &client->response;

    bytes_to_text(bytes_of_string(stream_peer(connection->stream)), client->address, sizeof client->address);
    response->address = client->address;
    response->version = connection->parser.minor_version == 0 ? "1.0" : "1.1";
    response->is_reused = connection->is_used;
    response->is_retried = client->is_retried;
    response->is_retry_known = true;
}

void native_client_answer_is_complete(struct native_client *client, bool keeps_alive)
{
    struct native_connection *connection = client->connection;
    struct bytes location;

    if (client->decoder != NULL && !content_decoder_is_whole(client->decoder)) {
        native_client_end(client, HTTP_PROTOCOL, "the coded body ends in the middle");
        return;
    }
    note_exchange(client, connection);
    /* What has not left of the request by now never needs to. */
    bool is_held = client->is_body_held;
    bool is_sent = !is_held && stream_pending(connection->stream) == 0;
    client->is_body_held = false;
    client->connection = NULL;
    connection->is_busy = false;
    connection->is_used = true;
    connection->idle_ms = uv_now(client->engine->loop);
    if (!keeps_alive || !is_sent || client->wish.wants_close) {
        native_connection_drop(connection, !is_sent);
    }
    if (is_held && client->response.status == 417) {
        /* RFC 9110 §10.1.1: once more without the expectation. The body has not left yet. */
        client->wish.expects = false;
        client->wish.is_expectation_refused = true;
        native_client_exchange(client, false);
    } else if (is_redirect(client) &&
               fields_find(buffer_bytes(&client->bodies.head), "location", &location)) {
        follow_redirect(client, location);
    } else {
        native_client_end(client, HTTP_OK, "");
    }
}
