/* What curl has measured of a request. */
#include "agent/http/curl/curl_timings.h"

#include <strings.h>

static uint64_t duration_us(CURL *easy, CURLINFO info)
{
    curl_off_t us = 0;

    curl_easy_getinfo(easy, info, &us);
    return us > 0 ? (uint64_t)us : 0;
}

/* An instant of curl's, since the start of the request; 0: it has not come. */
static uint64_t instant_us(const struct curl_times *times, CURLINFO info)
{
    uint64_t us = duration_us(times->easy, info);

    return us > 0 ? times->waited_us + us : 0;
}

static void read_timings(const struct curl_times *times, struct http_timings *timings)
{
    timings->name_lookup_us = instant_us(times, CURLINFO_NAMELOOKUP_TIME_T);
    timings->connect_us = instant_us(times, CURLINFO_CONNECT_TIME_T);
    timings->tls_us = instant_us(times, CURLINFO_APPCONNECT_TIME_T);
    timings->first_byte_us = instant_us(times, CURLINFO_STARTTRANSFER_TIME_T);
    timings->total_us = times->waited_us + duration_us(times->easy, CURLINFO_TOTAL_TIME_T);
}

/* The first phase that has no end. */
static enum request_phase phase_of(const struct curl_times *times, const struct http_response *response)
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
    case HTTP_PROXY:
        return REQUEST_CONNECT;
    case HTTP_TLS:
        return REQUEST_TLS;
    default:
        break;
    }
    curl_easy_getinfo(times->easy, CURLINFO_SCHEME, &scheme);
    if (times->answered_us > 0) {
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
static void divide_time(const struct curl_times *times, struct http_response *response, uint64_t answered_us,
                        enum request_phase last_phase)
{
    struct http_timings *timings = &response->timings;
    uint64_t ends[REQUEST_PHASE_COUNT] = {
        [REQUEST_BLOCKED] = times->waited_us,
        [REQUEST_LOOKUP] = response->is_reused ? 0 : timings->name_lookup_us,
        [REQUEST_CONNECT] = response->is_reused ? 0 : timings->connect_us,
        [REQUEST_TLS] = response->is_reused ? 0 : timings->tls_us,
        [REQUEST_SENDING] = instant_us(times, CURLINFO_PRETRANSFER_TIME_T),
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

static void read_phases(const struct curl_times *times, struct http_response *response)
{
    enum request_phase last_phase = REQUEST_RECEIVING;
    long redirects = 0;

    curl_easy_getinfo(times->easy, CURLINFO_REDIRECT_COUNT, &redirects);
    response->has_left = redirects > 0 || instant_us(times, CURLINFO_PRETRANSFER_TIME_T) > 0;
    bool is_begun =
        response->has_left || (response->failure != HTTP_BAD_REQUEST && response->failure != HTTP_NO_MEMORY);
    if (response->failure != HTTP_OK && is_begun) {
        last_phase = phase_of(times, response);
        response->phase = request_phase_name(last_phase);
    }
    divide_time(times, response, redirects == 0 ? times->answered_us : response->timings.first_byte_us,
                last_phase);
}

void curl_timings_read(const struct curl_times *times, struct http_response *response)
{
    read_timings(times, &response->timings);
    read_phases(times, response);
}
