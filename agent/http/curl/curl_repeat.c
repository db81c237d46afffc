/* What is sent more than once: after a connection that broke, without an expectation, to where a redirect
 * leads. */
#include "agent/http/curl/curl_client_inside.h"

#include "agent/base/source_address.h"
#include "agent/http/curl/curl_failure.h"
#include "agent/http/message/fields.h"
#include "agent/http/message/resend.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define CURL_REDIRECTS_MAX 20u

/* What was refused for want of digest authentication goes out once more. */
static bool answers_challenge(const struct curl_exchange *exchange)
{
    long status = 0;

    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    return exchange->is_digest && exchange->has_begun_answer && status == 401;
}

/* Curl connects, and then sends the request, within calls that may have begun under a lease that is over
 * now. And by itself it sends what broke off without an answer once more, whatever the method, and what was
 * refused by 417, with the same expectation. */
static bool exchange_may_go(struct curl_exchange *exchange)
{
    if (!curl_engine_may_send(exchange->engine)) {
        curl_answer_judge(exchange, HTTP_LOST, "the agent lost its lease before all of it was sent");
        return false;
    }
    exchange->is_broken_off |= exchange->has_sent && !exchange->has_begun_answer;
    return !exchange->has_sent || answers_challenge(exchange);
}

curl_socket_t curl_repeat_on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct curl_exchange *exchange = context;

    (void)purpose;
    if (!exchange_may_go(exchange)) {
        return CURL_SOCKET_BAD;
    }
    curl_socket_t opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (opened == CURL_SOCKET_BAD) {
        exchange->open_errno = errno;
    } else if (exchange->client->has_source &&
               (exchange->open_errno = source_address_bind(opened, &exchange->client->source)) != 0) {
        exchange->is_source_refused = true;
        close(opened);
        return CURL_SOCKET_BAD;
    } else {
        exchange->has_opened = true;
        curl_engine_opened(exchange->engine, opened);
    }
    return opened;
}

int curl_repeat_on_sending(void *context, char *to, char *from, int to_port, int from_port)
{
    struct curl_exchange *exchange = context;

    (void)to, (void)from, (void)to_port, (void)from_port;
    if (!exchange_may_go(exchange)) {
        return CURL_PREREQFUNC_ABORT;
    }
    curl_answer_clear(exchange);
    exchange->has_sent = true;
    exchange->has_begun_answer = false;
    return CURL_PREREQFUNC_OK;
}

/* RFC 9110 section 10.1.1: once more without the expectation. */
static bool may_drop_expectation(struct curl_exchange *exchange)
{
    long status = 0;

    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    return exchange->failure == HTTP_OK && status == 417 && curl_request_drop_expectation(&exchange->request);
}

/* Whether a redirect leads to another exchange. */
static bool may_follow(struct curl_exchange *exchange)
{
    struct error error;
    struct bytes location;
    long status = 0;

    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->failure != HTTP_OK || !exchange->is_followed || !resend_is_redirect((uint32_t)status) ||
        !fields_find(buffer_bytes(&exchange->bodies.head), "location", &location)) {
        return false;
    }
    if (exchange->redirects == CURL_REDIRECTS_MAX) {
        curl_answer_judge(exchange, HTTP_REDIRECTS, "more than 20 redirects, one after the other");
        return false;
    }
    size_t before = exchange->hops.size;
    buffer_append_format(&exchange->hops, "%ld %s\n", status, exchange->request.url.text);
    if (!curl_request_redirect(&exchange->request, (uint32_t)status, location, &error)) {
        exchange->hops.size = before;
        curl_answer_judge(exchange, HTTP_REDIRECTS, error.text);
        return false;
    }
    exchange->redirects++;
    exchange->is_retried = false;
    return true;
}

/* A kept connection that the server has closed while the request was on its way: it has not been looked at,
 * as far as one can know, and may be repeated, once (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1). */
static bool may_try_again(struct curl_exchange *exchange, CURLcode result)
{
    exchange->is_broken_off |= exchange->has_sent && !exchange->has_begun_answer && !exchange->has_opened &&
                               curl_failure_of(result, exchange->error_text) == HTTP_RESET;
    if (exchange->failure != HTTP_OK || !exchange->is_broken_off) {
        return false;
    }
    if (!exchange->is_retried && resend_is_harmless(exchange->request.method)) {
        exchange->is_retried = true;
        return true;
    }
    curl_answer_judge(exchange, HTTP_RESET, "the server closed the connection without an answer");
    return false;
}

bool curl_repeat_is_due(struct curl_exchange *exchange, CURLcode result)
{
    if (may_try_again(exchange, result) || may_drop_expectation(exchange)) {
        return true;
    }
    curl_answer_judge_result(exchange, result);
    return may_follow(exchange);
}
