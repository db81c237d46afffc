/* What the two halves of the engine on libcurl know of each other. */
#pragma once
#include "agent/http/engine.h"

#include <curl/curl.h>

/* A request under way, in the list of its engine. */
struct http_transfer {
    struct http_client *client;
    struct http_transfer *next;
    struct http_transfer **at; /* what points to it */
};

void http_engine_begin(struct http_engine *engine, CURL *easy, struct http_transfer *transfer);
void http_engine_end(struct http_engine *engine, CURL *easy, struct http_transfer *transfer);
/* Whether something may leave at this moment: asked within a call of curl, which may have been frozen. */
bool http_engine_may_send(const struct http_engine *engine);
/* Without a lease: resets the client's connections. */
void http_engine_quieten(struct http_engine *engine, const struct http_client *client);
/* NULL: none. */
struct memory_account *http_engine_memory(struct http_engine *engine);
/* Closes a connection's socket and forgets its poll; for CURLOPT_CLOSESOCKETFUNCTION. */
int http_engine_close_socket(void *engine, curl_socket_t socket);
/* The client's transfer has ended: takes it out of the engine. */
void http_client_done(struct http_client *client, CURLcode result);
/* Gives its transfer up as HTTP_LOST. */
void http_client_lose(struct http_client *client);
void http_client_global_init(void);
