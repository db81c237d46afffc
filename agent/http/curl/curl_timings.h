/* What curl has measured of a request. */
#pragma once
#include "agent/http/engine.h"

#include <curl/curl.h>

/* What curl itself does not know. */
struct curl_times {
    CURL *easy;
    uint64_t waited_us;   /* before curl had it */
    uint64_t answered_us; /* since the start of the request, when its last answer began; 0: none has */
};

/* Fills timings, phase and has_left of a response whose failure and is_reused are known. */
void curl_timings_read(const struct curl_times *times, struct http_response *response);
