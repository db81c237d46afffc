/* What the agent requires of an HTTP implementation: start a request, deliver a response or an error, cancel.
 * One engine of a kind per shard, one client per worker; a client has its own connections and its own
 * cookies, and any number of requests at once: each is an exchange. There are two kinds: our own, and one on
 * libcurl for what ours does not speak. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"
#include "proto/message/request_phase.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct address;
struct http_engine;
struct http_engine_functions; /* of a kind: native_kind, curl_kind */
struct http_client;
struct http_exchange;
struct http_response;
struct cookie_jar;
struct lease;
struct memory_account;
struct stream;

#define HTTP_DEFAULT_TIMEOUT_MS 30000u
/* Of a client to one origin, as browsers have it: further requests wait for a free one. */
#define HTTP_CONNECTIONS_MAX 6u
#define HTTP_DEFAULT_MAX_BODY_BYTES (64u * 1024u * 1024u)

struct http_header {
    const char *name;
    const char *value;
};

/* Whom a connection trusts, and who it says that it is. Texts in PEM. */
struct http_tls {
    bool is_unverified;          /* any certificate of the server will do */
    const char *ca_pem;          /* the authorities that are trusted instead of the machine's; NULL: those */
    const char *certificate_pem; /* of the client, with its chain; NULL: none */
    const char *key_pem;         /* given with certificate_pem */
};

/* The id by which servers may keep what they did for a request; its header is among the others. */
struct http_trace {
    bool is_set;
    uint8_t id[16];
};

/* How a client reaches hosts: the options --resolve and --source. */
struct http_network {
    struct bytes overrides;       /* common/host_override.h; empty: none */
    const struct address *source; /* of this machine, to connect from; NULL: as the system has it */
};

/* Borrowed for the call of http_start, including the body. */
struct http_request {
    const char *method;
    const char *url;
    const struct http_header *headers;
    size_t header_count;
    struct bytes body;
    bool has_body;
    bool is_chunked;  /* there is no `body`: it comes by http_write */
    bool is_followed; /* redirects, at most 20 */
    bool is_fresh;    /* over a connection of its own, which is closed after it */
    /* With is_fresh: its headers ask for another protocol (RFC 9110 §7.8), and an answer 101 hands the
     * connection over. Our own engine alone can do that. */
    bool is_upgrade;
    const char *user; /* basic authentication, or digest; NULL: none */
    const char *password;
    bool is_digest;
    const struct http_tls *tls; /* NULL: the machine's authorities, no certificate */
    /* "http://user:password@host:port"; "environment": as the variables http_proxy, https_proxy and no_proxy
     * say; NULL: none. */
    const char *proxy;
    bool is_http2;  /* over TLS where the server speaks it, else 1.1; without TLS always */
    bool is_shared; /* with is_http2: one connection for all clients of the engine, not one for each */
    uint64_t timeout_ms;
    uint64_t max_body_bytes;
    const struct http_trace *trace; /* NULL: none */
    uint64_t now_ns; /* what clock_now_ns has just given, as the instant of its start; 0: it is not known */
    /* NULL: the response is whole when on_done is called. Else its body is streamed: on_head gets the
     * response without it, unless the request fails before; `timeout_ms` is for that, and then for each
     * http_read that finds nothing; `max_body_bytes` is for what has come and was not read. on_data comes
     * after an http_read that has found nothing, when there is something. The context is that of on_done.
     * Neither may start or free anything. */
    void (*on_head)(void *context, struct http_response *response);
    void (*on_data)(void *context);
    /* Of what is_chunked: there is room for more of the body, after an http_room that has found none. */
    void (*on_room)(void *context);
};

/* "[address]:port" of IPv6 with its scope, and the terminating zero. */
#define HTTP_ADDRESS_BYTES 72u

enum http_failure {
    HTTP_OK,
    HTTP_BAD_REQUEST, /* it could not be attempted: URL, header, method */
    HTTP_RESOLVE,
    HTTP_CONNECT,     /* no connection, for a reason that is not one of the next three */
    HTTP_REFUSED,     /* nothing listens there */
    HTTP_UNREACHABLE, /* no route leads there */
    HTTP_LOCAL_LIMIT, /* this machine has no port, descriptor or memory left for it */
    HTTP_TLS,
    HTTP_PROXY, /* it cannot be reached, or refuses to connect: its status is the response's */
    HTTP_TIMEOUT,
    HTTP_RESET,
    HTTP_PROTOCOL,
    HTTP_TOO_LARGE,
    HTTP_NO_MEMORY, /* the bodies of all workers of this thread together are too large */
    HTTP_REDIRECTS,
    HTTP_LOST, /* the lease ran out meanwhile: not all of it was sent, and the rest never will be */
    HTTP_OTHER
};
const char *http_failure_name(enum http_failure failure);

/* The first ones are durations since the start of the request, as curl measures them; of the last exchange,
 * where redirects were followed. Those of the phases are sums over all exchanges, and total_us in all. */
struct http_timings {
    uint64_t name_lookup_us;
    uint64_t connect_us;
    uint64_t tls_us;
    uint64_t first_byte_us;
    uint64_t total_us;
    uint64_t phase_us[REQUEST_PHASE_COUNT];
};

/* Belongs to the exchange. */
struct http_response {
    enum http_failure failure;
    const char *text;  /* for a person, if it failed */
    const char *phase; /* in which it failed; NULL: it did not, or was never begun */
    bool has_left;     /* some of it may have reached a server */
    uint32_t status;
    struct bytes headers; /* lines "Name: value\r\n" of the last response, without the status line */
    struct bytes body;
    const char *url;        /* after redirects; NULL: as requested */
    struct bytes redirects; /* lines "302 URL\n" of those that were followed: what led on, and its URL */
    /* Of the last exchange, where redirects were followed. */
    const char *version;            /* of HTTP: "1.1", "2"; NULL: not known */
    const char *address;            /* whose answer it is: "127.0.0.1:80"; NULL: not known */
    bool is_reused;                 /* the connection has served a request before */
    const struct http_trace *trace; /* of the request; NULL: it had none */
    bool is_retried;                /* sent a second time, since a kept connection ended under the first */
    struct http_timings timings;
    /* Of bodies, as they travel: coded, without what frames them. Over all exchanges, where redirects were
     * followed; with libcurl of the last one. */
    uint64_t received_bytes;
    uint64_t sent_bytes;
    /* Of an upgrade that was granted, for on_done only: who takes the connection sets the pointer to NULL,
     * else it is closed. `rest` is what has come in the other protocol already. */
    struct stream **upgraded; /* NULL: none */
    struct bytes rest;
};

/* Without a valid `lease` (borrowed; NULL: none is needed) nothing leaves: depending on the lease, requests
 * are held where they are, or given up as HTTP_LOST with their connections reset. */
MUST_CHECK struct http_engine *http_engine_new(const struct http_engine_functions *kind, uv_loop_t *loop,
                                               struct lease *lease);
/* Body memory of its clients is counted in this account; by default it is not counted. A request that finds
 * no memory left fails with HTTP_NO_MEMORY. Call it before creating the first client. */
void http_engine_set_memory(struct http_engine *engine, struct memory_account *memory);
/* All clients must have been freed before; the memory is freed when the loop has run its close callbacks. */
void http_engine_close(struct http_engine **engine);

MUST_CHECK struct http_client *http_client_new(struct http_engine *engine);
/* Before its first request. The overrides are borrowed for as long as the client lives; the address is
 * copied. */
void http_client_set_network(struct http_client *client, const struct http_network *network);
/* Frees its exchanges, closes its connections, forgets its cookies. Without a lease the connections are
 * reset, so that unsent bytes in the kernel are dropped. */
void http_client_free(struct http_client **client);
/* `on_done` is called once, never from within http_start, unless the exchange is freed before; it may start
 * further requests, and free any exchange or client. The exchange is freed by the caller, or with all of the
 * client. */
struct http_exchange *http_start(struct http_client *client, const struct http_request *request,
                                 void (*on_done)(void *context, struct http_response *response),
                                 void *context);
/* Cancels the request if it is under way; its response is no longer needed. */
void http_exchange_free(struct http_exchange **exchange);
/* Whether bodies of this client can be streamed, both ways. */
bool http_can_stream(const struct http_client *client);
/* How many bytes of a body that is_chunked can be written now; 0 before it is connected, and after it is
 * done. */
size_t http_room(struct http_exchange *exchange);
/* The next bytes, as many as there is room for at most; none end the body. */
void http_write(struct http_exchange *exchange, struct bytes bytes);
/* Takes up to `maximum` bytes of a streamed body, which came at one instant and are borrowed until the loop
 * runs; empty where nothing has come. After on_done too, for what is left. */
struct bytes http_read(struct http_exchange *exchange, size_t maximum);
/* When what the last one gave came, by clock_now_ns. */
uint64_t http_came_ns(const struct http_exchange *exchange);
/* The same for all exchanges of the client. */
void http_client_cancel(struct http_client *client);

/* The client's cookies, borrowed until its next request. After a change, http_cookies_changed. */
struct cookie_jar *http_cookies(struct http_client *client);
void http_cookies_changed(struct http_client *client);
/* Closes the connections that are kept for later requests. */
void http_close_idle(struct http_client *client);
