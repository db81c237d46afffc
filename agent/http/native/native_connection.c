/* The connections of a client: kept for its next request to the same origin, and read by the parser. */
#include "agent/http/native/native_inside.h"

#include "common/clock.h"
#include "common/memory.h"

#include <string.h>

/* To the same origin with the same options; one to a proxy that is asked in plain text serves all origins. */
static bool is_to(const struct native_connection *connection, const struct native_wish *wish)
{
    const struct url *url = &wish->url;

    if (connection->is_tls != url->is_tls || connection->proxy != wish->proxy) {
        return false;
    }
    if (connection->proxy != NULL && !url->is_tls) {
        return true;
    }
    return connection->port == url->port && (!url->is_tls || connection->tls == wish->tls) &&
           strcmp(connection->host, url->host) == 0;
}

void native_connection_drop(struct native_connection *connection, bool is_reset)
{
    struct native_connection **at = &connection->client->connections;

    while (*at != connection) {
        at = &(*at)->next;
    }
    *at = connection->next;
    if (connection->client->connection == connection) {
        connection->client->connection = NULL;
    }
    stream_close(&connection->stream, is_reset);
    native_tls_drop(&connection->tls);
    native_proxy_drop(&connection->proxy);
    memory_free(connection->host);
    memory_free(connection);
}

void native_connections_drop_all(struct native_client *client, bool is_reset)
{
    while (client->connections != NULL) {
        native_connection_drop(client->connections, is_reset);
    }
}

/* What the answer of a request under way says, as far as it has come. */
static void read_answer(struct native_connection *connection, struct bytes data)
{
    struct native_client *client = connection->client;

    while (client->connection == connection) {
        struct bytes piece = {0};
        enum http1_event event = http1_next(&connection->parser, &data, &client->bodies.head, &piece);
        switch (event) {
        case HTTP1_MORE:
            return;
        case HTTP1_INTERIM:
            if (connection->parser.status == 100) {
                native_client_continue(client);
            }
            break;
        case HTTP1_HEAD:
            native_client_head_is_complete(client, &connection->parser);
            break;
        case HTTP1_BODY:
            if (!native_client_take_body(client, piece)) {
                return;
            }
            break;
        case HTTP1_END:
            /* Bytes behind the answer nobody has asked for: the connection cannot be trusted any more. */
            native_client_answer_is_complete(client,
                                             data.size == 0 && http1_keeps_alive(&connection->parser));
            return;
        case HTTP1_UPGRADE:
            native_client_end(client, HTTP_PROTOCOL,
                              "the server changes to a protocol that was not asked for");
            return;
        case HTTP1_ERROR:
            native_client_end(client, HTTP_PROTOCOL, connection->parser.error);
            return;
        }
    }
}

static void on_data(void *context, struct bytes data)
{
    struct native_connection *connection = context;
    struct native_client *client = connection->client;

    if (!connection->is_busy) {
        native_connection_drop(connection, false); /* a 408, or something else that was not asked for */
        return;
    }
    if (!client->has_begun_answer) {
        client->has_begun_answer = true;
        client->response.timings.first_byte_us = (clock_now_ns() - client->started_ns) / 1000;
    }
    read_answer(connection, data);
}

static enum http_failure native_failure_of(enum net_failure failure)
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
    const struct native_client *client = connection->client;

    return connection->is_used && http1_is_untouched(&connection->parser) && !client->is_retried &&
           native_wish_is_idempotent(&client->wish);
}

static void on_end(void *context, enum net_failure failure, const char *text)
{
    struct native_connection *connection = context;
    struct native_client *client = connection->client;

    if (!connection->is_busy) {
        native_connection_drop(connection, false);
        return;
    }
    if (connection->is_open && may_retry(connection)) {
        client->is_retried = true;
        native_connection_drop(connection, false);
        native_client_exchange(client, true);
        return;
    }
    bool is_end = failure == NET_OK || failure == NET_CUT;
    if (connection->is_open && is_end && !http1_is_untouched(&connection->parser)) {
        if (http1_finish(&connection->parser) != HTTP1_END) {
            native_client_end(client, HTTP_RESET, connection->parser.error);
        } else if (failure == NET_CUT) {
            native_client_end(client, HTTP_RESET,
                              text); /* anybody on the way may have ended it (RFC 9112 §9.8) */
        } else {
            native_client_answer_is_complete(client, false);
        }
        return;
    }
    if (failure == NET_PROXY) {
        client->response.status = stream_proxy_status(connection->stream);
    }
    if (is_end) {
        text = "the server closed the connection without an answer";
    }
    native_client_end(client, native_failure_of(failure), text);
}

static uint64_t native_duration_us(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
}

static void on_open(void *context)
{
    struct native_connection *connection = context;
    struct native_client *client = connection->client;
    const struct stream_times *times = stream_times(connection->stream);
    struct http_timings *timings = &client->response.timings;

    connection->is_open = true;
    timings->name_lookup_us = native_duration_us(client->started_ns, times->resolved_ns);
    timings->connect_us = native_duration_us(client->started_ns, times->connected_ns);
    timings->tls_us = connection->is_tls ? native_duration_us(client->started_ns, times->open_ns) : 0;
    native_connection_send(connection);
}

static const struct stream_callbacks callbacks = {.on_open = on_open, .on_data = on_data, .on_end = on_end};

/* Makes place for one more: the last in the list has been idle for the longest. */
static void limit_idle(struct native_client *client)
{
    struct native_connection *last = NULL;
    unsigned count = 0;

    for (struct native_connection *at = client->connections; at != NULL; at = at->next) {
        count += !at->is_busy;
        last = !at->is_busy ? at : last;
    }
    if (count >= NATIVE_IDLE_MAX) {
        native_connection_drop(last, false);
    }
}

void native_connection_open(struct native_client *client)
{
    struct native_connection *connection = MEMORY_NEW(struct native_connection);
    const struct url *url = &client->wish.url;

    limit_idle(client);
    connection->client = client;
    connection->host = memory_copy_string(url->host);
    connection->port = url->port;
    connection->is_tls = url->is_tls;
    connection->tls = native_tls_share(client->wish.tls);
    connection->proxy = native_proxy_share(client->wish.proxy);
    connection->is_busy = true;
    connection->next = client->connections;
    client->connections = connection;
    client->connection = connection;
    struct stream_target target = {.host = connection->host,
                                   .is_literal = url->is_literal,
                                   .is_tls = url->is_tls,
                                   .port = url->port,
                                   .turn = client->turn,
                                   .overrides = client->overrides,
                                   .source = client->has_source ? &client->source : NULL,
                                   .tls = native_tls_options(connection->tls)};
    if (connection->proxy != NULL) {
        target.proxy = native_proxy_of_stream(connection->proxy, url->is_tls);
    }
    connection->stream = stream_open(client->engine->net, &target, &callbacks, connection);
}

static struct native_connection *find_idle(struct native_client *client)
{
    for (struct native_connection *at = client->connections; at != NULL; at = at->next) {
        if (!at->is_busy && is_to(at, &client->wish)) {
            return at;
        }
    }
    return NULL;
}

/* To the front: the last one is the one to give way. */
static void move_to_front(struct native_client *client, struct native_connection *connection)
{
    struct native_connection **at = &client->connections;

    while (*at != connection) {
        at = &(*at)->next;
    }
    *at = connection->next;
    connection->next = client->connections;
    client->connections = connection;
}

bool native_connection_use_idle(struct native_client *client)
{
    uint64_t now_ms = uv_now(client->engine->loop);
    struct native_connection *found;

    while ((found = find_idle(client)) != NULL) {
        /* An end, or a 408, that has come in the meantime and not been read: the next answer would be it. */
        if (found->idle_ms == now_ms || stream_is_quiet(found->stream)) {
            move_to_front(client, found);
            found->is_busy = true;
            client->connection = found;
            native_connection_send(found);
            return true;
        }
        native_connection_drop(found, false);
    }
    return false;
}

static enum http1_request_kind native_kind_of(const struct native_client *client)
{
    return strcmp(client->wish.method, "HEAD") == 0 ? HTTP1_TO_HEAD : HTTP1_USUAL;
}

void native_connection_send(struct native_connection *connection)
{
    struct native_client *client = connection->client;
    struct bytes body = bytes_of(client->wish.body, client->wish.body_size);

    http1_begin(&connection->parser, native_kind_of(client));
    native_wish_write_head(client);
    client->is_body_held = client->wish.expects;
    /* What is small goes out in one piece with the head. */
    bool is_joined = body.size > 0 && body.size <= 16384 && !client->is_body_held;
    if (is_joined) {
        (void)buffer_append(&client->out, body.data, body.size);
    }
    stream_write(connection->stream, buffer_bytes(&client->out));
    if (body.size > 0 && !is_joined && !client->is_body_held) {
        stream_write_borrowed(connection->stream, body);
    }
    if (client->is_body_held) {
        native_engine_set_timer(client->engine, &client->body_timer, clock_now_ns() + NS_PER_S);
    }
}
