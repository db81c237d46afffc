/* One worker's client: an easy handle with its cookies, and a share object that keeps its connections
 * separate from those of other workers. */
#include "agent/http/curl/curl_client.h"

#include "agent/base/connect_failure.h"
#include "agent/base/source_address.h"
#include "agent/http/curl/curl_failure.h"
#include "agent/http/curl/curl_request.h"
#include "agent/http/http_bodies.h"
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

struct curl_client {
    struct http_client base;
    struct curl_engine *engine;
    struct curl_transfer transfer;
    CURL *easy;
    CURLSH *share;
    void (*on_done)(void *context, struct http_response *response);
    void *context;
    struct curl_request request;
    struct http_bodies bodies;
    struct http_response response;
    struct curl_slist *overrides; /* of addresses, as curl has them */
    struct address source;
    bool has_source;
    bool is_source_refused; /* open_errno says why the socket could not be bound to it */
    int probed_errno;       /* no descriptor was left when it failed; 0: there was, or it was not about one */
    int open_errno;         /* why no socket could be made; 0: one could */
    bool is_running;
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

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct curl_client *client = context;
    size_t length = size * count;

    if (length >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        /* A redirect, a 100 or an authentication went before. */
        buffer_clear(&client->bodies.head);
        buffer_clear(&client->bodies.body);
    } else if (length > 2 && !http_bodies_append(&client->bodies, &client->bodies.head, data, length) &&
               client->bodies.is_out_of_memory) {
        return 0;
    }
    return length;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct curl_client *client = context;

    if (http_bodies_append(&client->bodies, &client->bodies.body, data, size * count)) {
        return size * count;
    }
    client->is_too_large = !client->bodies.is_out_of_memory;
    return 0;
}

/* Curl connects, and then sends the request, within calls that may have begun under a lease that is over
 * now. */
static curl_socket_t client_on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct curl_client *client = context;

    (void)purpose;
    if (!curl_engine_may_send(client->engine)) {
        client->is_lost = true;
        return CURL_SOCKET_BAD;
    }
    curl_socket_t opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (opened == CURL_SOCKET_BAD) {
        client->open_errno = errno;
    } else if (client->has_source &&
               (client->open_errno = source_address_bind(opened, &client->source)) != 0) {
        client->is_source_refused = true;
        close(opened);
        return CURL_SOCKET_BAD;
    }
    return opened;
}

static int client_on_sending(void *context, char *to, char *from, int to_port, int from_port)
{
    struct curl_client *client = context;

    (void)to, (void)from, (void)to_port, (void)from_port;
    if (curl_engine_may_send(client->engine)) {
        return CURL_PREREQFUNC_OK;
    }
    client->is_lost = true;
    return CURL_PREREQFUNC_ABORT;
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
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tutti/" TUTTI_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->error_text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, client);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
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
    client->easy = curl_easy_init();
    client->share = curl_share_init();
    if (client->easy == NULL || client->share == NULL) {
        abort();
    }
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
    curl_request_init(&client->request, client->easy);
    set_up(client);
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
        curl_easy_setopt(client->easy, CURLOPT_RESOLVE, client->overrides);
    }
}

void curl_client_set_network(struct curl_client *client, const struct http_network *network)
{
    /* The handle must not use the share while what is shared changes. */
    curl_easy_setopt(client->easy, CURLOPT_SHARE, NULL);
    set_overrides(client, network->overrides);
    curl_easy_setopt(client->easy, CURLOPT_SHARE, client->share);
    client->has_source = network->source != NULL;
    if (client->has_source) {
        client->source = *network->source;
        curl_easy_setopt(client->easy, CURLOPT_IPRESOLVE,
                         address_is_v4(network->source) ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6);
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
    curl_easy_cleanup(client->easy);
    curl_share_cleanup(client->share);
    curl_slist_free_all(client->overrides);
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

void curl_client_start(struct curl_client *client, const struct http_request *wanted)
{
    struct http_request request = *wanted;

    drop_bodies(client);
    if (!http_bodies_begin(&client->bodies, curl_engine_memory(client->engine), request.body.size,
                           request.max_body_bytes)) {
        /* It goes nowhere, and fails. */
        request.url = "";
        request.body = bytes_of(NULL, 0);
    }
    curl_request_set(&client->request, &request);
    client->is_too_large = false;
    client->is_lost = false;
    client->open_errno = 0;
    client->is_source_refused = false;
    client->error_text[0] = 0;
    client->is_running = true;
    curl_engine_begin(client->engine, client->easy, &client->transfer);
}

void curl_client_cancel(struct curl_client *client)
{
    if (!client->is_running) {
        return;
    }
    client->is_running = false;
    curl_engine_quieten(client->engine, client);
    curl_engine_end(client->engine, client->easy, &client->transfer);
    drop_bodies(client);
}

void curl_client_drop_body(struct curl_client *client)
{
    drop_bodies(client);
}

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

/* What the system said when no connection could be made. */
static int client_connect_errno(const struct curl_client *client)
{
    long number = 0;

    if (client->open_errno != 0) {
        return client->open_errno;
    }
    if (client->probed_errno != 0) {
        return client->probed_errno;
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

/* Curl does not say when it has sent a request again. */
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
    if (host != NULL && *host) {
        bool is_v6 = strchr(host, ':') != NULL;
        snprintf(client->address, sizeof client->address, "%s%s%s:%ld", is_v6 ? "[" : "", host,
                 is_v6 ? "]" : "", port);
        response->address = client->address;
    }
}

/* What the proxy has answered to CONNECT; 0: nothing. */
static uint32_t client_proxy_status(const struct curl_client *client)
{
    long status = 0;

    curl_easy_getinfo(client->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status > 0 ? (uint32_t)status : 0;
}

/* Curl has one code for many faults of a proxy, and its text tells them apart. */
static bool is_proxy_to_blame(const struct curl_client *client, CURLcode result)
{
    if (result == CURLE_OK || !curl_request_is_proxied(&client->request)) {
        return false;
    }
    if (result == CURLE_COULDNT_CONNECT) {
        return curl_failure_of_system(client_connect_errno(client)) != HTTP_LOCAL_LIMIT;
    }
    return client_proxy_status(client) >= 300 || strstr(client->error_text, "CONNECT") != NULL;
}

static enum http_failure failure_of(const struct curl_client *client, CURLcode result)
{
    if (client->is_lost) {
        return HTTP_LOST;
    }
    if (client->bodies.is_out_of_memory) {
        return HTTP_NO_MEMORY;
    }
    if (client->probed_errno != 0) {
        return HTTP_LOCAL_LIMIT;
    }
    if (client->is_source_refused && result == CURLE_COULDNT_CONNECT) {
        return HTTP_LOCAL_LIMIT;
    }
    if (is_proxy_to_blame(client, result)) {
        return HTTP_PROXY;
    }
    if (result == CURLE_COULDNT_CONNECT) {
        return curl_failure_of_system(client_connect_errno(client));
    }
    return curl_failure_of(result, client->error_text, client->is_too_large);
}

static const char *describe(struct curl_client *client, CURLcode result, enum http_failure failure)
{
    const char *curl_text = client->error_text[0] ? client->error_text : curl_easy_strerror(result);

    if (failure == HTTP_OK) {
        return NULL;
    }
    if (failure == HTTP_LOST) {
        snprintf(client->text, sizeof client->text, "the agent lost its lease before all of it was sent");
    } else if (failure == HTTP_TOO_LARGE) {
        snprintf(client->text, sizeof client->text, "the body is larger than %zu bytes (max_body)",
                 client->bodies.body.maximum);
    } else if (failure == HTTP_NO_MEMORY) {
        snprintf(
            client->text, sizeof client->text,
            "no memory for its body: the bodies that the workers of this thread hold have reached %zu MiB "
            "(a smaller max_body bounds each)",
            curl_engine_memory(client->engine)->limit_bytes >> 21);
    } else if (failure == HTTP_PROTOCOL && strstr(curl_text, "HTTP/0.9") != NULL) {
        snprintf(client->text, sizeof client->text, "the server's response is not HTTP");
    } else if (failure == HTTP_PROXY) {
        snprintf(client->text, sizeof client->text, "the proxy: %s", curl_text);
    } else if (failure == HTTP_LOCAL_LIMIT && client->is_source_refused) {
        source_address_describe(&client->source, client->open_errno, client->text, sizeof client->text);
    } else if (failure == HTTP_LOCAL_LIMIT) {
        int number = client_connect_errno(client);
        snprintf(client->text, sizeof client->text, "connect: %s%s", strerror(number),
                 connect_failure_advice(number));
    } else {
        snprintf(client->text, sizeof client->text, "%s", curl_text);
    }
    return client->text;
}

void curl_client_done(struct curl_client *client, CURLcode result)
{
    struct http_response *response = &client->response;
    long status = 0;
    char *url = NULL;

    client->is_running = false;
    /* Curl, and the system's resolver, do not say why they could not open a file or a socket. */
    client->probed_errno = result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_RESOLVE_PROXY ||
                                   result == CURLE_SSL_CACERT_BADFILE ||
                                   result == CURLE_PEER_FAILED_VERIFICATION
                               ? connect_failure_probe()
                               : 0;
    curl_engine_end(client->engine, client->easy, &client->transfer);
    *response = (struct http_response){.failure = failure_of(client, result)};
    response->text = describe(client, result, response->failure);
    if (response->failure != HTTP_OK) {
        drop_bodies(client);
    }
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    response->status = response->failure == HTTP_PROXY ? client_proxy_status(client) : (uint32_t)status;
    response->headers = buffer_bytes(&client->bodies.head);
    response->body = buffer_bytes(&client->bodies.body);
    if (client->request.is_special &&
        curl_easy_getinfo(client->easy, CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK) {
        response->url = url;
    }
    read_exchange(client, response);
    read_timings(client->easy, &response->timings);
    client->on_done(client->context, response);
}

void curl_client_lose(struct curl_client *client)
{
    client->is_lost = true;
    curl_client_done(client, CURLE_ABORTED_BY_CALLBACK);
}
