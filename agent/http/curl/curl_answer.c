/* What comes of a request: the head and the body as curl hands them over, and what its result means. */
#include "agent/http/curl/curl_client_inside.h"

#include "agent/base/connect_failure.h"
#include "agent/base/source_address.h"
#include "agent/http/curl/curl_failure.h"
#include "agent/http/curl/curl_timings.h"
#include "agent/http/message/fields.h"
#include "common/clock.h"

#include <stdio.h>
#include <string.h>

/* The first judgement counts. */
void curl_answer_judge(struct curl_exchange *exchange, enum http_failure failure, const char *text)
{
    if (exchange->failure == HTTP_OK) {
        exchange->failure = failure;
        bytes_to_text(bytes_of_string(text), exchange->text, sizeof exchange->text);
    }
}

void curl_answer_judge_no_memory(struct curl_exchange *exchange)
{
    char text[200];

    snprintf(text, sizeof text,
             "no memory for its body: the bodies that the workers of this thread hold have reached %zu MiB "
             "(a smaller max_body bounds each)",
             curl_engine_memory(exchange->engine)->limit_bytes >> 21);
    curl_answer_judge(exchange, HTTP_NO_MEMORY, text);
}

void curl_answer_clear(struct curl_exchange *exchange)
{
    bool is_to_head = strcmp(exchange->request.method, "HEAD") == 0;

    buffer_clear(&exchange->bodies.head);
    buffer_clear(&exchange->bodies.body);
    content_decoder_free(&exchange->decoder);
    http1_begin(&exchange->parser, is_to_head ? HTTP1_TO_HEAD : HTTP1_USUAL);
    exchange->has_whole_head = false;
}

static void end_head(struct curl_exchange *exchange)
{
    struct bytes coding;

    exchange->has_whole_head = true;
    if (fields_find(buffer_bytes(&exchange->bodies.head), "content-encoding", &coding)) {
        exchange->decoder = content_decoder_new(coding);
    }
}

/* Curl is lax about heads: each line is read by the strict parser as well, which keeps the fields. */
static bool take_head_line(struct curl_exchange *exchange, struct bytes line)
{
    struct bytes piece;

    switch (http1_next(&exchange->parser, &line, &exchange->bodies.head, &piece)) {
    case HTTP1_ERROR:
        curl_answer_judge(exchange, HTTP_PROTOCOL, exchange->parser.error);
        return false;
    case HTTP1_UPGRADE:
        curl_answer_judge(exchange, HTTP_PROTOCOL, "the server changes to a protocol that was not asked for");
        return false;
    case HTTP1_HEAD:
        end_head(exchange);
        return true;
    default:
        return true;
    }
}

/* Of HTTP/2, whose lines curl has made itself. */
static bool take_made_line(struct curl_exchange *exchange, struct bytes line)
{
    if (line.size > 5 && memcmp(line.data, "HTTP/", 5) == 0) {
        curl_answer_clear(exchange);
    } else if (line.size <= 2) {
        end_head(exchange);
    } else if (!buffer_append(&exchange->bodies.head, line.data, line.size)) {
        curl_answer_judge(exchange, HTTP_PROTOCOL, "the head of the answer is too large");
        return false;
    }
    return true;
}

size_t curl_answer_on_header(char *data, size_t size, size_t count, void *context)
{
    struct curl_exchange *exchange = context;
    struct bytes line = bytes_of(data, size * count);
    long version = 0;

    exchange->has_begun_answer = true;
    if (line.size > 5 && memcmp(line.data, "HTTP/", 5) == 0) {
        exchange->answered_ns = clock_now_ns();
    }
    curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_VERSION, &version);
    if (version == CURL_HTTP_VERSION_2_0 && (exchange->request.url.is_tls || exchange->request.is_http2)) {
        return take_made_line(exchange, line) ? line.size : 0;
    }
    /* What comes after the head are trailers. */
    return exchange->has_whole_head || take_head_line(exchange, line) ? line.size : 0;
}

static bool take_plain(void *context, struct bytes plain)
{
    struct curl_exchange *exchange = context;
    struct http_bodies *bodies = &exchange->bodies;
    char text[100];

    if (http_bodies_append(bodies, &bodies->body, (const char *)plain.data, plain.size)) {
        return true;
    }
    if (bodies->is_out_of_memory) {
        curl_answer_judge_no_memory(exchange);
    } else {
        snprintf(text, sizeof text, "the body is larger than %zu bytes (max_body)", bodies->body.maximum);
        curl_answer_judge(exchange, HTTP_TOO_LARGE, text);
    }
    return false;
}

size_t curl_answer_on_body(char *data, size_t size, size_t count, void *context)
{
    struct curl_exchange *exchange = context;
    struct bytes piece = bytes_of(data, size * count);

    if (exchange->decoder == NULL) {
        return take_plain(exchange, piece) ? piece.size : 0;
    }
    switch (content_decoder_write(exchange->decoder, piece, take_plain, exchange)) {
    case CONTENT_OK:
        return piece.size;
    case CONTENT_MALFORMED:
        curl_answer_judge(exchange, HTTP_PROTOCOL,
                          "the body is not in the coding that Content-Encoding names");
        return 0;
    default:
        return 0;
    }
}

/* What the system said when no connection could be made. */
static int exchange_connect_errno(const struct curl_exchange *exchange)
{
    long number = 0;

    if (exchange->open_errno != 0) {
        return exchange->open_errno;
    }
    if (exchange->probed_errno != 0) {
        return exchange->probed_errno;
    }
    curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &number);
    return (int)number;
}

static const char *curl_version_text(long version)
{
    switch (version) {
    case CURL_HTTP_VERSION_1_0:
        return "1.0";
    case CURL_HTTP_VERSION_1_1:
        return "1.1";
    case CURL_HTTP_VERSION_2_0:
        return "2";
    default:
        return NULL;
    }
}

static void read_exchange(struct curl_exchange *exchange, struct http_response *response)
{
    long version = 0;
    long port = 0;
    long new_connections = 0;
    char *host = NULL;

    curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(exchange->easy, CURLINFO_PRIMARY_PORT, &port);
    curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &new_connections);
    curl_easy_getinfo(exchange->easy, CURLINFO_PRIMARY_IP, &host);
    response->version = curl_version_text(version);
    response->is_reused = new_connections == 0;
    response->is_retried = exchange->is_retried;
    if (host != NULL && *host) {
        bool is_v6 = strchr(host, ':') != NULL;
        snprintf(exchange->address, sizeof exchange->address, "%s%s%s:%ld", is_v6 ? "[" : "", host,
                 is_v6 ? "]" : "", port);
        response->address = exchange->address;
    }
}

/* What the proxy has answered to CONNECT; 0: nothing. */
static uint32_t exchange_proxy_status(const struct curl_exchange *exchange)
{
    long status = 0;

    curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status > 0 ? (uint32_t)status : 0;
}

/* Curl has one code for many faults of a proxy, and its text tells them apart. */
static bool is_proxy_to_blame(const struct curl_exchange *exchange, CURLcode result)
{
    if (result == CURLE_OK || !curl_request_is_proxied(&exchange->request)) {
        return false;
    }
    if (result == CURLE_COULDNT_CONNECT) {
        return curl_failure_of_system(exchange_connect_errno(exchange)) != HTTP_LOCAL_LIMIT;
    }
    return exchange_proxy_status(exchange) >= 300 || strstr(exchange->error_text, "CONNECT") != NULL;
}

/* Curl, and the system's resolver, do not say why they could not open a file or a socket. */
static int exchange_probe(CURLcode result)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
        return connect_failure_probe();
    default:
        return 0;
    }
}

static enum http_failure failure_of(const struct curl_exchange *exchange, CURLcode result)
{
    if (exchange->probed_errno != 0 || (exchange->is_source_refused && result == CURLE_COULDNT_CONNECT)) {
        return HTTP_LOCAL_LIMIT;
    }
    if (is_proxy_to_blame(exchange, result)) {
        return HTTP_PROXY;
    }
    if (result == CURLE_COULDNT_CONNECT) {
        return curl_failure_of_system(exchange_connect_errno(exchange));
    }
    return curl_failure_of(result, exchange->error_text);
}

static void describe_failure(const struct curl_exchange *exchange, enum http_failure failure,
                             const char *curl_text, char *text, size_t size)
{
    if (failure == HTTP_PROTOCOL && strstr(curl_text, "HTTP/0.9") != NULL) {
        snprintf(text, size, "the server's response is not HTTP");
    } else if (failure == HTTP_TIMEOUT) {
        snprintf(text, size, "timed out: no answer within %llu ms", (unsigned long long)exchange->timeout_ms);
    } else if (failure == HTTP_PROXY) {
        snprintf(text, size, "the proxy: %s", curl_text);
    } else if (failure == HTTP_LOCAL_LIMIT && exchange->is_source_refused) {
        source_address_describe(&exchange->client->source, exchange->open_errno, text, size);
    } else if (failure == HTTP_LOCAL_LIMIT) {
        int number = exchange_connect_errno(exchange);
        snprintf(text, size, "connect: %s%s", strerror(number), connect_failure_advice(number));
    } else {
        snprintf(text, size, "%s", curl_text);
    }
}

/* What curl has found. */
void curl_answer_judge_result(struct curl_exchange *exchange, CURLcode result)
{
    const char *curl_text = exchange->error_text[0] ? exchange->error_text : curl_easy_strerror(result);
    exchange->probed_errno = exchange_probe(result);
    enum http_failure failure = failure_of(exchange, result);
    char text[CURL_ERROR_SIZE + 64];

    if (failure == HTTP_OK) {
        if (!exchange->has_whole_head) {
            curl_answer_judge(exchange, HTTP_RESET, "the connection ended in the middle of the answer");
        } else if (exchange->decoder != NULL && !content_decoder_is_whole(exchange->decoder)) {
            curl_answer_judge(exchange, HTTP_PROTOCOL, "the coded body ends in the middle");
        }
        return;
    }
    if (failure == HTTP_BAD_REQUEST && exchange->has_sent) {
        failure = HTTP_PROTOCOL; /* curl has no name of its own for some odd answers */
    }
    describe_failure(exchange, failure, curl_text, text, sizeof text);
    curl_answer_judge(exchange, failure, text);
}

/* What curl has measured since it got the request, this time. */
static void read_times(const struct curl_exchange *exchange, struct http_response *response)
{
    struct curl_times times = {.easy = exchange->easy};

    if (!exchange->is_repeated) {
        times.waited_us = (exchange->begun_ns - exchange->asked_ns) / 1000;
    }
    if (exchange->answered_ns > 0) {
        times.answered_us = times.waited_us + (exchange->answered_ns - exchange->begun_ns) / 1000;
    }
    curl_timings_read(&times, response);
}

void curl_answer_add_times(struct curl_exchange *exchange)
{
    struct http_response one = {.failure = exchange->is_broken_off ? HTTP_RESET : HTTP_OK};

    read_exchange(exchange, &one);
    read_times(exchange, &one);
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        exchange->before.phase_us[phase] += one.timings.phase_us[phase];
    }
    exchange->before.total_us += one.timings.total_us;
    exchange->is_repeated = true;
}

static void shift_instant(uint64_t *instant_us, uint64_t before_us)
{
    *instant_us += *instant_us > 0 ? before_us : 0;
}

static void include_before(const struct curl_exchange *exchange, struct http_response *response)
{
    struct http_timings *timings = &response->timings;
    uint64_t before_us = exchange->before.total_us;

    shift_instant(&timings->name_lookup_us, before_us);
    shift_instant(&timings->connect_us, before_us);
    shift_instant(&timings->tls_us, before_us);
    shift_instant(&timings->first_byte_us, before_us);
    timings->total_us += before_us;
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        timings->phase_us[phase] += exchange->before.phase_us[phase];
    }
    response->has_left |= exchange->is_repeated;
}

/* Of the last exchange. */
static void read_sizes(const struct curl_exchange *exchange, struct http_response *response)
{
    curl_off_t received = 0;
    curl_off_t sent = 0;

    curl_easy_getinfo(exchange->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    curl_easy_getinfo(exchange->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    response->received_bytes = received > 0 ? (uint64_t)received : 0;
    response->sent_bytes = sent > 0 ? (uint64_t)sent : 0;
}

void curl_answer_read(struct curl_exchange *exchange, struct http_response *response)
{
    long status = 0;

    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    response->status = exchange->failure == HTTP_PROXY ? exchange_proxy_status(exchange) : (uint32_t)status;
    response->headers = buffer_bytes(&exchange->bodies.head);
    response->body = buffer_bytes(&exchange->bodies.body);
    response->url = exchange->redirects > 0 ? exchange->request.url.text : NULL;
    response->redirects = buffer_bytes(&exchange->hops);
    read_exchange(exchange, response);
    read_times(exchange, response);
    read_sizes(exchange, response);
    include_before(exchange, response);
}
