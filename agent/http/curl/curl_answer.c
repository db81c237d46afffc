/* What comes of a request: the head and the body as curl hands them over, and what its result means. */
#include "agent/http/curl/curl_client_inside.h"

#include "agent/base/connect_failure.h"
#include "agent/http/curl/curl_failure.h"
#include "agent/http/message/fields.h"

#include <stdio.h>
#include <string.h>

/* The first judgement counts. */
void curl_answer_judge(struct curl_client *client, enum http_failure failure, const char *text)
{
    if (client->failure == HTTP_OK) {
        client->failure = failure;
        bytes_to_text(bytes_of_string(text), client->text, sizeof client->text);
    }
}

void curl_answer_judge_no_memory(struct curl_client *client)
{
    char text[200];

    snprintf(text, sizeof text,
             "no memory for its body: the bodies that the workers of this thread hold have reached %zu MiB "
             "(a smaller max_body bounds each)",
             curl_engine_memory(client->engine)->limit_bytes >> 21);
    curl_answer_judge(client, HTTP_NO_MEMORY, text);
}

void curl_answer_clear(struct curl_client *client)
{
    bool is_to_head = strcmp(client->request.method, "HEAD") == 0;

    buffer_clear(&client->bodies.head);
    buffer_clear(&client->bodies.body);
    content_decoder_free(&client->decoder);
    http1_begin(&client->parser, is_to_head ? HTTP1_TO_HEAD : HTTP1_USUAL);
    client->has_whole_head = false;
}

static void end_head(struct curl_client *client)
{
    struct bytes coding;

    client->has_whole_head = true;
    if (fields_find(buffer_bytes(&client->bodies.head), "content-encoding", &coding)) {
        client->decoder = content_decoder_new(coding);
    }
}

/* Curl is lax about heads: each line is read by the strict parser as well, which keeps the fields. */
static bool take_head_line(struct curl_client *client, struct bytes line)
{
    struct bytes piece;

    switch (http1_next(&client->parser, &line, &client->bodies.head, &piece)) {
    case HTTP1_ERROR:
        curl_answer_judge(client, HTTP_PROTOCOL, client->parser.error);
        return false;
    case HTTP1_UPGRADE:
        curl_answer_judge(client, HTTP_PROTOCOL, "the server changes to a protocol that was not asked for");
        return false;
    case HTTP1_HEAD:
        end_head(client);
        return true;
    default:
        return true;
    }
}

/* Of HTTP/2, whose lines curl has made itself. */
static bool take_made_line(struct curl_client *client, struct bytes line)
{
    if (line.size > 5 && memcmp(line.data, "HTTP/", 5) == 0) {
        curl_answer_clear(client);
    } else if (line.size <= 2) {
        end_head(client);
    } else if (!buffer_append(&client->bodies.head, line.data, line.size)) {
        curl_answer_judge(client, HTTP_PROTOCOL, "the head of the answer is too large");
        return false;
    }
    return true;
}

size_t curl_answer_on_header(char *data, size_t size, size_t count, void *context)
{
    struct curl_client *client = context;
    struct bytes line = bytes_of(data, size * count);
    long version = 0;

    client->has_begun_answer = true;
    curl_easy_getinfo(client->easy, CURLINFO_HTTP_VERSION, &version);
    if (version == CURL_HTTP_VERSION_2_0 && client->request.url.is_tls) {
        return take_made_line(client, line) ? line.size : 0;
    }
    /* What comes after the head are trailers. */
    return client->has_whole_head || take_head_line(client, line) ? line.size : 0;
}

static bool take_plain(void *context, struct bytes plain)
{
    struct curl_client *client = context;
    struct http_bodies *bodies = &client->bodies;
    char text[100];

    if (http_bodies_append(bodies, &bodies->body, (const char *)plain.data, plain.size)) {
        return true;
    }
    if (bodies->is_out_of_memory) {
        curl_answer_judge_no_memory(client);
    } else {
        snprintf(text, sizeof text, "the body is larger than %zu bytes (max_body)", bodies->body.maximum);
        curl_answer_judge(client, HTTP_TOO_LARGE, text);
    }
    return false;
}

size_t curl_answer_on_body(char *data, size_t size, size_t count, void *context)
{
    struct curl_client *client = context;
    struct bytes piece = bytes_of(data, size * count);

    if (client->decoder == NULL) {
        return take_plain(client, piece) ? piece.size : 0;
    }
    switch (content_decoder_write(client->decoder, piece, take_plain, client)) {
    case CONTENT_OK:
        return piece.size;
    case CONTENT_MALFORMED:
        curl_answer_judge(client, HTTP_PROTOCOL, "the body is not in the coding that Content-Encoding names");
        return 0;
    default:
        return 0;
    }
}

static uint64_t duration_us(CURL *easy, CURLINFO info, uint64_t before_us)
{
    curl_off_t us = 0;

    curl_easy_getinfo(easy, info, &us);
    return us > 0 ? before_us + (uint64_t)us : 0;
}

/* Curl's begin with the last exchange. */
static void read_timings(const struct curl_client *client, struct http_timings *timings)
{
    uint64_t before_us = (client->begun_ns - client->started_ns) / 1000;

    timings->name_lookup_us = duration_us(client->easy, CURLINFO_NAMELOOKUP_TIME_T, before_us);
    timings->connect_us = duration_us(client->easy, CURLINFO_CONNECT_TIME_T, before_us);
    timings->tls_us = duration_us(client->easy, CURLINFO_APPCONNECT_TIME_T, before_us);
    timings->first_byte_us = duration_us(client->easy, CURLINFO_STARTTRANSFER_TIME_T, before_us);
    timings->total_us = before_us + duration_us(client->easy, CURLINFO_TOTAL_TIME_T, 0);
}

/* What the system said when no connection could be made. */
static int client_connect_errno(const struct curl_client *client)
{
    long number = 0;

    if (client->open_errno != 0) {
        return client->open_errno;
    }
    curl_easy_getinfo(client->easy, CURLINFO_OS_ERRNO, &number);
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

static void read_exchange(struct curl_client *client, struct http_response *response)
{
    long version = 0;
    long port = 0;
    long new_connections = 0;
    char *host = NULL;

    curl_easy_getinfo(client->easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(client->easy, CURLINFO_PRIMARY_PORT, &port);
    curl_easy_getinfo(client->easy, CURLINFO_NUM_CONNECTS, &new_connections);
    curl_easy_getinfo(client->easy, CURLINFO_PRIMARY_IP, &host);
    response->version = curl_version_text(version);
    response->is_reused = new_connections == 0;
    response->is_retried = client->is_retried;
    response->is_retry_known = true;
    if (host != NULL && *host) {
        bool is_v6 = strchr(host, ':') != NULL;
        snprintf(client->address, sizeof client->address, "%s%s%s:%ld", is_v6 ? "[" : "", host,
                 is_v6 ? "]" : "", port);
        response->address = client->address;
    }
}

static enum http_failure failure_of(const struct curl_client *client, CURLcode result)
{
    if (result == CURLE_COULDNT_CONNECT) {
        return curl_failure_of_system(client_connect_errno(client));
    }
    return curl_failure_of(result, client->error_text);
}

/* What curl has found. */
void curl_answer_judge_result(struct curl_client *client, CURLcode result)
{
    const char *curl_text = client->error_text[0] ? client->error_text : curl_easy_strerror(result);
    enum http_failure failure = failure_of(client, result);
    char text[CURL_ERROR_SIZE + 64];

    if (failure == HTTP_OK) {
        if (!client->has_whole_head) {
            curl_answer_judge(client, HTTP_RESET, "the connection ended in the middle of the answer");
        } else if (client->decoder != NULL && !content_decoder_is_whole(client->decoder)) {
            curl_answer_judge(client, HTTP_PROTOCOL, "the coded body ends in the middle");
        }
        return;
    }
    if (failure == HTTP_BAD_REQUEST && client->has_sent) {
        failure = HTTP_PROTOCOL; /* curl has no name of its own for some odd answers */
    }
    if (failure == HTTP_PROTOCOL && strstr(curl_text, "HTTP/0.9") != NULL) {
        snprintf(text, sizeof text, "the server's response is not HTTP");
    } else if (failure == HTTP_TIMEOUT) {
        snprintf(text, sizeof text, "timed out: no answer within %llu ms",
                 (unsigned long long)client->timeout_ms);
    } else if (failure == HTTP_LOCAL_LIMIT) {
        int number = client_connect_errno(client);
        snprintf(text, sizeof text, "connect: %s%s", strerror(number), connect_failure_advice(number));
    } else {
        snprintf(text, sizeof text, "%s", curl_text);
    }
    curl_answer_judge(client, failure, text);
}

void curl_answer_read(struct curl_client *client, struct http_response *response)
{
    long status = 0;

    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    response->status = (uint32_t)status;
    response->headers = buffer_bytes(&client->bodies.head);
    response->body = buffer_bytes(&client->bodies.body);
    response->url = client->redirects > 0 ? client->request.url.text : NULL;
    read_exchange(client, response);
    read_timings(client, &response->timings);
}
