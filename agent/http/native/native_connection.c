/* The connections of a client: kept for its next request to the same origin, and read by the parser. */
#include "agent/http/native/native_inside.h"

#include "common/clock.h"
#include "common/memory.h"

#include <assert.h>
#include <string.h>

/* To the same origin with the same options; one to a proxy that is asked in plain text serves all origins. */
bool native_connection_is_for(const struct native_connection *connection, const struct native_wish *wish)
{
    const struct url *url = &wish->url;

    if (connection->proxy != wish->proxy) {
        return false;
    }
    if (connection->proxy != NULL && !url->is_tls && !connection->is_tls) {
        return true;
    }
    return connection->is_tls == url->is_tls && connection->port == url->port &&
           (!url->is_tls || connection->tls == wish->tls) && strcmp(connection->host, url->host) == 0;
}

void native_connection_leave(struct native_exchange *exchange)
{
    struct native_connection *connection = exchange->connection;

    assert(connection != NULL);
    if (connection->is_multiplexed) {
        native_connection_note_phase(exchange);
        *exchange->at_stream = exchange->next_stream;
        if (exchange->next_stream != NULL) {
            exchange->next_stream->at_stream = exchange->at_stream;
        } else {
            connection->last_stream = exchange->at_stream;
        }
    } else {
        connection->exchange = NULL;
    }
    exchange->connection = NULL;
    exchange->stream.id = 0;
    connection->is_used = true;
    connection->idle_ms = uv_now(connection->engine->loop);
}

void native_connection_give_up(struct native_exchange *exchange)
{
    if (exchange->connection->is_multiplexed) {
        native_streams_give_up(exchange);
    } else {
        native_connection_drop(exchange->connection, true);
    }
}

void native_connection_drop(struct native_connection *connection, bool is_reset)
{
    struct native_connection **at = &connection->pool->connections;

    while (*at != connection) {
        at = &(*at)->next;
    }
    *at = connection->next;
    if (connection->exchange != NULL) {
        native_connection_leave(connection->exchange);
    }
    while (connection->streams != NULL) {
        native_connection_leave(connection->streams);
    }
    native_http2_free(&connection->http2);
    stream_close(&connection->stream, is_reset);
    native_tls_drop(&connection->tls);
    native_proxy_drop(&connection->proxy);
    memory_free(connection->host);
    memory_free(connection);
}

void native_connections_drop_idle(struct native_pool *pool)
{
    struct native_connection *next;

    for (struct native_connection *at = pool->connections; at != NULL; at = next) {
        next = at->next;
        if (at->exchange == NULL && at->streams == NULL && !at->is_kept) {
            native_connection_drop(at, false);
        }
    }
}

void native_connections_drop_all(struct native_pool *pool, bool is_reset)
{
    while (pool->connections != NULL) {
        native_connection_drop(pool->connections, is_reset);
    }
}

static bool has_gone(const struct native_exchange *exchange)
{
    if (exchange->is_body_held || stream_pending(exchange->connection->stream) > 0) {
        return false;
    }
    return !exchange->connection->is_multiplexed ||
           (exchange->stream.id != 0 && exchange->stream.sent == exchange->wish.body_size);
}

void native_connection_note_sent(struct native_exchange *exchange)
{
    exchange->has_left = true;
    if (exchange->clock.phase == REQUEST_SENDING && has_gone(exchange)) {
        phase_clock_enter(&exchange->clock, REQUEST_WAITING, clock_now_ns());
    }
}

void native_connection_note_phase(struct native_exchange *exchange)
{
    const struct native_connection *connection = exchange->connection;
    const struct stream_times *times = stream_times(connection->stream);
    struct phase_clock *clock = &exchange->clock;

    if (clock->phase == REQUEST_LOOKUP && times->resolved_ns > 0) {
        phase_clock_enter(clock, REQUEST_CONNECT, times->resolved_ns);
    }
    if (clock->phase == REQUEST_CONNECT && times->connected_ns > 0) {
        phase_clock_enter(clock, connection->is_tls ? REQUEST_TLS : REQUEST_SENDING, times->connected_ns);
    }
    if (clock->phase == REQUEST_TLS && times->open_ns > 0) {
        phase_clock_enter(clock, REQUEST_SENDING, times->open_ns);
    }
    if (clock->phase == REQUEST_SENDING && times->drained_ns > 0 && has_gone(exchange)) {
        phase_clock_enter(clock, REQUEST_WAITING, times->drained_ns);
    }
}

void native_connection_await_answer(struct native_exchange *exchange)
{
    exchange->clock.phase = has_gone(exchange) ? REQUEST_WAITING : REQUEST_SENDING;
}

void native_connection_note_found(struct native_exchange *exchange, enum request_phase next)
{
    phase_clock_enter(&exchange->clock, next, exchange->is_waiting ? clock_now_ns() : 0);
}

/* The same for a head that came in one piece, which may be one that is known. */
static enum http1_event read_whole_head(struct native_connection *connection, struct bytes *data,
                                        struct bytes *piece)
{
    struct known_heads *heads = &connection->engine->heads;
    struct buffer *head = &connection->exchange->bodies.head;
    const uint8_t *start = data->data;

    if (known_heads_take(heads, &connection->parser, data, head)) {
        return HTTP1_HEAD;
    }
    bool is_first = http1_is_untouched(&connection->parser);
    enum http1_event event = http1_next(&connection->parser, data, head, piece);
    if (is_first && event == HTTP1_HEAD) {
        known_heads_keep(heads, &connection->parser, bytes_of(start, (size_t)(data->data - start)),
                         buffer_bytes(head));
    }
    return event;
}

/* What the answer of a request under way says, as far as it has come. */
static void read_answer(struct native_connection *connection, struct bytes data)
{
    struct native_exchange *exchange = connection->exchange;

    while (exchange->connection == connection) {
        struct bytes piece = {0};
        enum http1_event event = http1_is_untouched(&connection->parser)
                                     ? read_whole_head(connection, &data, &piece)
                                     : http1_next(&connection->parser, &data, &exchange->bodies.head, &piece);
        switch (event) {
        case HTTP1_MORE:
            return;
        case HTTP1_INTERIM:
            native_connection_await_answer(exchange);
            if (connection->parser.status == 100) {
                native_exchange_continue(exchange);
            }
            break;
        case HTTP1_HEAD:
            native_exchange_answer_begins(exchange);
            native_exchange_head_is_complete(exchange, connection->parser.status,
                                             connection->parser.has_set_cookie,
                                             connection->parser.has_content_encoding);
            break;
        case HTTP1_BODY:
            if (!native_exchange_take_body(exchange, piece)) {
                return;
            }
            break;
        case HTTP1_END:
            /* Bytes behind the answer nobody has asked for: the connection cannot be trusted any more. */
            native_exchange_answer_is_complete(exchange,
                                               data.size == 0 && http1_keeps_alive(&connection->parser));
            return;
        case HTTP1_UPGRADE:
            native_exchange_head_is_complete(exchange, connection->parser.status,
                                             connection->parser.has_set_cookie, false);
            native_exchange_is_upgraded(exchange, data);
            return;
        case HTTP1_ERROR:
            native_exchange_end(exchange, HTTP_PROTOCOL, connection->parser.error);
            return;
        }
    }
}

static void on_data(void *context, struct bytes data)
{
    struct native_connection *connection = context;
    struct native_exchange *exchange = connection->exchange;

    if (connection->http2 != NULL) {
        native_http2_read(connection->http2, data);
        return;
    }
    if (exchange == NULL) {
        native_connection_drop(connection, false); /* a 408, or something else that was not asked for */
        return;
    }
    native_exchange_answer_begins(exchange);
    read_answer(connection, data);
}

enum http_failure native_failure_of(enum net_failure failure)
{
    switch (failure) {
    case NET_RESOLVE:
        return HTTP_RESOLVE;
    case NET_REFUSED:
        return HTTP_REFUSED;
    case NET_UNREACHABLE:
        return HTTP_UNREACHABLE;
    case NET_LOCAL_LIMIT:
        return HTTP_LOCAL_LIMIT;
    case NET_TLS:
        return HTTP_TLS;
    case NET_PROXY:
        return HTTP_PROXY;
    case NET_RESET:
    case NET_CUT:
    case NET_OK:
        return HTTP_RESET;
    case NET_CONNECT:
        break;
    }
    return HTTP_CONNECT;
}

/* A connection that the server has closed while the request was on its way: the request has not been looked
 * at, as far as one can know, and may be repeated, once (RFC 9110 §9.2.2, RFC 9112 §9.3.1). */
static bool may_retry(const struct native_connection *connection)
{
    const struct native_exchange *exchange = connection->exchange;

    return connection->is_used && http1_is_untouched(&connection->parser) && !exchange->is_retried &&
           native_wish_is_idempotent(&exchange->wish);
}

static void on_end(void *context, enum net_failure failure, const char *text)
{
    struct native_connection *connection = context;
    struct native_exchange *exchange = connection->exchange;

    if (connection->is_multiplexed) {
        native_streams_on_end(connection, failure, text);
        return;
    }
    if (exchange == NULL) {
        native_connection_drop(connection, false);
        return;
    }
    if (connection->is_open && may_retry(connection)) {
        exchange->is_retried = true;
        native_connection_drop(connection, false);
        native_exchange_begin(exchange, true);
        return;
    }
    bool is_end = failure == NET_OK || failure == NET_CUT;
    if (connection->is_open && is_end && !http1_is_untouched(&connection->parser)) {
        if (http1_finish(&connection->parser) != HTTP1_END) {
            native_exchange_end(exchange, HTTP_RESET, connection->parser.error);
        } else if (failure == NET_CUT) {
            /* Anybody on the way may have ended it (RFC 9112 §9.8). */
            native_exchange_end(exchange, HTTP_RESET, text);
        } else {
            native_exchange_answer_is_complete(exchange, false);
        }
        return;
    }
    if (failure == NET_PROXY) {
        exchange->response.status = stream_proxy_status(connection->stream);
    }
    if (is_end) {
        text = "the server closed the connection without an answer";
    }
    native_exchange_end(exchange, native_failure_of(failure), text);
}

static uint64_t native_duration_us(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
}

void native_connection_note_times(const struct native_connection *connection,
                                  struct native_exchange *exchange)
{
    const struct stream_times *times = stream_times(connection->stream);
    struct http_timings *timings = &exchange->response.timings;

    timings->name_lookup_us = native_duration_us(exchange->started_ns, times->resolved_ns);
    timings->connect_us = native_duration_us(exchange->started_ns, times->connected_ns);
    timings->tls_us = connection->is_tls ? native_duration_us(exchange->started_ns, times->open_ns) : 0;
    native_connection_note_phase(exchange);
}

static void on_open(void *context)
{
    struct native_connection *connection = context;

    connection->is_open = true;
    if (connection->is_multiplexed) {
        native_streams_on_open(connection);
        return;
    }
    native_connection_note_times(connection, connection->exchange);
    native_connection_send(connection);
}

static void native_on_drain(void *context)
{
    struct native_connection *connection = context;

    if (connection->http2 != NULL) {
        native_http2_write(connection->http2);
    } else if (connection->exchange != NULL) {
        native_upload_go_on(connection->exchange);
    }
}

static const struct stream_callbacks callbacks = {
    .on_open = on_open, .on_data = on_data, .on_drain = native_on_drain, .on_end = on_end};

/* Makes place for one more: the last in the list has been idle for the longest. */
static void limit_idle(struct native_pool *pool)
{
    struct native_connection *last = NULL;
    unsigned count = 0;

    for (struct native_connection *at = pool->connections; at != NULL; at = at->next) {
        bool is_idle = at->exchange == NULL && at->streams == NULL && !at->is_kept;
        count += is_idle;
        last = is_idle ? at : last;
    }
    if (count >= NATIVE_IDLE_MAX) {
        native_connection_drop(last, false);
    }
}

struct native_connection *native_connection_open(struct native_exchange *exchange, struct native_pool *pool)
{
    struct native_connection *connection = MEMORY_NEW(struct native_connection);
    const struct native_wish *wish = &exchange->wish;
    const struct url *url = &wish->url;

    limit_idle(pool);
    connection->engine = exchange->engine;
    connection->pool = pool;
    connection->host = memory_copy_string(url->host);
    connection->port = url->port;
    connection->is_tls = url->is_tls;
    connection->tls = native_tls_share(wish->tls);
    connection->proxy = native_proxy_share(wish->proxy);
    connection->source = exchange->client->source; /* it may outlive the client, where it is shared */
    connection->next = pool->connections;
    pool->connections = connection;
    struct stream_target target = {.host = connection->host,
                                   .is_literal = url->is_literal,
                                   .is_tls = url->is_tls,
                                   .port = url->port,
                                   .turn = exchange->client->turn,
                                   .overrides = exchange->client->overrides,
                                   .source = exchange->client->has_source ? &connection->source : NULL,
                                   .tls = native_tls_options(connection->tls, wish->is_http2)};
    if (connection->proxy != NULL) {
        target.proxy = native_proxy_of_stream(connection->proxy, url->is_tls || wish->is_upgrade);
    }
    connection->stream = stream_open(exchange->engine->net, &target, &callbacks, connection);
    return connection;
}

static void use_connection(struct native_connection *connection, struct native_exchange *exchange)
{
    connection->exchange = exchange;
    exchange->connection = connection;
}

static void move_to_pool(struct native_connection *connection, struct native_pool *pool)
{
    struct native_connection **at = &connection->pool->connections;

    while (*at != connection) {
        at = &(*at)->next;
    }
    *at = connection->next;
    connection->pool = pool;
    connection->next = pool->connections;
    pool->connections = connection;
}

void native_connection_adopt(struct native_connection *connection, struct native_exchange *exchange)
{
    move_to_pool(connection, &exchange->client->pool);
    use_connection(connection, exchange);
}

/* An idle one to the origin of the request; `count` is how many lead there. */
static struct native_connection *find_idle(const struct native_exchange *exchange, unsigned *count)
{
    struct native_connection *found = NULL;

    *count = 0;
    for (struct native_connection *at = exchange->client->pool.connections; at != NULL; at = at->next) {
        if (!at->is_multiplexed && native_connection_is_for(at, &exchange->wish)) {
            ++*count;
            found = found == NULL && at->exchange == NULL ? at : found;
        }
    }
    return found;
}

bool native_connection_get(struct native_exchange *exchange)
{
    uint64_t now_ms = uv_now(exchange->engine->loop);
    struct native_connection *found;
    unsigned count;

    if (exchange->wish.is_http2 && native_streams_get(exchange)) {
        return true;
    }
    while ((found = find_idle(exchange, &count)) != NULL && !exchange->is_fresh) {
        /* An end, or a 408, that has come in the meantime and not been read: the next answer would be it. */
        if (found->idle_ms == now_ms || stream_is_quiet(found->stream)) {
            move_to_pool(found, found->pool); /* to the front: the last one is the one to give way */
            use_connection(found, exchange);
            native_connection_note_found(exchange, REQUEST_SENDING);
            native_connection_send(found);
            return true;
        }
        native_connection_drop(found, false);
    }
    if (count >= HTTP_CONNECTIONS_MAX && found == NULL) {
        return false;
    }
    if (count >= HTTP_CONNECTIONS_MAX) {
        native_connection_drop(found, false);
    }
    native_connection_note_found(exchange, REQUEST_LOOKUP);
    use_connection(native_connection_open(exchange, &exchange->client->pool), exchange);
    return true;
}

void native_connection_send(struct native_connection *connection)
{
    struct native_exchange *exchange = connection->exchange;
    struct bytes body = bytes_of(exchange->wish.body, exchange->wish.body_size);

    http1_begin(&connection->parser, exchange->wish.is_to_head ? HTTP1_TO_HEAD : HTTP1_USUAL);
    native_wish_write_head(exchange);
    exchange->is_body_held = exchange->wish.expects;
    /* What is small goes out in one piece with the head. */
    bool is_joined = body.size > 0 && body.size <= 16384 && !exchange->is_body_held;
    if (is_joined) {
        (void)buffer_append(&exchange->engine->out, body.data, body.size);
    }
    bool is_whole = (body.size == 0 || is_joined) && !exchange->wish.is_chunked;
    if (is_whole) {
        stream_write_soon(connection->stream, buffer_bytes(&exchange->engine->out));
    } else {
        stream_write(connection->stream, buffer_bytes(&exchange->engine->out));
    }
    if (body.size > 0 && !is_joined && !exchange->is_body_held) {
        stream_write_borrowed(connection->stream, body);
    }
    exchange->response.sent_bytes += exchange->is_body_held ? 0 : body.size;
    native_upload_begin(exchange);
    if (exchange->is_body_held) {
        native_engine_set_timer(exchange->engine, &exchange->body_timer, clock_now_ns() + NS_PER_S);
    }
    native_connection_note_sent(exchange);
}
