/* Asks a coordinator's HTTP API. Waits for the answer; bodies and times are bounded. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/bytes.h"
#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define API_ANSWER_MAX_BYTES (64u * 1024u * 1024u)

struct api_client;

enum api_result {
    API_DONE,
    API_REFUSED,     /* not permitted, or a bad request */
    API_NOT_FOUND,   /* no such campaign */
    API_CONFLICT,    /* not possible in this state */
    API_UNREACHABLE, /* no answer, not from a coordinator, or from one that cannot serve it now */
    API_INTERRUPTED  /* the wake descriptor became readable */
};

/* `url` has no slash at its end; `token` is NULL for none. Both are copied. */
MUST_CHECK struct api_client *api_client_new(const char *url, const char *token);
/* NULLs the pointer; NULL is tolerated. */
void api_client_free(struct api_client **client);
/* A request is interrupted as soon as this is readable: a signalfd. -1 for none. Stays the caller's. */
void api_client_wake_by(struct api_client *client, int descriptor);

/* For how long to ask again while there is no coordinator; 0 to begin with. Kept for the caller, who asks. */
void api_client_be_patient(struct api_client *client, uint64_t milliseconds);
uint64_t api_client_patience_ms(const struct api_client *client);

/* GET, or POST if there is a body. The JSON object of the answer is the caller's to json_decref; it is set
 * only with API_DONE, the error with all other results. */
MUST_CHECK enum api_result api_client_ask(struct api_client *client, const char *path, const char *body,
                                          json_t **answer, struct error *error);

/* GET of what is no JSON: appends its bytes. */
MUST_CHECK enum api_result api_client_fetch(struct api_client *client, const char *path, struct buffer *into,
                                            struct error *error);

/* The same with DELETE. */
MUST_CHECK enum api_result api_client_delete(struct api_client *client, const char *path, json_t **answer,
                                             struct error *error);

/* Whether the last request failed after the connection was made, so that it may have been carried out. */
bool api_client_broke_off(const struct api_client *client);
/* Whether there was no connection for the last request, or it broke off: a coordinator that is being started
 * is there soon. */
bool api_client_is_away(const struct api_client *client);
/* Waits. False as soon as the wake descriptor is readable. */
bool api_client_rest(const struct api_client *client, int milliseconds);

struct api_stream {
    /* False ends it. */
    bool (*on_event)(void *context, struct bytes name, struct bytes data);
    /* The wake descriptor is readable; this has to read it. May make requests. False ends it as
     * API_INTERRUPTED. */
    bool (*on_wake)(void *context);
    int descriptor; /* one more that is waited for; -1: none. Only while the stream is followed */
    void (*on_readable)(void *context); /* it is readable; this has to read it */
    void *context;
};

/* Follows server-sent events until a callback ends it: API_DONE. A stream that ends before that, or is silent
 * for too long, is API_UNREACHABLE. */
MUST_CHECK enum api_result api_client_follow(struct api_client *client, const char *path,
                                             const struct api_stream *stream, struct error *error);
