/* An HTTP server on a libuv loop: libmicrohttpd behind one interface, without threads of its own. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"
#include "coordinator/http/http_clients.h"
#include "coordinator/http/listener.h"

#include <uv.h>

struct http;
/* A request, and the answer to it. */
struct http_exchange;
struct http_stream;

struct http_settings {
    const struct listener_address *address;
    size_t body_bytes;     /* maximum for one request; 413 beyond. http_limit_body can reduce it */
    size_t incoming_bytes; /* maximum for all bodies being received; 503 beyond */
    size_t
        discarded_bytes; /* how much is read from a client after a refusal, so that it reads the answer too */
    size_t stream_bytes; /* how much may be queued on one stream */
    struct http_clients_settings http_clients;
    const struct trusted_proxies *proxies; /* NULL: none. Has to outlive it */
    /* Called with the headers, before the body arrives: may already answer, with a refusal. */
    void (*on_headers)(void *context, struct http_exchange *request);
    /* Called with the whole request: has to answer before it returns, or to postpone the answer. */
    void (*on_request)(void *context, struct http_exchange *request);
    void *context;
};

/* NULL with an error if the address cannot be bound. */
MUST_CHECK struct http *http_new(uv_loop_t *loop, const struct http_settings *settings, struct error *error);
uint16_t http_port(const struct http *http);
/* Requests so far. */
uint64_t http_request_count(const struct http *http);
unsigned http_connection_count(const struct http *http);
/* Closes all connections; the memory is freed in the loop's close callbacks. NULLs the pointer, tolerates
 * NULL. */
void http_close(struct http **http);

/* Borrowed, as long as the request exists. */
const char *http_method(const struct http_exchange *request);
const char *http_path(const struct http_exchange *request);
const char *http_header(const struct http_exchange *request, const char *name);
/* Of the query, decoded: of ?name=VALUE the value; NULL if it has none of this name. */
const char *http_argument(const struct http_exchange *request, const char *name);
struct bytes http_body(const struct http_exchange *request);
/* Whether one was announced. */
bool http_has_body(const struct http_exchange *request);
/* Which route a request has, and the numbers in its path. For on_headers to fill and on_request to read: it
 * is zeroed at first, and means nothing to the server. */
#define HTTP_MATCH_NUMBERS 2
struct http_match {
    const void *route;
    uint64_t numbers[HTTP_MATCH_NUMBERS];
};
struct http_match *http_request_match(struct http_exchange *request);
/* Call from within on_headers: a larger body is too large for this request. */
void http_limit_body(struct http_exchange *request, size_t bytes);
/* The caller takes the body, for memory_free. It counts as being received until the answer is sent. */
MUST_CHECK uint8_t *http_take_body(struct http_exchange *request, size_t *size);
/* The address at which the client reached us. */
struct address http_local_address(const struct http_exchange *request);

#define HTTP_ANSWER_HEADERS 3u
struct http_header {
    const char *name;
    const char *value;
};

/* Each answer, also a stream, forbids a browser to run, load or embed anything that it could lead to. */
struct http_answer {
    unsigned status;
    const char *content_type;
    struct bytes body;
    bool is_constant;                                /* the body never changes or goes; else it is copied */
    const char *cache_control;                       /* NULL: it may not be kept */
    struct http_header headers[HTTP_ANSWER_HEADERS]; /* that are added; up to the first without a name */
};
/* The first answer counts. */
void http_answer(struct http_exchange *request, const struct http_answer *answer);

/* Call from within on_request: the answer will be given later. `on_gone` is called if it is no longer awaited
 * because the server is being closed: then the request does not exist any more. */
void http_postpone(struct http_exchange *request, void (*on_gone)(void *context), void *context);
/* Sends the answer that was set by http_answer or http_answer_stream meanwhile. Not from within a
 * callback. */
void http_answer_postponed(struct http_exchange *request);

/* 200, and a body that is written piece by piece. `on_gone` is called when nobody reads any more, also after
 * http_stream_end; then the stream does not exist any more. */
MUST_CHECK struct http_stream *http_answer_stream(struct http_exchange *request, const char *content_type,
                                                  void (*on_gone)(void *context), void *context);
/* False, and the stream is closed soon, if more is queued than allowed. */
bool http_stream_write(struct http_stream *stream, struct bytes bytes);
/* Nothing is queued. */
bool http_stream_is_idle(const struct http_stream *stream);
/* What is queued is still sent. Nothing may be written any more. */
void http_stream_end(struct http_stream *stream);
