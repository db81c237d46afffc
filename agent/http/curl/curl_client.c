/* One worker's client: an easy handle for each request, and a share object with its cookies and its
 * connections, which keeps them separate from those of other workers. */
#include "agent/http/curl/curl_client_inside.h"

#include "common/clock.h"
#include "common/host_override.h"
#include "common/memory.h"

#include <stdlib.h>

#define HOPS_MAX_BYTES (2u * 1024u * 1024u)

/* Easy handles beyond the first that a client keeps for later. */
#define EXCHANGES_KEPT HTTP_CONNECTIONS_MAX

void curl_client_global_init(void)
{
    if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
        abort();
    }
}

/* The options --resolve and --source. */
static void set_up_network(struct curl_exchange *exchange)
{
    const struct curl_client *client = exchange->client;

    if (client->overrides != NULL) {
        curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE, client->overrides);
    }
    if (client->has_source) {
        curl_easy_setopt(exchange->easy, CURLOPT_IPRESOLVE,
                         address_is_v4(&client->source) ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6);
    }
}

static void set_up(struct curl_exchange *exchange)
{
    CURL *easy = exchange->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_SHARE, exchange->client->share);
    curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* cancelling does not wait for a slow name server */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tutti/" TUTTI_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error_text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, curl_answer_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, curl_answer_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, curl_repeat_on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, curl_repeat_on_sending);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, curl_engine_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, exchange->engine);
}

struct curl_client *curl_client_new(struct curl_engine *engine)
{
    struct curl_client *client = MEMORY_NEW(struct curl_client);

    client->engine = engine;
    client->share = curl_share_init();
    if (client->share == NULL) {
        abort();
    }
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    return client;
}

/* One line of CURLOPT_RESOLVE for each entry; the names that are known are each client's own. */
static void set_overrides(struct curl_client *client, struct bytes overrides)
{
    struct host_override entry;

    while (host_override_next(&overrides, &entry)) {
        char *line = memory_format("%.*s:%u:%.*s", BYTES_FORMAT(entry.host), entry.port,
                                   BYTES_FORMAT(entry.addresses));
        struct curl_slist *longer = curl_slist_append(client->overrides, line);
        memory_free(line);
        if (longer == NULL) {
            abort();
        }
        client->overrides = longer;
    }
}

void curl_client_set_network(struct curl_client *client, const struct http_network *network)
{
    set_overrides(client, network->overrides);
    client->has_source = network->source != NULL;
    if (client->has_source) {
        client->source = *network->source;
    }
}

struct curl_transfer *curl_exchange_transfer(struct curl_exchange *exchange)
{
    return &exchange->transfer;
}

struct curl_socket_list *curl_exchange_sockets(struct curl_exchange *exchange)
{
    return &exchange->client->sockets;
}

static struct curl_exchange *curl_exchange_new(struct curl_client *client)
{
    struct curl_exchange *exchange = MEMORY_NEW(struct curl_exchange);

    exchange->engine = client->engine;
    exchange->client = client;
    exchange->transfer.exchange = exchange;
    http_bodies_init(&exchange->bodies);
    exchange->bodies.head.maximum = HTTP1_HEAD_MAX_BYTES;
    buffer_init(&exchange->hops, HOPS_MAX_BYTES);
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL) {
        abort();
    }
    curl_request_init(&exchange->request, client->engine, exchange->easy);
    set_up(exchange);
    set_up_network(exchange);
    return exchange;
}

static void curl_exchange_destroy(struct curl_exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    curl_request_finish(&exchange->request);
    content_decoder_free(&exchange->decoder);
    buffer_finish(&exchange->hops);
    http_bodies_finish(&exchange->bodies);
    memory_free(exchange);
}

static void push_to_list(struct curl_exchange **list, struct curl_exchange *exchange)
{
    exchange->next = *list;
    exchange->at = list;
    if (exchange->next != NULL) {
        exchange->next->at = &exchange->next;
    }
    *list = exchange;
}

static void leave_list(struct curl_exchange *exchange)
{
    *exchange->at = exchange->next;
    if (exchange->next != NULL) {
        exchange->next->at = exchange->at;
    }
}

static struct curl_exchange *curl_take_exchange(struct curl_client *client)
{
    struct curl_exchange *exchange = client->spares;

    if (exchange != NULL) {
        leave_list(exchange);
        client->spare_count--;
    } else {
        exchange = curl_exchange_new(client);
    }
    http_bodies_keep(&exchange->bodies, client->exchanges == NULL);
    push_to_list(&client->exchanges, exchange);
    return exchange;
}

static void drop_bodies(struct curl_exchange *exchange)
{
    if (http_bodies_drop(&exchange->bodies)) {
        curl_easy_setopt(exchange->easy, CURLOPT_COPYPOSTFIELDS, NULL);
    }
}

CURL *curl_exchange_begin(struct curl_exchange *exchange)
{
    if (exchange->transfer.is_queued) {
        exchange->begun_ns = clock_now_ns();
    }
    uint64_t spent_ms = (exchange->begun_ns - exchange->asked_ns) / NS_PER_MS;
    bool is_fresh = exchange->is_fresh || exchange->is_retried;

    curl_easy_setopt(exchange->easy, CURLOPT_FRESH_CONNECT, is_fresh ? 1L : 0L);
    curl_request_set_timeout(&exchange->request,
                             spent_ms < exchange->timeout_ms ? exchange->timeout_ms - spent_ms : 1);
    curl_socket_list_drop_stale(&exchange->client->sockets);
    return exchange->easy;
}

/* Curl has it from now on, or in a moment. */
static void curl_exchange_run(struct curl_exchange *exchange)
{
    struct curl_client *client = exchange->client;

    exchange->begun_ns = clock_now_ns();
    bool is_fresh = exchange->is_fresh || exchange->is_retried;
    bool shakes_hands =
        exchange->request.url.is_tls && (is_fresh || !curl_socket_list_has_idle(&client->sockets));

    curl_answer_clear(exchange);
    exchange->has_opened = exchange->has_sent = exchange->has_begun_answer = exchange->is_broken_off = false;
    exchange->open_errno = exchange->probed_errno = 0;
    exchange->is_source_refused = false;
    exchange->answered_ns = 0;
    exchange->error_text[0] = 0;
    exchange->is_running = true;
    client->running++;
    curl_engine_begin(exchange->engine, &exchange->transfer, shakes_hands);
}

static void curl_stop_waiting(struct curl_exchange *exchange)
{
    struct curl_exchange **at = &exchange->client->waiting;

    while (*at != exchange) {
        at = &(*at)->next_waiting;
    }
    *at = exchange->next_waiting;
    exchange->is_waiting = false;
}

static void curl_begin_waiting(struct curl_exchange *exchange)
{
    struct curl_exchange **at = &exchange->client->waiting;

    while (*at != NULL) {
        at = &(*at)->next_waiting;
    }
    *at = exchange;
    exchange->next_waiting = NULL;
    exchange->is_waiting = true;
}

static void curl_serve_waiting(struct curl_client *client)
{
    while (client->waiting != NULL && client->running < HTTP_CONNECTIONS_MAX) {
        struct curl_exchange *exchange = client->waiting;
        curl_stop_waiting(exchange);
        curl_exchange_run(exchange);
    }
}

/* Out of the engine, and out of curl. */
static void curl_stop_running(struct curl_exchange *exchange)
{
    if (exchange->is_waiting) {
        curl_stop_waiting(exchange);
    }
    exchange->client->running -= exchange->is_running;
    exchange->is_running = false;
    exchange->is_begun = false;
    curl_engine_end(exchange->engine, exchange->easy, &exchange->transfer);
}

static void curl_exchange_prepare(struct curl_exchange *exchange, const struct http_request *wanted)
{
    struct error error;

    drop_bodies(exchange);
    buffer_clear(&exchange->hops);
    exchange->failure = HTTP_OK;
    exchange->redirects = 0;
    exchange->is_retried = false;
    exchange->is_repeated = false;
    exchange->before = (struct http_timings){0};
    exchange->is_followed = wanted->is_followed;
    exchange->is_fresh = wanted->is_fresh;
    exchange->is_digest = wanted->is_digest;
    exchange->timeout_ms = wanted->timeout_ms;
    if (!http_bodies_begin(&exchange->bodies, curl_engine_memory(exchange->engine), wanted->body.size,
                           wanted->max_body_bytes)) {
        curl_answer_judge_no_memory(exchange);
        curl_request_set_nowhere(&exchange->request);
    } else if (!curl_request_set(&exchange->request, wanted, &error)) {
        curl_answer_judge(exchange, HTTP_BAD_REQUEST, error.text);
    }
    exchange->asked_ns = clock_now_ns();
}

struct curl_exchange *curl_client_start(struct curl_client *client, const struct http_request *wanted)
{
    struct curl_exchange *exchange = curl_take_exchange(client);

    curl_exchange_prepare(exchange, wanted);
    exchange->is_begun = true;
    curl_engine_add(exchange->engine, &exchange->transfer);
    /* On HTTP/2 they share a connection. */
    if (client->running < HTTP_CONNECTIONS_MAX || wanted->is_http2) {
        curl_exchange_run(exchange);
    } else {
        curl_begin_waiting(exchange);
    }
    return exchange;
}

static void curl_exchange_cancel(struct curl_exchange *exchange)
{
    if (exchange->is_begun) {
        curl_engine_quieten(exchange->engine, &exchange->client->sockets);
        curl_stop_running(exchange);
    }
    drop_bodies(exchange);
}

static void curl_leave_client(struct curl_exchange *exchange)
{
    struct curl_client *client = exchange->client;

    leave_list(exchange);
    if (client->spare_count < EXCHANGES_KEPT) {
        push_to_list(&client->spares, exchange);
        client->spare_count++;
    } else {
        curl_exchange_destroy(exchange);
    }
}

void curl_exchange_free(struct curl_exchange **pointer)
{
    struct curl_exchange *exchange = *pointer;
    struct curl_client *client = exchange->client;

    curl_exchange_cancel(exchange);
    curl_leave_client(exchange);
    curl_serve_waiting(client);
    *pointer = NULL;
}

void curl_client_cancel(struct curl_client *client)
{
    while (client->exchanges != NULL) {
        struct curl_exchange *exchange = client->exchanges;
        curl_exchange_cancel(exchange);
        curl_leave_client(exchange);
    }
}

void curl_client_free(struct curl_client **pointer)
{
    struct curl_client *client = *pointer;

    if (client == NULL) {
        return;
    }
    curl_client_cancel(client);
    curl_engine_quieten(client->engine, &client->sockets);
    while (client->spares != NULL) {
        struct curl_exchange *exchange = client->spares;
        leave_list(exchange);
        curl_exchange_destroy(exchange);
    }
    curl_cookies_finish(&client->cookies);
    curl_share_cleanup(client->share);
    curl_slist_free_all(client->overrides);
    curl_socket_list_finish(&client->sockets);
    memory_free(client);
    *pointer = NULL;
}

struct cookie_jar *curl_client_cookies(struct curl_client *client)
{
    return curl_cookies_read(&client->cookies, client->share);
}

void curl_client_cookies_changed(struct curl_client *client)
{
    curl_cookies_write(&client->cookies);
}

void curl_client_close_idle(struct curl_client *client)
{
    curl_socket_list_hang_up(&client->sockets);
}

static void curl_exchange_deliver(struct curl_exchange *exchange)
{
    struct http_response *response = &exchange->response;

    *response = (struct http_response){.failure = exchange->failure};
    response->text = exchange->failure != HTTP_OK ? exchange->text : NULL;
    if (exchange->failure != HTTP_OK) {
        drop_bodies(exchange);
    }
    curl_answer_read(exchange, response);
    if (exchange->failure != HTTP_LOST) {
        curl_serve_waiting(exchange->client);
    }
    http_response_complete(&exchange->base, response);
    exchange->base.on_done(exchange->base.context, response);
}

void curl_exchange_done(struct curl_exchange *exchange, CURLcode result)
{
    curl_stop_running(exchange);
    if (curl_repeat_is_due(exchange, result)) {
        curl_answer_add_times(exchange);
        exchange->is_begun = true;
        curl_engine_add(exchange->engine, &exchange->transfer);
        curl_exchange_run(exchange);
    } else {
        curl_exchange_deliver(exchange);
    }
}

void curl_exchange_nudge(struct curl_exchange *exchange)
{
    if (exchange->is_running && !exchange->transfer.is_queued) {
        /* The change back is what makes it look. */
        curl_easy_pause(exchange->easy, CURLPAUSE_ALL);
        curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
    }
}

void curl_exchange_lose(struct curl_exchange *exchange)
{
    curl_answer_judge(exchange, HTTP_LOST, "the agent lost its lease before all of it was sent");
    curl_exchange_done(exchange, CURLE_ABORTED_BY_CALLBACK);
}
