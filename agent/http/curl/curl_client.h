/* The interface between the two halves of the libcurl engine. */
#pragma once
#include "agent/http/curl/curl_socket.h"
#include "agent/http/engine_kind.h"

#include <curl/curl.h>

struct curl_engine;
struct curl_client;
struct curl_exchange;

/* The functions of engine.h, for engines and clients of this kind. */
MUST_CHECK struct curl_engine *curl_engine_new(uv_loop_t *loop, struct lease *lease);
void curl_engine_set_memory(struct curl_engine *engine, struct memory_account *memory);
void curl_engine_close(struct curl_engine **engine);
MUST_CHECK struct curl_client *curl_client_new(struct curl_engine *engine);
void curl_client_set_network(struct curl_client *client, const struct http_network *network);
void curl_client_free(struct curl_client **client);
void curl_client_cancel(struct curl_client *client);
MUST_CHECK struct curl_exchange *curl_client_start(struct curl_client *client,
                                                   const struct http_request *request);
void curl_exchange_free(struct curl_exchange **exchange);
struct cookie_jar *curl_client_cookies(struct curl_client *client);
void curl_client_cookies_changed(struct curl_client *client);
void curl_client_close_idle(struct curl_client *client);

/* An exchange as its engine knows it. */
struct curl_transfer {
    struct curl_exchange *exchange;
    struct curl_transfer *next;
    struct curl_transfer **at; /* the pointer that points to this transfer */
    struct curl_transfer *next_nudged;
    bool is_nudged;
};
struct curl_transfer *curl_exchange_transfer(struct curl_exchange *exchange);
/* The sockets of its client. */
struct curl_socket_list *curl_exchange_sockets(struct curl_exchange *exchange);

/* It is under way from now on; curl has it from curl_engine_begin on. */
void curl_engine_add(struct curl_engine *engine, struct curl_transfer *transfer);
void curl_engine_begin(struct curl_engine *engine, CURL *easy);
void curl_engine_end(struct curl_engine *engine, CURL *easy, struct curl_transfer *transfer);
/* Whether bytes may leave at this moment: checked within curl's callbacks, since the process may have been
 * frozen there. */
bool curl_engine_may_send(const struct curl_engine *engine);
/* Without a lease: resets these sockets. */
void curl_engine_quieten(struct curl_engine *engine, const struct curl_socket_list *sockets);
/* NULL: none. */
struct memory_account *curl_engine_memory(struct curl_engine *engine);
/* A socket for a connection was made. */
void curl_engine_opened(struct curl_engine *engine, curl_socket_t socket);
/* Closes a connection's socket and forgets its poll; for CURLOPT_CLOSESOCKETFUNCTION. */
int curl_engine_close_socket(void *engine, curl_socket_t socket);
/* Lets a connection trust the machine's authorities, which all of the engine's share; for
 * CURLOPT_SSL_CTX_FUNCTION. */
CURLcode curl_engine_trust(CURL *easy, void *ssl_context, void *engine);
/* Lets curl look at its transfer again, outside of curl's callbacks. */
void curl_exchange_nudge(struct curl_exchange *exchange);
/* Its transfer has ended: removes it from the engine. */
void curl_exchange_done(struct curl_exchange *exchange, CURLcode result);
/* Gives its transfer up as HTTP_LOST. */
void curl_exchange_lose(struct curl_exchange *exchange);
void curl_client_global_init(void);
