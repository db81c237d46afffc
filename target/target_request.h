/* One request to the practice target: collecting its body, and the ways to answer it. */
#pragma once
#include "common/buffer.h"
#include "target/target_delay.h"
#include "target/target_pads.h"
#include "target/target_sessions.h"

#include <microhttpd.h>
#include <stdatomic.h>

#define TARGET_MAX_BODY_BYTES (1024u * 1024u)
/* A larger body is read to its end before the 413, so that a client that reads only after sending sees the
 * answer; but not beyond this size. */
#define TARGET_MAX_DISCARDED_BYTES (64u * 1024u * 1024u)
/* Limits the bodies of all requests that are being received. */
#define TARGET_MAX_INCOMING_BYTES (256u * 1024u * 1024u)
#define TARGET_CHUNK_BYTES (32u * 1024u)
#define TARGET_FILLER_PERIOD 64u

struct target_socket;
struct target_sockets;
struct target_tcp;

/* What the requests of one target share. */
struct target_scene {
    struct pads *pads;
    struct delays *delays;
    struct sessions *sessions;
    struct target_sockets *sockets;
    struct target_tcp *tcp;
    uint16_t tcp_port;
    struct MHD_Response *index;
    struct MHD_Response *page;
    struct MHD_Response *not_found;
    atomic_size_t incoming_bytes;
    /* A repeating pattern: any run of a chunk's length is found in here, at any start. */
    char filler[TARGET_CHUNK_BYTES + TARGET_FILLER_PERIOD];
};

struct target_request {
    struct target_scene *scene;
    struct MHD_Connection *connection;
    const char *method;
    const char *path;
    const char *argument; /* the rest of the path after the fixed part of its route */
    struct buffer body;
    size_t counted_bytes; /* its part of incoming_bytes */
    size_t discarded_bytes;
    unsigned refusal; /* the status that the body has caused, 0 if none */
    bool has_waited;
    struct delay delay;
    struct session_plan plan;     /* of /socket.io/; its version is 0 elsewhere */
    struct session *session;      /* held; NULL: none */
    struct target_socket *socket; /* in its room already, while its handshake is answered; NULL: none */
};

MUST_CHECK struct target_request *target_request_new(struct target_scene *scene,
                                                     struct MHD_Connection *connection);
void target_request_free(struct target_request **request);
/* False if the body is so large that its end is not awaited: answer 413 now. */
MUST_CHECK bool target_request_may_send_body(const struct target_request *request);
/* False if the connection has to be dropped. */
MUST_CHECK bool target_request_add(struct target_request *request, const char *data, size_t size);

/* The header of that name, NULL if absent. */
const char *target_request_header(const struct target_request *request, const char *name);
/* Parses all of `text` as a number from minimum to maximum. */
MUST_CHECK bool target_number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *number);

/* Takes ownership of the response; if `response` is NULL there was no memory for it, and the connection is
 * closed. */
enum MHD_Result target_answer(struct target_request *request, unsigned status, struct MHD_Response *response);
/* For a response that its creator keeps. */
enum MHD_Result target_answer_shared(struct target_request *request, unsigned status,
                                     struct MHD_Response *response);
/* Answers with a line of text. */
enum MHD_Result target_answer_text(struct target_request *request, unsigned status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* A response from a copy of `text`, for callers that add headers. */
MUST_CHECK struct MHD_Response *target_text_response(const char *content_type, const char *text);
