/* What curl has measured of a request. */
#pragma once
#include "agent/http/engine.h"

#include <curl/curl.h>

/* Fills timings, phase and has_left of a response whose failure and is_reused are known; the last answer
 * began `answered_us` after the start (0: none has), which curl does not know of an upload. */
void curl_timings_read(CURL *easy, struct http_response *response, uint64_t answered_us);
