/* What curl has measured of a request. */
#include "agent/http/curl/curl_timings.h"

#include <strings.h>

static uint64_t duration_us(CURL *easy, CURLINFO info)
{
    curl_off_t us = 0;

    curl_easy_getinfo(easy, info, &us);
    return us > 0 ? (uint64_t)us : 0;
}

static void read_timings(CURL *easy, struct http_timings *timings)
{
    timings->name_lookup_us = duration_us(easy, CURLINFO_NAMELOOKUP_TIME_T);
    timings->connect_us = duration_us(easy, CURLINFO_CONNECT_TIME_T);
    timings->tls_us = duration_us(easy, CURLINFO_APPCONNECT_TIME_T);
    timings->first_byte_us = duration_us(easy, CURLINFO_STARTTRANSFER_TIME_T);
    timings->total_us = duration_us(easy, CURLINFO_TOTAL_TIME_T);
}

/* The first phase that has no end. */
static enum request_phase phase_of(CURL *easy, const struct http_response *response, uint64_t answered_us)
{
    const struct http_timings *timings = &response->timings;
    const char *scheme = NULL;

    switch (response->failure) {
    case HTTP_RESOLVE:
        return REQUEST_LOOKUP;
    case HTTP_REFUSED:
    case HTTP_UNREACHABLE:
    case HTTP_CONNECT:
    case HTTP_LOCAL_LIMIT:
        return REQUEST_CONNECT;
    case HTTP_TLS:
        return REQUEST_TLS;
    default:
        break;
    }
    curl_easy_getinfo(easy, CURLINFO_SCHEME, &scheme);
    if (answered_us > 0) {
        return REQUEST_RECEIVING;
    }
    if (response->has_left) {
        return REQUEST_WAITING;
    }
    if (timings->connect_us == 0) {
        return timings->name_lookup_us == 0 ? REQUEST_LOOKUP : REQUEST_CONNECT;
    }
    return scheme != NULL && strcasecmp(scheme, "https") == 0 && timings->tls_us == 0 ? REQUEST_TLS
                                                                                      : REQUEST_SENDING;
}

/* Curl adds up over redirects when each phase has ended. It does not say when it has sent the last byte:
 * waiting includes that. */
static void divide_time(CURL *easy, struct http_response *response, uint64_t answered_us,
                        enum request_phase last_phase)
{
    struct http_timings *timings = &response->timings;
    uint64_t ends[REQUEST_PHASE_COUNT] = {
        [REQUEST_LOOKUP] = response->is_reused ? 0 : timings->name_lookup_us,
        [REQUEST_CONNECT] = response->is_reused ? 0 : timings->connect_us,
        [REQUEST_TLS] = response->is_reused ? 0 : timings->tls_us,
        [REQUEST_SENDING] = duration_us(easy, CURLINFO_PRETRANSFER_TIME_T),
        [REQUEST_WAITING] = answered_us,
    };
    uint64_t passed_us = 0;

    ends[last_phase] = timings->total_us;
    for (int phase = 0; phase <= (int)last_phase; phase++) {
        uint64_t end_us = ends[phase] < timings->total_us ? ends[phase] : timings->total_us;
        timings->phase_us[phase] = end_us > passed_us ? end_us - passed_us : 0;
        passed_us += timings->phase_us[phase];
    }
}

static void read_phases(CURL *easy, struct http_response *response, uint64_t answered_us)
{
    enum request_phase last_phase = REQUEST_RECEIVING;
    long redirects = 0;

    curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &redirects);
    response->has_left = redirects > 0 || duration_us(easy, CURLINFO_PRETRANSFER_TIME_T) > 0;
    bool is_begun =
        response->has_left || (response->failure != HTTP_BAD_REQUEST && response->failure != HTTP_NO_MEMORY);
    if (response->failure != HTTP_OK && is_begun) {
        last_phase = phase_of(easy, response, answered_us);
        response->phase = request_phase_name(last_phase);
    }
    divide_time(easy, response, redirects == 0 ? answered_us : response->timings.first_byte_us, last_phase);
}

void curl_timings_read(CURL *easy, struct http_response *response, uint64_t answered_us)
{
    read_timings(easy, &response->timings);
    read_phases(easy, response, answered_us);
}
