/* Asks a coordinator's HTTP API. Waits for the answer; bodies and times are bounded. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>

#define API_ANSWER_MAX_BYTES (64u * 1024u * 1024u)

struct api_client;

enum api_result {
    API_DONE,
    API_REFUSED,     /* who asks may not, or what was asked is wrong */
    API_NOT_FOUND,   /* there is none of this id */
    API_CONFLICT,    /* it cannot be done any more */
    API_UNREACHABLE, /* nobody there, not a coordinator, or one that cannot now */
    API_INTERRUPTED  /* the wake descriptor became readable */
};

/* `url` without a slash at its end; `token` NULL for none. Both copied. */
MUST_CHECK struct api_client *api_client_new(const char *url, const char *token);
/* NULLs the pointer; NULL is tolerated. */
void api_client_free(struct api_client **client);
/* Asking ends as soon as this can be read: a signalfd. -1 for none. Still the caller's. */
void api_client_wake_by(struct api_client *client, int descriptor);

/* GET, or POST where there is a body. The JSON object that came back is the caller's to json_decref; it is
 * only there with API_DONE, the error with all others. */
MUST_CHECK enum api_result api_client_ask(struct api_client *client, const char *path, const char *body,
                                          json_t **answer, struct error *error);

/* Whether the last question failed in the middle: a connection there was, and what was asked for may have
 * been done. */
bool api_client_broke_off(const struct api_client *client);
/* False as soon as the wake descriptor can be read. */
bool api_client_rest(const struct api_client *client, int milliseconds);

struct api_stream {
    /* False: enough. */
    bool (*on_event)(void *context, struct bytes name, struct bytes data);
    /* The wake descriptor can be read; it reads it. May ask. False: leave, as API_INTERRUPTED. */
    bool (*on_wake)(void *context);
    void *context;
};

/* Follows server-sent events until there are enough of them: API_DONE. A stream that ends before that, or is
 * silent for too long, is API_UNREACHABLE. */
MUST_CHECK enum api_result api_client_follow(struct api_client *client, const char *path,
                                             const struct api_stream *stream, struct error *error);
