/* The connections of the HTTP server: how many each client may have, and how long each may take. Pure: times
 * are given in milliseconds of any clock, and connections are closed by the caller. */
#pragma once
#include "coordinator/http/origin.h"

struct visitor;
struct http_clients;

struct http_clients_settings {
    unsigned most;      /* connections that are served */
    unsigned most_each; /* of one client; behind a trusted proxy: its requests under way */
    unsigned spare;     /* connections more that are told that there are too many */
    unsigned headers_ms;
    unsigned idle_ms;   /* from one answer to the headers of the next request */
    unsigned body_ms;   /* and a second more for each VISITOR_BYTES_A_SECOND that came */
    unsigned answer_ms; /* likewise, of the answer */
};

#define VISITOR_BYTES_A_SECOND (32u * 1024u)

enum visitor_state {
    VISITOR_CALLING, /* its first headers are awaited */
    VISITOR_SENDING, /* a body */
    VISITOR_SERVED,  /* by us, or listens to a stream: without a deadline */
    VISITOR_READING, /* the answer */
    VISITOR_RESTING, /* between two requests */
};

/* `proxies` has to outlive it; NULL for none. */
MUST_CHECK struct http_clients *http_clients_new(const struct http_clients_settings *settings,
                                                 const struct trusted_proxies *proxies);
/* All have left before. NULLs the pointer, tolerates NULL. */
void http_clients_free(struct http_clients **http_clients);

/* A connection, of the caller's descriptor. Where it is one too many, `*victim` is the one to close for it,
 * which has been silent for a while: else NULL, and the newcomer is turned away. */
MUST_CHECK struct visitor *http_clients_come(struct http_clients *http_clients, const struct address *peer,
                                             int descriptor, uint64_t now_ms, struct visitor **victim);
void http_clients_leave(struct http_clients *http_clients, struct visitor **visitor);
unsigned http_clients_count(const struct http_clients *http_clients);

int visitor_descriptor(const struct visitor *visitor);
enum visitor_state visitor_state(const struct visitor *visitor);
/* Is to be told that there are too many, whatever it asks. */
bool visitor_is_turned_away(const struct visitor *visitor);
/* One that the caller has begun to close: it counts no more and is never due. */
void visitor_dismiss(struct visitor *visitor);

/* The headers of a request are there. False: its client has too many requests under way. The headers are
 * those by which a trusted proxy says whom it speaks for. */
bool visitor_asks(struct http_clients *http_clients, struct visitor *visitor, struct bytes x_forwarded_for,
                  struct bytes forwarded, uint64_t now_ms);
/* So many bytes of a body that is wanted. */
void visitor_sends(const struct http_clients *http_clients, struct visitor *visitor, size_t bytes);
void visitor_is_served(struct visitor *visitor);
/* An answer of this size is on its way. */
void visitor_reads(const struct http_clients *http_clients, struct visitor *visitor, size_t bytes,
                   uint64_t now_ms);
void visitor_rests(const struct http_clients *http_clients, struct visitor *visitor, uint64_t now_ms);

/* When the next is overdue; UINT64_MAX: none will be. */
uint64_t http_clients_due_ms(const struct http_clients *http_clients);
/* One that is overdue, to be closed and dismissed; NULL: none. */
struct visitor *http_clients_overdue(const struct http_clients *http_clients, uint64_t now_ms);
