/* What an HTTP engine is made of, for those that are one. */
#pragma once
#include "agent/http/engine.h"

struct http_engine_functions {
    struct http_engine *(*engine_new)(uv_loop_t *loop, struct lease *lease);
    void (*engine_set_memory)(struct http_engine *engine, struct memory_account *memory);
    void (*engine_close)(struct http_engine *engine);
    struct http_client *(*client_new)(struct http_engine *engine,
                                      void (*on_done)(void *context, struct http_response *response),
                                      void *context);
    void (*client_set_network)(struct http_client *client, const struct http_network *network);
    void (*client_free)(struct http_client *client);
    void (*start)(struct http_client *client, const struct http_request *request);
    void (*drop_body)(struct http_client *client);
    void (*cancel)(struct http_client *client);
};

/* The first member of each engine, and of each client. */
struct http_engine {
    const struct http_engine_functions *functions;
};
struct http_client {
    const struct http_engine_functions *functions;
};
