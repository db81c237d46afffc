/* What the server and its answers share. */
#pragma once
#include "common/buffer.h"
#include "tests/unit/agent/http/http2_server.h"

#include <nghttp2/nghttp2.h>

struct http2_request {
    struct http2_peer *peer;
    struct http2_request *next;
    int32_t id;
    struct buffer fields;
    struct buffer body;
    struct buffer answer;
    size_t sent;
    char path[200];
    bool is_expecting;
    bool is_parked;
    bool has_trailers;
    bool closes; /* in the middle of its body */
};

struct http2_peer {
    uv_tcp_t tcp;
    struct http2_server *server;
    struct http2_peer *next;
    nghttp2_session *session;
    struct http2_request *requests;
    unsigned number;
    unsigned asked;
    bool is_leaving;
    uint32_t noise_seed; /* of what is sent after the answers; 0: nothing */
    char wire[65536];
};

struct http2_server {
    uv_tcp_t tcp;
    struct http2_peer *peers;
    unsigned connections;
    unsigned requests;
    unsigned refused;
    unsigned resets;
    uint32_t reset_code;
    unsigned pongs;
    bool has_said_goodbye;
};

void http2_peer_close(struct http2_peer *peer);
/* Beside the frames of the session. */
void http2_peer_send(struct http2_peer *peer, const void *data, size_t size);
/* What the session has to say; one that is leaving is closed then. */
void http2_peer_flush(struct http2_peer *peer);

/* By its path. */
void http2_answer(struct http2_request *request);
/* With what is in request->answer as its body, and one more field, unless `name` is NULL. */
void http2_answer_status(struct http2_request *request, const char *status, const char *name,
                         const char *value);
void http2_answer_inform(struct http2_request *request, const char *status, unsigned times);
/* Of the frames that the seed makes. */
void http2_answer_noise(struct http2_peer *peer);
