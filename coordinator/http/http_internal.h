/* Internals of the HTTP server, for its source files. */
#pragma once
#include "common/buffer.h"
#include "coordinator/http/http.h"

#include <microhttpd.h>

struct http {
    struct http_settings settings;
    struct MHD_Daemon *daemon;
    uint16_t port;
    uv_poll_t poll;
    uv_timer_t timer;
    uv_idle_t idle;      /* there is more to do at once */
    uv_timer_t deadline; /* for the client that is overdue next */
    struct http_clients *http_clients;
    unsigned open_handles;
    size_t incoming_bytes;
    uint64_t requests;
    struct http_stream *streams;
    struct http_exchange *postponed; /* a list */
    bool is_running;                 /* within libmicrohttpd, which must not be entered again */
    bool is_closing;
};

struct http_exchange {
    struct http *http;
    struct MHD_Connection *connection;
    char *path;
    char *method;
    struct http_client *http_client;
    struct http_match match;
    struct buffer body;
    size_t counted_bytes;   /* of the body, in incoming_bytes */
    size_t discarded_bytes; /* of a body that is not wanted */
    struct MHD_Response *response;
    size_t response_bytes; /* of an answer that is not a stream */
    unsigned status;
    bool is_stream;
    struct http_exchange *next_postponed;
    void (*on_gone)(void *context); /* NULL: its answer is not postponed */
    void *context;
};

/* libmicrohttpd cannot stop while connections are suspended. */
void http_wake_streams(struct http *http);
/* Milliseconds of the loop's clock, updated now. */
uint64_t http_now_ms(const struct http *http);
/* The same for requests whose answer is postponed; their on_gone is called. */
void http_abandon_postponed(struct http *http);
/* Sets the timer by which overdue connections are closed; call it when any of them has changed its state. */
void http_arm_deadline(struct http *http);
/* Callbacks for libmicrohttpd. */
void http_on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                        enum MHD_ConnectionNotificationCode code);
/* Makes libmicrohttpd look at its connections before the loop sleeps. */
void http_wake(struct http *http);
