/* The interface between the two halves of the libcurl engine. */
#pragma once
#include "agent/http/engine.h"

#include <curl/curl.h>

/* A request in progress, in the list of its engine. */
struct http_transfer {
    struct http_client *client;
    struct http_transfer *next;
    struct http_transfer **at; /* the pointer that points to this transfer */
};

void http_engine_begin(struct http_engine *engine, CURL *easy, struct http_transfer *transfer);
void http_engine_end(struct http_engine *engine, CURL *easy, struct http_transfer *transfer);
/* Whether bytes may leave at this moment: checked within curl's callbacks, since the process may have been
 * frozen there. */
bool http_engine_may_send(const struct http_engine *engine);
/* Without a lease: resets the client's connections. */
void http_engine_quieten(struct http_engine *engine, const struct http_client *client);
/* NULL: none. */
struct memory_account *http_engine_memory(struct http_engine *engine);
/* Closes a connection's socket and forgets its poll; for CURLOPT_CLOSESOCKETFUNCTION. */
int http_engine_close_socket(void *engine, curl_socket_t socket);
/* The client's transfer has ended: removes it from the engine. */
void http_client_done(struct http_client *client, CURLcode result);
/* Gives its transfer up as HTTP_LOST. */
void http_client_lose(struct http_client *client);
void http_client_global_init(void);
