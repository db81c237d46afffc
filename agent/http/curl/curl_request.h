/* What a handle of curl is set up for, from one request to the next: only what differs is set again. */
#pragma once
#include "agent/http/engine.h"

#include <curl/curl.h>

struct curl_request {
    CURL *easy;      /* borrowed */
    char *ca_folder; /* curl's own; NULL: it has none */
    struct curl_slist *headers;
    char *url;   /* as curl has it */
    char *proxy; /* as it was given; NULL: none */
    uint64_t timeout_ms;
    bool is_http2;
    bool has_tls;    /* it has TLS options of a request */
    bool is_special; /* the handle is set up for more than a plain GET */
};

void curl_request_init(struct curl_request *request, CURL *easy);
/* After curl_easy_cleanup of the handle, which uses the headers. */
void curl_request_finish(struct curl_request *request);
/* Whether a proxy was asked for, and is there where it is that of the environment. */
bool curl_request_is_proxied(const struct curl_request *request);
/* `wanted` is borrowed for the call: curl copies its body. */
void curl_request_set(struct curl_request *request, const struct http_request *wanted);
/* How long it may take from when curl gets it. */
void curl_request_set_timeout(struct curl_request *request, uint64_t timeout_ms);
