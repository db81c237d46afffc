/* What an HTTP engine is made of, for those that are one. */
#pragma once
#include "agent/http/engine.h"

struct http_engine_functions {
    struct http_engine *(*engine_new)(uv_loop_t *loop, struct lease *lease);
    void (*engine_set_memory)(struct http_engine *engine, struct memory_account *memory);
    void (*engine_close)(struct http_engine *engine);
    struct http_client *(*client_new)(struct http_engine *engine);
    void (*client_set_network)(struct http_client *client, const struct http_network *network);
    void (*client_free)(struct http_client *client);
    void (*client_cancel)(struct http_client *client);
    struct http_exchange *(*start)(struct http_client *client, const struct http_request *request);
    void (*exchange_free)(struct http_exchange *exchange);
    struct bytes (*read)(struct http_exchange *exchange, size_t maximum); /* NULL: no body is streamed */
    size_t (*room)(struct http_exchange *exchange);
    void (*write)(struct http_exchange *exchange, struct bytes bytes);
    struct cookie_jar *(*cookies)(struct http_client *client);
    void (*cookies_changed)(struct http_client *client); /* NULL: the jar is what the client uses */
    void (*close_idle)(struct http_client *client);
};

/* What comes back to who has started the exchange: a response that is complete, or has its head. */
void http_response_complete(struct http_exchange *exchange, struct http_response *response);

/* The first member of each engine, of each client, and of each exchange. */
struct http_engine {
    const struct http_engine_functions *functions;
};
struct http_client {
    const struct http_engine_functions *functions;
};
struct http_exchange {
    const struct http_engine_functions *functions;
    void (*on_done)(void *context, struct http_response *response);
    void *context;
    struct http_trace trace;
    uint64_t came_ns; /* of a streamed body: when what was read last came */
};
