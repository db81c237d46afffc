/* Exchanges on connections that are multiplexed: how they get there, and what becomes of them at its end. */
#include "agent/http/native/native_inside.h"

#include <string.h>

static struct native_pool *streams_pool(struct native_exchange *exchange)
{
    return exchange->wish.is_shared ? &exchange->engine->shared : &exchange->client->pool;
}

static void streams_add(struct native_connection *connection, struct native_exchange *exchange)
{
    exchange->connection = connection;
    exchange->stream = (struct native_stream){0};
    exchange->next_stream = NULL;
    exchange->at_stream = connection->last_stream;
    *exchange->at_stream = exchange;
    connection->last_stream = &exchange->next_stream;
}

/* An end that has come in the meantime and not been read: a request on it would be lost. */
static bool is_stale(const struct native_connection *connection)
{
    return connection->http2 != NULL && connection->streams == NULL && !connection->is_kept &&
           connection->idle_ms != uv_now(connection->engine->loop) && !stream_is_quiet(connection->stream);
}

/* NULL: there is none. */
static struct native_connection *find_multiplexed(struct native_exchange *exchange)
{
    struct native_connection *at = streams_pool(exchange)->connections;

    while (at != NULL) {
        struct native_connection *next = at->next;
        if (at->is_multiplexed && !at->is_closing && native_connection_is_for(at, &exchange->wish)) {
            if (!is_stale(at)) {
                return at;
            }
            native_connection_drop(at, false);
        }
        at = next;
    }
    return NULL;
}

static bool is_known_to_speak_1(const struct native_exchange *exchange)
{
    struct native_connection *at = exchange->client->pool.connections;

    while (at != NULL && !(at->is_fallback && native_connection_is_for(at, &exchange->wish))) {
        at = at->next;
    }
    return at != NULL;
}

bool native_streams_get(struct native_exchange *exchange)
{
    struct native_connection *connection = exchange->wish.is_fresh ? NULL : find_multiplexed(exchange);

    if (connection == NULL && is_known_to_speak_1(exchange)) {
        return false;
    }
    if (connection == NULL) {
        connection = native_connection_open(exchange, streams_pool(exchange));
        connection->is_multiplexed = true;
        connection->last_stream = &connection->streams;
        connection->is_closing = exchange->wish.is_fresh;
    }
    streams_add(connection, exchange);
    native_connection_note_found(exchange, connection->http2 != NULL ? REQUEST_SENDING : REQUEST_LOOKUP);
    if (connection->http2 != NULL) {
        native_http2_begin(connection->http2, exchange);
        native_http2_write(connection->http2);
    }
    return true;
}

/* The server does not speak HTTP/2: the first one takes this connection, the others get their own. It belongs
 * to a client from now on, since it serves one request at a time. */
static void fall_back(struct native_connection *connection)
{
    struct native_exchange *first = connection->streams;
    struct native_exchange *others = first->next_stream;

    first->next_stream = NULL;
    if (others != NULL) {
        others->at_stream = &others;
    }
    connection->streams = NULL;
    connection->is_multiplexed = false;
    connection->is_fallback = true;
    native_connection_adopt(connection, first);
    native_connection_note_times(connection, first);
    native_connection_send(connection);
    while (others != NULL) {
        struct native_exchange *next = others->next_stream;
        others->connection = NULL;
        native_exchange_begin(others, false);
        others = next;
    }
}

void native_streams_on_open(struct native_connection *connection)
{
    struct bytes protocol = stream_protocol(connection->stream);

    if (connection->is_tls && (protocol.size != 2 || memcmp(protocol.data, "h2", 2) != 0)) {
        fall_back(connection);
        return;
    }
    connection->http2 = native_http2_new(connection);
    for (struct native_exchange *at = connection->streams; at != NULL; at = at->next_stream) {
        native_connection_note_times(connection, at);
        native_http2_begin(connection->http2, at);
    }
    native_http2_write(connection->http2);
}

void native_streams_fail(struct native_connection *connection, enum http_failure failure, const char *text)
{
    while (connection->streams != NULL) {
        struct native_exchange *exchange = connection->streams;
        native_connection_leave(exchange);
        native_exchange_end(exchange, failure, text);
    }
    native_connection_drop(connection, failure != HTTP_OK);
}

static void streams_retry(struct native_exchange *exchange)
{
    exchange->is_retried = true;
    native_exchange_begin(exchange, true);
}

void native_streams_refused(struct native_exchange *exchange)
{
    native_connection_leave(exchange);
    if (exchange->is_retried) {
        native_exchange_end(exchange, HTTP_RESET, "the server has refused the stream twice (REFUSED_STREAM)");
    } else {
        streams_retry(exchange);
    }
}

/* As on HTTP/1.1: one that the connection had served others before, and of whose answer nothing has come. */
static bool may_stream_retry(const struct native_exchange *exchange)
{
    return exchange->stream.id > 1 && !exchange->has_begun_answer && !exchange->is_retried &&
           native_wish_is_idempotent(&exchange->wish);
}

void native_streams_on_end(struct native_connection *connection, enum net_failure failure, const char *text)
{
    struct native_engine *engine = connection->engine;
    const char *farewell = connection->http2 != NULL ? native_http2_farewell(connection->http2) : NULL;
    bool is_end = failure == NET_OK || failure == NET_CUT;
    enum http_failure kind = connection->is_open && is_end ? HTTP_RESET : native_failure_of(failure);

    if (is_end) {
        text = farewell != NULL ? farewell : "the server closed the connection without an answer";
    }
    engine->defers = true;
    connection->is_closing = true;
    struct native_exchange *retried = NULL;
    while (connection->streams != NULL) {
        struct native_exchange *exchange = connection->streams;
        bool is_retried = may_stream_retry(exchange);
        native_connection_leave(exchange);
        if (is_retried) {
            exchange->next_stream = retried;
            retried = exchange;
        } else {
            if (failure == NET_PROXY) {
                exchange->response.status = stream_proxy_status(connection->stream);
            }
            native_exchange_end(exchange, kind, text);
        }
    }
    native_connection_drop(connection, false);
    while (retried != NULL) {
        struct native_exchange *exchange = retried;
        retried = exchange->next_stream;
        streams_retry(exchange);
    }
    engine->defers = false;
    native_engine_deliver(engine);
}

/* Without a lease nothing of the request may leave any more, so the connection goes, with all on it. */
static void streams_lose(struct native_exchange *exchange)
{
    struct native_connection *connection = exchange->connection;
    bool was_deferring = exchange->engine->defers;

    native_connection_leave(exchange);
    exchange->engine->defers = true;
    native_streams_fail(connection, HTTP_LOST, "the agent lost its lease before all of it was sent");
    exchange->engine->defers = was_deferring;
    native_engine_wake(exchange->engine);
}

void native_streams_give_up(struct native_exchange *exchange)
{
    struct native_connection *connection = exchange->connection;

    if (!net_may_send(exchange->engine->net) && !connection->is_kept) {
        streams_lose(exchange);
        return;
    }
    if (connection->http2 != NULL) {
        native_http2_abandon(connection->http2, exchange);
    }
    native_connection_leave(exchange);
    if (connection->http2 != NULL) {
        native_http2_write(connection->http2);
    } else if (connection->streams == NULL) {
        native_connection_drop(connection, true); /* nobody waits for it to open */
    }
}
