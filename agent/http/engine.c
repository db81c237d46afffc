/* Which HTTP engine does what is asked. */
#include "agent/http/engine.h"

#include "agent/http/engine_kind.h"

#include <stddef.h>

struct http_engine *http_engine_new(const struct http_engine_functions *kind, uv_loop_t *loop,
                                    struct lease *lease)
{
    struct http_engine *engine = kind->engine_new(loop, lease);

    engine->functions = kind;
    return engine;
}

void http_engine_set_memory(struct http_engine *engine, struct memory_account *memory)
{
    engine->functions->engine_set_memory(engine, memory);
}

void http_engine_close(struct http_engine **engine)
{
    if (*engine != NULL) {
        (*engine)->functions->engine_close(*engine);
    }
    *engine = NULL;
}

struct http_client *http_client_new(struct http_engine *engine)
{
    struct http_client *client = engine->functions->client_new(engine);

    client->functions = engine->functions;
    return client;
}

void http_client_set_network(struct http_client *client, const struct http_network *network)
{
    client->functions->client_set_network(client, network);
}

void http_client_free(struct http_client **client)
{
    if (*client != NULL) {
        (*client)->functions->client_free(*client);
    }
    *client = NULL;
}

struct http_exchange *http_start(struct http_client *client, const struct http_request *request,
                                 void (*on_done)(void *context, struct http_response *response),
                                 void *context)
{
    struct http_exchange *exchange = client->functions->start(client, request);

    exchange->functions = client->functions;
    exchange->on_done = on_done;
    exchange->context = context;
    exchange->trace.is_set = request->trace != NULL;
    if (request->trace != NULL) {
        exchange->trace = *request->trace;
    }
    return exchange;
}

void http_response_complete(struct http_exchange *exchange, struct http_response *response)
{
    response->trace = exchange->trace.is_set ? &exchange->trace : NULL;
}

void http_exchange_free(struct http_exchange **exchange)
{
    if (*exchange != NULL) {
        (*exchange)->functions->exchange_free(*exchange);
    }
    *exchange = NULL;
}

void http_client_cancel(struct http_client *client)
{
    client->functions->client_cancel(client);
}

bool http_can_stream(const struct http_client *client)
{
    return client->functions->read != NULL;
}

size_t http_room(struct http_exchange *exchange)
{
    return exchange->functions->room(exchange);
}

void http_write(struct http_exchange *exchange, struct bytes bytes)
{
    exchange->functions->write(exchange, bytes);
}

struct bytes http_read(struct http_exchange *exchange, size_t maximum)
{
    return exchange->functions->read(exchange, maximum);
}

uint64_t http_came_ns(const struct http_exchange *exchange)
{
    return exchange->came_ns;
}

struct cookie_jar *http_cookies(struct http_client *client)
{
    return client->functions->cookies(client);
}

void http_cookies_changed(struct http_client *client)
{
    if (client->functions->cookies_changed != NULL) {
        client->functions->cookies_changed(client);
    }
}

void http_close_idle(struct http_client *client)
{
    client->functions->close_idle(client);
}

const char *http_failure_name(enum http_failure failure)
{
    static const char *const names[] = {
        [HTTP_OK] = "ok",
        [HTTP_BAD_REQUEST] = "bad_request",
        [HTTP_RESOLVE] = "resolve",
        [HTTP_CONNECT] = "connect",
        [HTTP_REFUSED] = "refused",
        [HTTP_UNREACHABLE] = "unreachable",
        [HTTP_LOCAL_LIMIT] = "local_limit",
        [HTTP_TLS] = "tls",
        [HTTP_PROXY] = "proxy",
        [HTTP_TIMEOUT] = "timeout",
        [HTTP_RESET] = "reset",
        [HTTP_PROTOCOL] = "protocol",
        [HTTP_TOO_LARGE] = "too_large",
        [HTTP_NO_MEMORY] = "memory",
        [HTTP_REDIRECTS] = "redirects",
        [HTTP_LOST] = "lost",
        [HTTP_OTHER] = "other",
    };

    return names[failure];
}
