/* Connections of the HTTP server: how many each client may have, and how long each may take. Pure: times are
 * in milliseconds of any clock, and connections are closed by the caller. */
#pragma once
#include "coordinator/http/origin.h"

struct http_client;
struct http_clients;

struct http_clients_settings {
    unsigned most;      /* connections that are served */
    unsigned most_each; /* of one client; behind a trusted proxy: its requests in progress */
    unsigned spare;     /* additional connections, which are only told that there are too many */
    unsigned headers_ms;
    unsigned idle_ms;   /* from one answer to the headers of the next request */
    unsigned body_ms;   /* plus one second for each HTTP_CLIENT_BYTES_A_SECOND received */
    unsigned answer_ms; /* the same for the answer */
};

#define HTTP_CLIENT_BYTES_A_SECOND (32u * 1024u)

enum http_client_state {
    HTTP_CLIENT_CALLING, /* waits for its first headers */
    HTTP_CLIENT_SENDING, /* waits for a body */
    HTTP_CLIENT_SERVED,  /* handled by us, or reads a stream: without a deadline */
    HTTP_CLIENT_READING, /* sends the answer */
    HTTP_CLIENT_RESTING, /* idle between two requests */
};

/* `proxies` has to outlive it; NULL for none. */
MUST_CHECK struct http_clients *http_clients_new(const struct http_clients_settings *settings,
                                                 const struct trusted_proxies *proxies);
/* All connections must have left before. NULLs the pointer, tolerates NULL. */
void http_clients_free(struct http_clients **http_clients);

/* A new connection, with the caller's descriptor. If it is one too many, `*victim` is set to the connection
 * to close in its favour, which has been idle for a while; if there is none, to NULL, and the new one is
 * turned away. */
MUST_CHECK struct http_client *http_clients_come(struct http_clients *http_clients,
                                                 const struct address *peer, int descriptor, uint64_t now_ms,
                                                 struct http_client **victim);
void http_clients_leave(struct http_clients *http_clients, struct http_client **http_client);
unsigned http_clients_count(const struct http_clients *http_clients);

int http_client_descriptor(const struct http_client *http_client);
enum http_client_state http_client_state(const struct http_client *http_client);
/* It has to be refused because there are too many, whatever it requests. */
bool http_client_is_turned_away(const struct http_client *http_client);
/* The caller has begun to close it: it no longer counts and is never due. */
void http_client_dismiss(struct http_client *http_client);

/* The headers of a request have arrived. False: its client has too many requests in progress. The headers are
 * those by which a trusted proxy names its client. */
bool http_client_asks(struct http_clients *http_clients, struct http_client *http_client,
                      struct bytes x_forwarded_for, struct bytes forwarded, uint64_t now_ms);
/* `size` bytes of a body that is wanted have arrived. */
void http_client_sends(const struct http_clients *http_clients, struct http_client *http_client,
                       size_t bytes);
void http_client_is_served(struct http_client *http_client);
/* An answer of this size is being sent. */
void http_client_reads(const struct http_clients *http_clients, struct http_client *http_client, size_t bytes,
                       uint64_t now_ms);
void http_client_rests(const struct http_clients *http_clients, struct http_client *http_client,
                       uint64_t now_ms);

/* When the next one is overdue; UINT64_MAX: none will be. */
uint64_t http_clients_due_ms(const struct http_clients *http_clients);
/* One that is overdue, to be closed and dismissed; NULL: none. */
struct http_client *http_clients_overdue(const struct http_clients *http_clients, uint64_t now_ms);
