/* A client, and the life of its requests from http_start to on_done. */
#include "agent/http/native/native_inside.h"

#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A URL may have 64 KiB. */
#define HOPS_MAX_BYTES ((NATIVE_REDIRECTS_MAX + 1) * (URL_MAX_BYTES + 16))

static struct native_client *client_of(struct http_client *base)
{
    return CONTAINER_OF(base, struct native_client, base);
}

static void init_timer(struct native_timer *timer, struct native_exchange *exchange, bool is_for_body)
{
    timer_init(&timer->timer);
    timer->due_ns = TIMERS_NEVER;
    timer->exchange = exchange;
    timer->is_for_body = is_for_body;
}

struct http_client *native_client_new(struct http_engine *base)
{
    struct native_client *client = MEMORY_NEW(struct native_client);

    client->engine = CONTAINER_OF(base, struct native_engine, base);
    client->turn = client->engine->clients++;
    client->engine->living_clients++;
    client->last_waiting = &client->waiting;
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

static struct native_exchange *native_exchange_new(struct native_client *client)
{
    struct native_exchange *exchange = MEMORY_NEW(struct native_exchange);

    exchange->client = client;
    exchange->engine = client->engine;
    http_bodies_init(&exchange->bodies);
    exchange->bodies.head.maximum = HTTP1_HEAD_MAX_BYTES;
    buffer_init(&exchange->wish.fields, 0);
    buffer_init(&exchange->wish.head, 0);
    buffer_init(&exchange->hops, HOPS_MAX_BYTES);
    init_timer(&exchange->timer, exchange, false);
    init_timer(&exchange->body_timer, exchange, true);
    return exchange;
}

/* The last one is there already: a client that makes one request at a time has one exchange. */
static struct native_exchange *take_exchange(struct native_client *client)
{
    struct native_exchange *exchange = client->spare != NULL ? client->spare : native_exchange_new(client);

    client->spare = NULL;
    http_bodies_keep(&exchange->bodies, client->exchanges == NULL);
    exchange->next_of_client = client->exchanges;
    exchange->at_client = &client->exchanges;
    if (exchange->next_of_client != NULL) {
        exchange->next_of_client->at_client = &exchange->next_of_client;
    }
    client->exchanges = exchange;
    return exchange;
}

static void native_exchange_destroy(struct native_exchange *exchange)
{
    native_engine_forget_timer(exchange->engine, &exchange->timer);
    native_engine_forget_timer(exchange->engine, &exchange->body_timer);
    native_wish_finish(&exchange->wish);
    memory_free(exchange->given_url);
    buffer_finish(&exchange->hops);
    native_stream_finish(exchange);
    http_bodies_finish(&exchange->bodies);
    memory_free(exchange);
}

static void drop_sent(struct native_exchange *exchange)
{
    memory_free(exchange->wish.body);
    exchange->wish.body = NULL;
    exchange->wish.body_capacity = exchange->wish.body_size = 0;
}

static void native_drop_bodies(struct native_exchange *exchange)
{
    if (http_bodies_drop(&exchange->bodies)) {
        drop_sent(exchange);
    }
}

static void stop_waiting(struct native_exchange *exchange)
{
    struct native_client *client = exchange->client;
    struct native_exchange **at = &client->waiting;

    if (!exchange->is_waiting) {
        return;
    }
    while (*at != exchange) {
        at = &(*at)->next_waiting;
    }
    *at = exchange->next_waiting;
    if (client->last_waiting == &exchange->next_waiting) {
        client->last_waiting = at;
    }
    exchange->is_waiting = false;
}

static void begin_waiting(struct native_exchange *exchange)
{
    struct native_client *client = exchange->client;

    exchange->is_waiting = true;
    exchange->next_waiting = NULL;
    *client->last_waiting = exchange;
    client->last_waiting = &exchange->next_waiting;
}

/* Takes the request out of the engine; the connection stays, if it is to. */
static void stop_running(struct native_exchange *exchange)
{
    native_engine_unset_timer(&exchange->timer);
    native_engine_unset_timer(&exchange->body_timer);
    content_decoder_free(&exchange->decoder);
    stop_waiting(exchange);
    if (exchange->at != NULL) {
        native_engine_remove(exchange);
    }
    exchange->state = NATIVE_IDLE;
}

/* A connection has become free: the first for whom one will do goes on. */
void native_client_serve_waiting(struct native_client *client)
{
    struct native_exchange *exchange = client->waiting;

    while (exchange != NULL) {
        struct native_exchange *next = exchange->next_waiting;
        if (native_connection_get(exchange)) {
            stop_waiting(exchange);
        }
        exchange = next;
    }
}

static void native_exchange_cancel(struct native_exchange *exchange)
{
    if (exchange->state != NATIVE_IDLE) {
        stop_running(exchange);
        if (exchange->connection != NULL) {
            native_connection_give_up(exchange);
        }
    }
    native_drop_bodies(exchange);
}

static void leave_client(struct native_exchange *exchange)
{
    struct native_client *client = exchange->client;

    *exchange->at_client = exchange->next_of_client;
    if (exchange->next_of_client != NULL) {
        exchange->next_of_client->at_client = exchange->at_client;
    }
    if (client->spare != NULL) {
        native_exchange_destroy(exchange);
    } else {
        client->spare = exchange;
    }
}

void native_exchange_free(struct http_exchange *base)
{
    struct native_exchange *exchange = CONTAINER_OF(base, struct native_exchange, base);
    struct native_client *client = exchange->client;

    native_exchange_cancel(exchange);
    leave_client(exchange);
    native_client_serve_waiting(client);
}

void native_client_cancel(struct http_client *base)
{
    struct native_client *client = client_of(base);

    while (client->exchanges != NULL) {
        struct native_exchange *exchange = client->exchanges;
        native_exchange_cancel(exchange);
        leave_client(exchange);
    }
}

void native_client_free(struct http_client *base)
{
    struct native_client *client = client_of(base);

    native_client_cancel(base);
    native_connections_drop_all(&client->pool, false);
    cookie_jar_finish(&client->jar);
    native_digest_free(&client->digest);
    if (client->spare != NULL) {
        native_exchange_destroy(client->spare);
    }
    if (--client->engine->living_clients == 0) {
        native_connections_drop_all(&client->engine->shared, false);
    }
    memory_free(client);
}

struct cookie_jar *native_client_cookies(struct http_client *base)
{
    return &client_of(base)->jar;
}

void native_client_close_idle(struct http_client *base)
{
    native_connections_drop_idle(&client_of(base)->pool);
}

void native_exchange_deliver(struct native_exchange *exchange)
{
    exchange->state = NATIVE_IDLE;
    http_response_complete(&exchange->base, &exchange->response);
    exchange->base.on_done(exchange->base.context, &exchange->response);
}

void native_exchange_end(struct native_exchange *exchange, enum http_failure failure, const char *text)
{
    struct http_response *response = &exchange->response;

    native_answer_note_end(exchange, failure == HTTP_OK);
    if (failure != HTTP_OK) { /* the text may be the connection's own */
        bytes_to_text(bytes_of_string(text), exchange->text, sizeof exchange->text);
    }
    if (exchange->connection != NULL) {
        native_connection_give_up(exchange);
    }
    stop_running(exchange);
    response->failure = failure;
    response->text = failure != HTTP_OK ? exchange->text : NULL;
    /* What of a streamed body has come before can still be read. */
    bool is_streamed = native_answer_is_streamed(exchange);
    if (failure != HTTP_OK && !is_streamed) {
        native_drop_bodies(exchange);
    }
    native_answer_fill(exchange);
    response->body = is_streamed ? bytes_of(NULL, 0) : buffer_bytes(&exchange->bodies.body);
    native_client_serve_waiting(exchange->client);
    if (exchange->engine->defers) {
        exchange->state = NATIVE_ENDED;
        native_engine_end_later(exchange->engine, exchange);
    } else {
        native_exchange_deliver(exchange);
    }
}

const char *native_no_memory_text(struct native_exchange *exchange, char *text, size_t size)
{
    snprintf(
        text, size,
        "no memory for its body: the bodies that the workers of this thread hold have reached %zu MiB (a "
        "smaller max_body bounds each)",
        exchange->engine->memory->limit_bytes >> 21);
    return text;
}

static void fail_within_start(struct native_exchange *exchange, enum http_failure failure, const char *text)
{
    bytes_to_text(bytes_of_string(text), exchange->text, sizeof exchange->text);
    exchange->response.failure = failure;
    exchange->response.text = exchange->text;
    native_drop_bodies(exchange);
    if (failure == HTTP_NO_MEMORY) {
        drop_sent(exchange); /* it was not counted */
    }
    exchange->state = NATIVE_ENDED;
    native_engine_end_later(exchange->engine, exchange);
}

void native_exchange_begin(struct native_exchange *exchange, bool is_fresh)
{
    exchange->has_begun_answer = false;
    exchange->is_body_held = exchange->is_upload_open = false;
    buffer_clear(&exchange->bodies.head);
    buffer_clear(&exchange->bodies.body);
    content_decoder_free(&exchange->decoder);
    if (exchange->clock.phase != REQUEST_BLOCKED) { /* a redirect, or a second try */
        phase_clock_enter(&exchange->clock, REQUEST_BLOCKED, clock_now_ns());
    }
    exchange->is_fresh = is_fresh || exchange->wish.is_fresh;
    if (!native_connection_get(exchange)) {
        begin_waiting(exchange);
    }
}

struct http_exchange *native_client_start(struct http_client *base, const struct http_request *request)
{
    struct native_exchange *exchange = take_exchange(client_of(base));
    struct error error;

    exchange->started_ns = request->now_ns != 0 ? request->now_ns : clock_now_ns();
    exchange->timeout_ms = request->timeout_ms;
    exchange->on_room = request->on_room;
    exchange->is_upload_awaited = false;
    native_stream_begin(exchange, request);
    exchange->redirects = 0;
    exchange->challenges = 0;
    exchange->is_retried = false;
    exchange->response = (struct http_response){0};
    exchange->has_left = false;
    phase_clock_begin(&exchange->clock, exchange->started_ns);
    native_drop_bodies(exchange);
    if (!native_wish_take(exchange, request, &error)) {
        fail_within_start(exchange, HTTP_BAD_REQUEST, error.text);
        return &exchange->base;
    }
    if (!http_bodies_begin(&exchange->bodies, exchange->engine->memory, exchange->wish.body_size,
                           request->max_body_bytes)) {
        fail_within_start(exchange, HTTP_NO_MEMORY,
                          native_no_memory_text(exchange, error.text, sizeof error.text));
        return &exchange->base;
    }
    exchange->state = NATIVE_RUNNING;
    native_engine_add(exchange->engine, exchange);
    native_engine_set_timer(exchange->engine, &exchange->timer,
                            exchange->started_ns + exchange->timeout_ms * NS_PER_MS);
    net_set_now(exchange->engine->net, exchange->started_ns); /* what is sent at once is sent now */
    native_exchange_begin(exchange, false);
    net_set_now(exchange->engine->net, 0);
    return &exchange->base;
}

void native_exchange_lose(struct native_exchange *exchange)
{
    native_exchange_end(exchange, HTTP_LOST, "the agent lost its lease before all of it was sent");
}

void native_exchange_time_out(struct native_exchange *exchange)
{
    char text[100];

    snprintf(text, sizeof text, "timed out: %s within %llu ms",
             native_answer_is_streamed(exchange) ? "no more of the body" : "no answer",
             (unsigned long long)exchange->timeout_ms);
    native_exchange_end(exchange, HTTP_TIMEOUT, text);
}

/* The body that waited for the server's 100 goes out. */
void native_exchange_continue(struct native_exchange *exchange)
{
    if (exchange->is_body_held && exchange->connection != NULL) {
        exchange->is_body_held = false;
        native_engine_unset_timer(&exchange->body_timer);
        if (exchange->connection->http2 != NULL) {
            native_http2_continue(exchange->connection->http2, exchange);
            return;
        }
        exchange->response.sent_bytes += exchange->wish.body_size;
        stream_write_borrowed(exchange->connection->stream,
                              bytes_of(exchange->wish.body, exchange->wish.body_size));
        native_connection_note_sent(exchange);
    }
}
