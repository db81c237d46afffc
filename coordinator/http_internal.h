/* The inside of the HTTP server, for the files that it is made of. */
#pragma once
#include "common/buffer.h"
#include "coordinator/http.h"

#include <microhttpd.h>

struct http {
    struct http_settings settings;
    struct MHD_Daemon *daemon;
    uint16_t port;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned open_handles;
    size_t incoming_bytes;
    uint64_t requests;
    unsigned connections;
    struct http_stream *streams;
    bool is_running; /* within libmicrohttpd, which must not be entered again */
    bool is_closing;
};

struct http_request {
    struct http *http;
    struct MHD_Connection *connection;
    char *path;
    char *method;
    struct buffer body;
    size_t counted_bytes;   /* of the body, in incoming_bytes */
    size_t discarded_bytes; /* of a body that is not wanted */
    struct MHD_Response *response;
    unsigned status;
};

/* libmicrohttpd cannot end while connections sleep. */
void http_wake_streams(struct http *http);
/* Has libmicrohttpd look at its connections before the loop sleeps. */
void http_wake(struct http *http);
