/* An HTTP server on a libuv loop: libmicrohttpd behind one door, without threads of its own. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"
#include "coordinator/listener.h"

#include <uv.h>

struct http;
struct http_request;
struct http_stream;

struct http_settings {
    const struct listener_address *address;
    size_t body_bytes;      /* at most, of one request; 413 beyond */
    size_t incoming_bytes;  /* at most, of all bodies that are coming in; 503 beyond */
    size_t discarded_bytes; /* of what somebody sends who was refused, read so that the answer is read too */
    size_t stream_bytes;    /* what may wait to be sent on one stream */
    unsigned connections;   /* at most; others wait for a free place */
    unsigned connections_each; /* from one address; others are closed */
    unsigned idle_s;           /* after so long without a byte a connection is closed */
    /* Called with the headers, before the body comes: may answer already, with a refusal. */
    void (*on_headers)(void *context, struct http_request *request);
    /* Called with the whole request: has to answer before it returns. */
    void (*on_request)(void *context, struct http_request *request);
    void *context;
};

/* NULL with an error if the address cannot be bound. */
MUST_CHECK struct http *http_new(uv_loop_t *loop, const struct http_settings *settings, struct error *error);
uint16_t http_port(const struct http *http);
/* Requests so far. */
uint64_t http_request_count(const struct http *http);
unsigned http_connection_count(const struct http *http);
/* Cuts off what is open; the memory goes in the loop's close callbacks. NULLs the pointer, tolerates NULL. */
void http_close(struct http **http);

/* Borrowed, as long as the request. */
const char *http_method(const struct http_request *request);
const char *http_path(const struct http_request *request);
const char *http_header(const struct http_request *request, const char *name);
struct bytes http_body(const struct http_request *request);

struct http_answer {
    unsigned status;
    const char *content_type;
    struct bytes body; /* copied */
    /* One header more; NULL for none. */
    const char *header;
    const char *header_value;
};
/* The first answer counts. */
void http_answer(struct http_request *request, const struct http_answer *answer);

/* 200, and a body that is written bit by bit. `on_gone` tells that nobody listens any more, also after
 * http_stream_end; then the stream is no more. */
MUST_CHECK struct http_stream *http_answer_stream(struct http_request *request, const char *content_type,
                                                  void (*on_gone)(void *context), void *context);
/* False, and the stream is cut off soon, if more waits than it may. */
bool http_stream_write(struct http_stream *stream, struct bytes bytes);
/* Nothing waits to be sent. */
bool http_stream_is_idle(const struct http_stream *stream);
/* What waits is still sent. Nothing may be written any more. */
void http_stream_end(struct http_stream *stream);
