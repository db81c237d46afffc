/* One worker's client: an easy handle with its cookies, and a share object that keeps its connections
 * separate from those of other workers. */
#include "agent/http/curl/curl_client_inside.h"

#include "agent/http/curl/curl_failure.h"
#include "agent/http/message/fields.h"
#include "agent/http/message/http1_parser.h"
#include "agent/http/message/resend.h"
#include "common/clock.h"
#include "common/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CURL_REDIRECTS_MAX 20u

void curl_client_global_init(void)
{
    if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
        abort();
    }
}

/* Curl connects, and then sends the request, within calls that may have begun under a lease that is over
 * now. And by itself it sends what broke off without an answer once more, whatever the method, and what was
 * refused by 417, with the same expectation. */
static bool client_may_go(struct curl_client *client)
{
    if (!curl_engine_may_send(client->engine)) {
        curl_answer_judge(client, HTTP_LOST, "the agent lost its lease before all of it was sent");
        return false;
    }
    client->is_broken_off |= client->has_sent && !client->has_begun_answer;
    return !client->has_sent;
}

static curl_socket_t client_on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct curl_client *client = context;

    (void)purpose;
    if (!client_may_go(client)) {
        return CURL_SOCKET_BAD;
    }
    curl_socket_t opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (opened == CURL_SOCKET_BAD) {
        client->open_errno = errno;
    } else {
        client->has_opened = true;
        curl_engine_opened(client->engine, opened);
    }
    return opened;
}

static int client_on_sending(void *context, char *to, char *from, int to_port, int from_port)
{
    struct curl_client *client = context;

    (void)to, (void)from, (void)to_port, (void)from_port;
    if (!client_may_go(client)) {
        return CURL_PREREQFUNC_ABORT;
    }
    client->has_sent = true;
    client->has_begun_answer = false;
    return CURL_PREREQFUNC_OK;
}

static void set_up(struct curl_client *client)
{
    CURL *easy = client->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, client);
    curl_easy_setopt(easy, CURLOPT_SHARE, client->share);
    curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* cancelling does not wait for a slow name server */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tutti/" TUTTI_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->error_text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, curl_answer_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, client);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, curl_answer_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, client_on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, client);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, client_on_sending);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, client);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, curl_engine_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, client->engine);
}

struct curl_client *curl_client_new(struct curl_engine *engine,
                                    void (*on_done)(void *context, struct http_response *response),
                                    void *context)
{
    struct curl_client *client = MEMORY_NEW(struct curl_client);

    client->engine = engine;
    client->transfer.client = client;
    client->on_done = on_done;
    client->context = context;
    http_bodies_init(&client->bodies);
    client->bodies.head.maximum = HTTP1_HEAD_MAX_BYTES;
    client->easy = curl_easy_init();
    client->share = curl_share_init();
    if (client->easy == NULL || client->share == NULL) {
        abort();
    }
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_request_init(&client->request, engine, client->easy);
    set_up(client);
    return client;
}

void curl_client_free(struct curl_client **pointer)
{
    struct curl_client *client = *pointer;

    if (client == NULL) {
        return;
    }
    curl_client_cancel(client);
    curl_engine_quieten(client->engine, &client->transfer);
    curl_easy_cleanup(client->easy);
    curl_share_cleanup(client->share);
    curl_socket_list_finish(&client->transfer.sockets);
    content_decoder_free(&client->decoder);
    curl_request_finish(&client->request);
    http_bodies_finish(&client->bodies);
    memory_free(client);
    *pointer = NULL;
}

static void drop_bodies(struct curl_client *client)
{
    if (http_bodies_drop(&client->bodies)) {
        curl_easy_setopt(client->easy, CURLOPT_COPYPOSTFIELDS, NULL);
    }
}

struct curl_transfer *curl_client_transfer(struct curl_client *client)
{
    return &client->transfer;
}

static void client_exchange(struct curl_client *client)
{
    client->begun_ns = clock_now_ns();
    uint64_t spent_ms = (client->begun_ns - client->started_ns) / NS_PER_MS;
    curl_request_set_timeout(&client->request,
                             spent_ms < client->timeout_ms ? client->timeout_ms - spent_ms : 1);
    curl_answer_clear(client);
    client->has_opened = client->has_sent = client->has_begun_answer = client->is_broken_off = false;
    curl_easy_setopt(client->easy, CURLOPT_FRESH_CONNECT, client->is_retried ? 1L : 0L);
    client->open_errno = 0;
    client->error_text[0] = 0;
    client->is_running = true;
    curl_engine_begin(client->engine, client->easy, &client->transfer);
}

void curl_client_start(struct curl_client *client, const struct http_request *wanted)
{
    struct error error;

    drop_bodies(client);
    client->failure = HTTP_OK;
    client->started_ns = clock_now_ns();
    client->timeout_ms = wanted->timeout_ms;
    client->redirects = 0;
    client->is_retried = false;
    client->is_followed = wanted->is_followed;
    if (!http_bodies_begin(&client->bodies, curl_engine_memory(client->engine), wanted->body.size,
                           wanted->max_body_bytes)) {
        curl_answer_judge_no_memory(client);
        curl_request_set_nowhere(&client->request);
    } else if (!curl_request_set(&client->request, wanted, &error)) {
        curl_answer_judge(client, HTTP_BAD_REQUEST, error.text);
    }
    client_exchange(client);
}

void curl_client_cancel(struct curl_client *client)
{
    if (!client->is_running) {
        return;
    }
    client->is_running = false;
    curl_engine_quieten(client->engine, &client->transfer);
    curl_engine_end(client->engine, client->easy, &client->transfer);
    drop_bodies(client);
}

void curl_client_drop_body(struct curl_client *client)
{
    drop_bodies(client);
}

/* RFC 9110 section 10.1.1: once more without the expectation. */
static bool client_may_drop_expectation(struct curl_client *client)
{
    long status = 0;

    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    return client->failure == HTTP_OK && status == 417 && curl_request_drop_expectation(&client->request);
}

/* Whether a redirect leads to another exchange. */
static bool follows_redirect(struct curl_client *client)
{
    struct error error;
    struct bytes location;
    long status = 0;

    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    if (client->failure != HTTP_OK || !client->is_followed || !resend_is_redirect((uint32_t)status) ||
        !fields_find(buffer_bytes(&client->bodies.head), "location", &location)) {
        return false;
    }
    if (client->redirects == CURL_REDIRECTS_MAX) {
        curl_answer_judge(client, HTTP_REDIRECTS, "more than 20 redirects, one after the other");
        return false;
    }
    if (!curl_request_redirect(&client->request, (uint32_t)status, location, &error)) {
        curl_answer_judge(client, HTTP_REDIRECTS, error.text);
        return false;
    }
    client->redirects++;
    client->is_retried = false;
    return true;
}

static void client_deliver(struct curl_client *client)
{
    struct http_response *response = &client->response;

    *response = (struct http_response){.failure = client->failure};
    response->text = client->failure != HTTP_OK ? client->text : NULL;
    if (client->failure != HTTP_OK) {
        drop_bodies(client);
    }
    curl_answer_read(client, response);
    client->on_done(client->context, response);
}

/* A kept connection that the server has closed while the request was on its way: it has not been looked at,
 * as far as one can know, and may be repeated, once (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1). */
static bool client_may_retry(struct curl_client *client, CURLcode result)
{
    client->is_broken_off |= client->has_sent && !client->has_begun_answer && !client->has_opened &&
                             curl_failure_of(result, client->error_text) == HTTP_RESET;
    if (client->failure != HTTP_OK || !client->is_broken_off) {
        return false;
    }
    if (!client->is_retried && resend_is_harmless(client->request.method)) {
        client->is_retried = true;
        return true;
    }
    curl_answer_judge(client, HTTP_RESET, "the server closed the connection without an answer");
    return false;
}

void curl_client_done(struct curl_client *client, CURLcode result)
{
    client->is_running = false;
    curl_engine_end(client->engine, client->easy, &client->transfer);
    if (client_may_retry(client, result) || client_may_drop_expectation(client)) {
        client_exchange(client);
        return;
    }
    curl_answer_judge_result(client, result);
    if (follows_redirect(client)) {
        client_exchange(client);
    } else {
        client_deliver(client);
    }
}

void curl_client_nudge(struct curl_client *client)
{
    if (client->is_running) {
        /* The change back is what makes it look. */
        curl_easy_pause(client->easy, CURLPAUSE_ALL);
        curl_easy_pause(client->easy, CURLPAUSE_CONT);
    }
}

void curl_client_lose(struct curl_client *client)
{
    curl_answer_judge(client, HTTP_LOST, "the agent lost its lease before all of it was sent");
    curl_client_done(client, CURLE_ABORTED_BY_CALLBACK);
}
