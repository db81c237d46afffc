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

struct http_client *http_client_new(struct http_engine *engine,
                                    void (*on_done)(void *context, struct http_response *response),
                                    void *context)
{
    struct http_client *client = engine->functions->client_new(engine, on_done, context);

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

void http_start(struct http_client *client, const struct http_request *request)
{
    client->functions->start(client, request);
}

void http_drop_body(struct http_client *client)
{
    client->functions->drop_body(client);
}

void http_cancel(struct http_client *client)
{
    client->functions->cancel(client);
}

const char *http_failure_name(enum http_failure failure)
{
    static const char *const names[] = {
        [HTTP_OK] = "ok",
        [HTTP_BAD_REQUEST] = "request",
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
