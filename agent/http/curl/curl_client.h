/* What the two halves of the engine on libcurl know of each other. */
#pragma once
#include "agent/http/engine_kind.h"

#include <curl/curl.h>

struct curl_engine;
struct curl_client;

/* engine.h's functions, for engines and clients of this kind. */
MUST_CHECK struct curl_engine *curl_engine_new(uv_loop_t *loop, struct lease *lease);
void curl_engine_set_memory(struct curl_engine *engine, struct memory_account *memory);
void curl_engine_close(struct curl_engine **engine);
MUST_CHECK struct curl_client *curl_client_new(struct curl_engine *engine,
                                               void (*on_done)(void *context, struct http_response *response),
                                               void *context);
void curl_client_free(struct curl_client **client);
void curl_client_start(struct curl_client *client, const struct http_request *request);
void curl_client_drop_body(struct curl_client *client);
void curl_client_cancel(struct curl_client *client);

/* A request under way, in the list of its engine. */
struct curl_transfer {
    struct curl_client *client;
    struct curl_transfer *next;
    struct curl_transfer **at; /* what points to it */
};

void curl_engine_begin(struct curl_engine *engine, CURL *easy, struct curl_transfer *transfer);
void curl_engine_end(struct curl_engine *engine, CURL *easy, struct curl_transfer *transfer);
/* Whether something may leave at this moment: asked within a call of curl, which may have been frozen. */
bool curl_engine_may_send(const struct curl_engine *engine);
/* Without a lease: resets the client's connections. */
void curl_engine_quieten(struct curl_engine *engine, const struct curl_client *client);
/* NULL: none. */
struct memory_account *curl_engine_memory(struct curl_engine *engine);
/* Closes a connection's socket and forgets its poll; for CURLOPT_CLOSESOCKETFUNCTION. */
int curl_engine_close_socket(void *engine, curl_socket_t socket);
/* The client's transfer has ended: takes it out of the engine. */
void curl_client_done(struct curl_client *client, CURLcode result);
/* Gives its transfer up as HTTP_LOST. */
void curl_client_lose(struct curl_client *client);
void curl_client_global_init(void);
