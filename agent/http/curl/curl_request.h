/* What a handle of curl is set up for, from one request to the next: only what differs is set again. */
#pragma once
#include "agent/http/engine.h"
#include "agent/http/message/url.h"

#include <curl/curl.h>

struct curl_engine;

#define CURL_REQUEST_METHOD_BYTES 32u

struct curl_request {
    CURL *easy;                 /* borrowed */
    struct curl_engine *engine; /* borrowed */
    struct curl_slist *headers; /* the script's, and those of its own that curl is to leave out */
    char *given_url;            /* as the script wrote it; NULL: curl has another one */
    struct url url;             /* where it goes */
    char *proxy;                /* as it was given; NULL: none */
    char method[CURL_REQUEST_METHOD_BYTES];
    uint64_t timeout_ms;
    bool is_http2;
    bool has_tls;    /* it has TLS options of a request */
    bool is_special; /* the handle is set up for more than a plain GET */
};

void curl_request_init(struct curl_request *request, struct curl_engine *engine, CURL *easy);
/* After curl_easy_cleanup of the handle, which uses the headers. */
void curl_request_finish(struct curl_request *request);
/* `wanted` is borrowed for the call: curl copies its body. False with an error that says why it cannot be
 * sent; the handle then leads nowhere, and fails when it is used. */
MUST_CHECK bool curl_request_set(struct curl_request *request, const struct http_request *wanted,
                                 struct error *error);
void curl_request_set_nowhere(struct curl_request *request);
/* Whether a proxy was asked for, and is there where it is that of the environment. */
bool curl_request_is_proxied(const struct curl_request *request);
void curl_request_set_timeout(struct curl_request *request, uint64_t timeout_ms);
/* The next request of a redirect to `location`; false with an error where it leads nowhere. */
MUST_CHECK bool curl_request_redirect(struct curl_request *request, uint32_t status, struct bytes location,
                                      struct error *error);
/* Leaves "Expect: 100-continue" out; false if it is not there. */
MUST_CHECK bool curl_request_drop_expectation(struct curl_request *request);
