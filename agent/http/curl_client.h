/* What the two halves of the engine on libcurl know of each other. */
#pragma once
#include "agent/http/engine.h"

#include <curl/curl.h>

CURLM *http_engine_multi(struct http_engine *engine);
/* NULL: none. */
struct memory_account *http_engine_memory(struct http_engine *engine);
/* Closes a connection's socket and forgets its poll; for CURLOPT_CLOSESOCKETFUNCTION. */
int http_engine_close_socket(void *engine, curl_socket_t socket);
/* The client's transfer has ended and left the multi handle. */
void http_client_done(struct http_client *client, CURLcode result);
void http_client_global_init(void);
