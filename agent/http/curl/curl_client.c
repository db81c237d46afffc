/* One worker's client: an easy handle for each request, and a share object with its cookies and its
 * connections, which keeps them separate from those of other workers. */
#include "agent/http/curl/curl_client.h"

#include "agent/base/connect_failure.h"
#include "agent/base/source_address.h"
#include "agent/http/curl/curl_cookies.h"
#include "agent/http/curl/curl_failure.h"
#include "agent/http/curl/curl_request.h"
#include "agent/http/curl/curl_timings.h"
#include "agent/http/http_bodies.h"
#include "agent/http/message/fields.h"
#include "common/clock.h"
#include "common/host_override.h"
#include "common/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_REDIRECTS 20L

#define HOPS_MAX_BYTES (2u * 1024u * 1024u)

/* Easy handles beyond the first that a client keeps for later. */
#define EXCHANGES_KEPT HTTP_CONNECTIONS_MAX

struct curl_client {
    struct http_client base;
    struct curl_engine *engine;
    CURLSH *share;                /* connections and cookies */
    struct curl_slist *overrides; /* of addresses, as curl has them */
    struct address source;
    bool has_source;
    struct curl_cookies cookies;
    struct curl_exchange *exchanges;
    struct curl_exchange *spares;
    struct curl_exchange *waiting; /* for others to end, in order */
    unsigned spare_count;
    unsigned running; /* transfers that curl has */
};

struct curl_exchange {
    struct http_exchange base;
    struct curl_engine *engine;
    struct curl_client *client;
    struct curl_exchange *next; /* of the client's exchanges, or spares */
    struct curl_exchange **at;
    struct curl_exchange *next_waiting;
    struct curl_transfer transfer;
    CURL *easy;
    struct curl_request request;
    struct http_bodies bodies;
    struct http_response response;
    struct buffer hops;    /* as the response has them */
    size_t followed_bytes; /* of the hops: the last one may be no redirect that is followed */
    uint64_t asked_ns;     /* when it was started */
    uint64_t waited_us;
    uint64_t answered_ns; /* when the last answer began; 0: none has */
    uint64_t timeout_ms;
    int open_errno;         /* why no socket could be made; 0: one could */
    int probed_errno;       /* no descriptor was left when it failed; 0: there was, or it was not about one */
    bool is_source_refused; /* open_errno says why the socket could not be bound to it */
    bool is_begun;          /* its on_done is to come */
    bool is_running;        /* curl has it */
    bool is_waiting;
    bool is_too_large; /* the body of the answer */
    bool is_lost;      /* the lease was over when it wanted to connect, or to send */
    char address[HTTP_ADDRESS_BYTES];
    char error_text[CURL_ERROR_SIZE];
    char text[CURL_ERROR_SIZE + 64];
};

void curl_client_global_init(void)
{
    if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
        abort();
    }
}

/* Another answer comes after the one whose head is there: a redirect was followed, or it was a 100, or
 * refused for want of authentication. */
static void note_hop(struct curl_exchange *exchange)
{
    long status = 0;
    char *url = NULL;
    struct bytes location;

    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(exchange->easy, CURLINFO_EFFECTIVE_URL, &url);
    exchange->hops.size = exchange->followed_bytes;
    if (status / 100 == 3 && url != NULL &&
        fields_find(buffer_bytes(&exchange->bodies.head), "location", &location)) {
        buffer_append_format(&exchange->hops, "%ld %s\n", status, url);
    }
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct curl_exchange *exchange = context;
    size_t length = size * count;

    if (length >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        /* A redirect, a 100 or an authentication went before. */
        exchange->answered_ns = clock_now_ns();
        exchange->followed_bytes = exchange->hops.size;
        buffer_clear(&exchange->bodies.head);
        buffer_clear(&exchange->bodies.body);
    } else if (length <= 2) {
        note_hop(exchange);
    } else if (!http_bodies_append(&exchange->bodies, &exchange->bodies.head, data, length) &&
               exchange->bodies.is_out_of_memory) {
        return 0;
    }
    return length;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct curl_exchange *exchange = context;

    if (http_bodies_append(&exchange->bodies, &exchange->bodies.body, data, size * count)) {
        return size * count;
    }
    exchange->is_too_large = !exchange->bodies.is_out_of_memory;
    return 0;
}

/* Curl connects, and then sends the request, within calls that may have begun under a lease that is over
 * now. */
static curl_socket_t client_on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct curl_exchange *exchange = context;

    (void)purpose;
    if (!curl_engine_may_send(exchange->engine)) {
        exchange->is_lost = true;
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
    }
    return opened;
}

static int client_on_sending(void *context, char *to, char *from, int to_port, int from_port)
{
    struct curl_exchange *exchange = context;

    (void)to, (void)from, (void)to_port, (void)from_port;
    if (curl_engine_may_send(exchange->engine)) {
        return CURL_PREREQFUNC_OK;
    }
    exchange->is_lost = true;
    return CURL_PREREQFUNC_ABORT;
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
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tutti/" TUTTI_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error_text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, client_on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, client_on_sending);
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
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    return client;
}

/* One line of CURLOPT_RESOLVE for each entry. Names are then looked up by each client for itself: curl would
 * keep the addresses for everybody on this thread, and for other campaigns too. */
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
    if (client->overrides != NULL) {
        curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
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

const struct curl_client *curl_exchange_client(const struct curl_exchange *exchange)
{
    return exchange->client;
}

static struct curl_exchange *curl_exchange_new(struct curl_client *client)
{
    struct curl_exchange *exchange = MEMORY_NEW(struct curl_exchange);

    exchange->engine = client->engine;
    exchange->client = client;
    exchange->transfer.exchange = exchange;
    http_bodies_init(&exchange->bodies);
    buffer_init(&exchange->hops, HOPS_MAX_BYTES);
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL) {
        abort();
    }
    curl_request_init(&exchange->request, exchange->easy);
    set_up(exchange);
    set_up_network(exchange);
    return exchange;
}

static void curl_exchange_destroy(struct curl_exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    curl_request_finish(&exchange->request);
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

/* Curl has it from now on: what it has waited is not in curl's times. */
static void curl_exchange_run(struct curl_exchange *exchange, uint64_t timeout_ms)
{
    exchange->waited_us = (clock_now_ns() - exchange->asked_ns) / 1000;
    exchange->is_running = true;
    exchange->client->running++;
    curl_request_set_timeout(&exchange->request, timeout_ms);
    curl_engine_begin(exchange->engine, exchange->easy);
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
        uint64_t waited_ms = (clock_now_ns() - exchange->asked_ns) / NS_PER_MS;
        curl_stop_waiting(exchange);
        curl_exchange_run(exchange, waited_ms < exchange->timeout_ms ? exchange->timeout_ms - waited_ms : 1);
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

struct curl_exchange *curl_client_start(struct curl_client *client, const struct http_request *wanted)
{
    struct curl_exchange *exchange = curl_take_exchange(client);
    struct http_request request = *wanted;

    drop_bodies(exchange);
    if (!http_bodies_begin(&exchange->bodies, curl_engine_memory(exchange->engine), request.body.size,
                           request.max_body_bytes)) {
        /* It goes nowhere, and fails. */
        request.url = "";
        request.body = bytes_of(NULL, 0);
    }
    curl_request_set(&exchange->request, &request);
    buffer_clear(&exchange->hops);
    exchange->followed_bytes = 0;
    exchange->is_too_large = false;
    exchange->is_lost = false;
    exchange->open_errno = 0;
    exchange->is_source_refused = false;
    exchange->answered_ns = 0;
    exchange->error_text[0] = 0;
    exchange->timeout_ms = request.timeout_ms;
    exchange->asked_ns = clock_now_ns();
    exchange->is_begun = true;
    curl_engine_add(exchange->engine, &exchange->transfer);
    /* On HTTP/2 they share a connection. */
    if (client->running < HTTP_CONNECTIONS_MAX || request.is_http2) {
        curl_exchange_run(exchange, request.timeout_ms);
    } else {
        curl_begin_waiting(exchange);
    }
    return exchange;
}

static void curl_exchange_cancel(struct curl_exchange *exchange)
{
    if (exchange->is_begun) {
        curl_engine_quieten(exchange->engine, exchange->client);
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
    curl_engine_quieten(client->engine, client);
    while (client->spares != NULL) {
        struct curl_exchange *exchange = client->spares;
        leave_list(exchange);
        curl_exchange_destroy(exchange);
    }
    curl_cookies_finish(&client->cookies);
    curl_share_cleanup(client->share);
    curl_slist_free_all(client->overrides);
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
    curl_engine_hang_up(client->engine, client);
}

/* What the system said when no connection could be made. */
static int client_connect_errno(const struct curl_exchange *exchange)
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

/* Curl does not say when it has sent a request again. */
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
    if (host != NULL && *host) {
        bool is_v6 = strchr(host, ':') != NULL;
        snprintf(exchange->address, sizeof exchange->address, "%s%s%s:%ld", is_v6 ? "[" : "", host,
                 is_v6 ? "]" : "", port);
        response->address = exchange->address;
    }
}

/* What the proxy has answered to CONNECT; 0: nothing. */
static uint32_t client_proxy_status(const struct curl_exchange *exchange)
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
        return curl_failure_of_system(client_connect_errno(exchange)) != HTTP_LOCAL_LIMIT;
    }
    return client_proxy_status(exchange) >= 300 || strstr(exchange->error_text, "CONNECT") != NULL;
}

/* Curl, and the system's resolver, do not say why they could not open a file or a socket. */
static int client_probe(CURLcode result)
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

static void read_times(const struct curl_exchange *exchange, struct http_response *response)
{
    struct curl_times times = {.easy = exchange->easy, .waited_us = exchange->waited_us};

    if (exchange->answered_ns > 0) {
        times.answered_us = (exchange->answered_ns - exchange->asked_ns) / 1000;
    }
    curl_timings_read(&times, response);
}

static enum http_failure failure_of(const struct curl_exchange *exchange, CURLcode result)
{
    if (exchange->is_lost) {
        return HTTP_LOST;
    }
    if (exchange->bodies.is_out_of_memory) {
        return HTTP_NO_MEMORY;
    }
    if (exchange->probed_errno != 0 || (exchange->is_source_refused && result == CURLE_COULDNT_CONNECT)) {
        return HTTP_LOCAL_LIMIT;
    }
    if (is_proxy_to_blame(exchange, result)) {
        return HTTP_PROXY;
    }
    if (result == CURLE_COULDNT_CONNECT) {
        return curl_failure_of_system(client_connect_errno(exchange));
    }
    return curl_failure_of(result, exchange->error_text, exchange->is_too_large);
}

static const char *describe(struct curl_exchange *exchange, CURLcode result, enum http_failure failure)
{
    const char *curl_text = exchange->error_text[0] ? exchange->error_text : curl_easy_strerror(result);

    if (failure == HTTP_OK) {
        return NULL;
    }
    if (failure == HTTP_LOST) {
        snprintf(exchange->text, sizeof exchange->text, "the agent lost its lease before all of it was sent");
    } else if (failure == HTTP_TOO_LARGE) {
        snprintf(exchange->text, sizeof exchange->text, "the body is larger than %zu bytes (max_body)",
                 exchange->bodies.body.maximum);
    } else if (failure == HTTP_NO_MEMORY) {
        snprintf(
            exchange->text, sizeof exchange->text,
            "no memory for its body: the bodies that the workers of this thread hold have reached %zu MiB "
            "(a smaller max_body bounds each)",
            curl_engine_memory(exchange->engine)->limit_bytes >> 21);
    } else if (failure == HTTP_PROTOCOL && strstr(curl_text, "HTTP/0.9") != NULL) {
        snprintf(exchange->text, sizeof exchange->text, "the server's response is not HTTP");
    } else if (failure == HTTP_PROXY) {
        snprintf(exchange->text, sizeof exchange->text, "the proxy: %s", curl_text);
    } else if (failure == HTTP_LOCAL_LIMIT && exchange->is_source_refused) {
        source_address_describe(&exchange->client->source, exchange->open_errno, exchange->text,
                                sizeof exchange->text);
    } else if (failure == HTTP_LOCAL_LIMIT) {
        int number = client_connect_errno(exchange);
        snprintf(exchange->text, sizeof exchange->text, "connect: %s%s", strerror(number),
                 connect_failure_advice(number));
    } else {
        snprintf(exchange->text, sizeof exchange->text, "%s", curl_text);
    }
    return exchange->text;
}

void curl_exchange_done(struct curl_exchange *exchange, CURLcode result)
{
    struct http_response *response = &exchange->response;
    long status = 0;
    char *url = NULL;

    exchange->probed_errno = client_probe(result);
    curl_stop_running(exchange);
    *response = (struct http_response){.failure = failure_of(exchange, result)};
    response->text = describe(exchange, result, response->failure);
    if (response->failure != HTTP_OK) {
        drop_bodies(exchange);
    }
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    response->status = response->failure == HTTP_PROXY ? client_proxy_status(exchange) : (uint32_t)status;
    response->headers = buffer_bytes(&exchange->bodies.head);
    response->body = buffer_bytes(&exchange->bodies.body);
    if (exchange->request.is_special &&
        curl_easy_getinfo(exchange->easy, CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK) {
        response->url = url;
    }
    response->redirects = bytes_of(exchange->hops.data, exchange->followed_bytes);
    read_exchange(exchange, response);
    read_times(exchange, response);
    if (!exchange->is_lost) {
        curl_serve_waiting(exchange->client);
    }
    exchange->base.on_done(exchange->base.context, response);
}

void curl_exchange_lose(struct curl_exchange *exchange)
{
    exchange->is_lost = true;
    curl_exchange_done(exchange, CURLE_ABORTED_BY_CALLBACK);
}
