/* One worker's client: an easy handle with its cookies, and a share object that keeps its connections
 * separate from those of other workers. */
#include "agent/http/curl_client.h"

#include "agent/base/memory_account.h"
#include "common/buffer.h"
#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define MAX_HEADER_BYTES (1024u * 1024u)
/* How much of its body memory a client keeps from one request to the next. */
#define KEPT_BODY_BYTES (64u * 1024u)
#define MAX_REDIRECTS 20L

struct http_client {
    struct http_engine *engine;
    struct http_transfer transfer;
    CURL *easy;
    CURLSH *share;
    void (*on_done)(void *context, struct http_response *response);
    void *context;
    struct curl_slist *headers;
    char *url; /* in curl's form */
    struct buffer head;
    struct buffer body;
    struct http_response response;
    uint64_t timeout_ms;
    bool is_running;
    bool is_special;      /* the handle is set up for more than a plain GET */
    size_t sent_bytes;    /* of the request's body, of which curl has a copy */
    size_t counted_bytes; /* of its memory, in the shard's account */
    bool is_too_large;
    bool is_lost;          /* the lease was over when it was about to connect, or to send */
    bool is_out_of_memory; /* the shard's account, with what all clients hold */
    char error_text[CURL_ERROR_SIZE];
    char text[CURL_ERROR_SIZE + 64];
};

void http_client_global_init(void)
{
    if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
        abort();
    }
}

static size_t excess_bytes(size_t capacity)
{
    return capacity > KEPT_BODY_BYTES ? capacity - KEPT_BODY_BYTES : 0;
}

/* Sets what the client holds in excess of the small amount that each one keeps. */
static bool count_bytes(struct http_client *client, size_t bytes)
{
    struct memory_account *memory = http_engine_memory(client->engine);

    if (memory == NULL) {
        return true;
    }
    if (bytes > client->counted_bytes && !memory_account_take_body(memory, bytes - client->counted_bytes)) {
        return false;
    }
    if (bytes < client->counted_bytes) {
        memory_account_give_body(memory, client->counted_bytes - bytes);
    }
    client->counted_bytes = bytes;
    return true;
}

static size_t held_bytes(const struct http_client *client)
{
    return excess_bytes(client->head.capacity) + excess_bytes(client->body.capacity) + client->sent_bytes;
}

/* Appends received bytes; false if there is no memory left for them, and then the request fails. */
static bool take_in(struct http_client *client, struct buffer *buffer, const char *data, size_t size)
{
    if (size > buffer->capacity - buffer->size) {
        /* It at least doubles. */
        size_t wanted =
            buffer->size + size > 2 * buffer->capacity ? buffer->size + size : 2 * buffer->capacity;
        size_t others = held_bytes(client) - excess_bytes(buffer->capacity);
        if (!count_bytes(client, others + excess_bytes(wanted))) {
            client->is_out_of_memory = true;
            return false;
        }
    }
    bool is_in = buffer_append(buffer, data, size);
    client->is_out_of_memory = !count_bytes(client, held_bytes(client));
    return is_in && !client->is_out_of_memory;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct http_client *client = context;
    size_t length = size * count;

    if (length >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        /* A redirect, a 100 or an authentication challenge preceded it. */
        buffer_clear(&client->head);
        buffer_clear(&client->body);
    } else if (length > 2 && !take_in(client, &client->head, data, length) && client->is_out_of_memory) {
        return 0;
    }
    return length;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct http_client *client = context;

    if (take_in(client, &client->body, data, size * count)) {
        return size * count;
    }
    client->is_too_large = !client->is_out_of_memory;
    return 0;
}

/* Curl connects, and then sends the request, within calls that may have begun under a lease that is over
 * now. */
static curl_socket_t client_on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_client *client = context;

    (void)purpose;
    if (!http_engine_may_send(client->engine)) {
        client->is_lost = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int client_on_sending(void *context, char *to, char *from, int to_port, int from_port)
{
    struct http_client *client = context;

    (void)to, (void)from, (void)to_port, (void)from_port;
    if (http_engine_may_send(client->engine)) {
        return CURL_PREREQFUNC_OK;
    }
    client->is_lost = true;
    return CURL_PREREQFUNC_ABORT;
}

static void set_up(struct http_client *client)
{
    CURL *easy = client->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, client);
    curl_easy_setopt(easy, CURLOPT_SHARE, client->share);
    curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* cancelling does not wait for a slow name server */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
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
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, http_engine_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, client->engine);
}

struct http_client *http_client_new(struct http_engine *engine,
                                    void (*on_done)(void *context, struct http_response *response),
                                    void *context)
{
    struct http_client *client = MEMORY_NEW(struct http_client);

    client->engine = engine;
    client->transfer.client = client;
    client->on_done = on_done;
    client->context = context;
    buffer_init(&client->head, MAX_HEADER_BYTES);
    buffer_init(&client->body, HTTP_DEFAULT_MAX_BODY_BYTES);
    client->easy = curl_easy_init();
    client->share = curl_share_init();
    if (client->easy == NULL || client->share == NULL) {
        abort();
    }
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
    set_up(client);
    return client;
}

void http_client_free(struct http_client **pointer)
{
    struct http_client *client = *pointer;

    if (client == NULL) {
        return;
    }
    http_cancel(client);
    http_engine_quieten(client->engine, client);
    curl_easy_cleanup(client->easy);
    curl_share_cleanup(client->share);
    curl_slist_free_all(client->headers);
    memory_free(client->url);
    buffer_finish(&client->head);
    buffer_finish(&client->body);
    client->sent_bytes = 0;
    (void)count_bytes(client, 0);
    memory_free(client);
    *pointer = NULL;
}

static bool curl_client_has_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void curl_client_add_header(struct http_client *client, const char *line)
{
    struct curl_slist *longer = curl_slist_append(client->headers, line);

    if (longer == NULL) {
        abort();
    }
    client->headers = longer;
}

/* By default curl would send a form's content type with every body, and wait for 100-continue before a large
 * one: neither is wanted unless the script asks for it. */
static void set_headers(struct http_client *client, const struct http_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        char *line = header->value[0] ? memory_format("%s: %s", header->name, header->value)
                                      : memory_format("%s;", header->name);
        curl_client_add_header(client, line);
        memory_free(line);
    }
    if (request->has_body && !curl_client_has_header(request, "content-type")) {
        curl_client_add_header(client, "Content-Type:");
    }
    if (request->has_body && !curl_client_has_header(request, "expect")) {
        curl_client_add_header(client, "Expect:");
    }
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, client->headers);
}

static void set_method(struct http_client *client, const struct http_request *request)
{
    CURL *easy = client->easy;
    bool is_body_usual = strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0 ||
                         strcmp(request->method, "PATCH") == 0;

    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request->has_body || is_body_usual) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
                         request->body.size > 0 ? (const char *)request->body.data : "");
        if (strcmp(request->method, "POST") != 0) {
            curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
        }
    } else if (strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

/* Undoes what the last request had set beyond a plain GET. */
static void reset_special(struct http_client *client)
{
    CURL *easy = client->easy;

    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_USERNAME, NULL);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, NULL);
    curl_slist_free_all(client->headers);
    client->headers = NULL;
    client->is_special = false;
}

static void set_special(struct http_client *client, const struct http_request *request)
{
    client->is_special = true;
    set_method(client, request);
    set_headers(client, request);
    curl_easy_setopt(client->easy, CURLOPT_FOLLOWLOCATION, request->is_followed ? 1L : 0L);
    if (request->user != NULL) {
        curl_easy_setopt(client->easy, CURLOPT_USERNAME, request->user);
        curl_easy_setopt(client->easy, CURLOPT_PASSWORD, request->password);
    }
}

static void set_url(struct http_client *client, const char *url)
{
    if (client->url != NULL && strcmp(client->url, url) == 0) {
        return;
    }
    memory_free(client->url);
    client->url = memory_copy_string(url);
    /* Curl refuses strings of megabytes. */
    if (curl_easy_setopt(client->easy, CURLOPT_URL, url) != CURLE_OK) {
        curl_easy_setopt(client->easy, CURLOPT_URL, "");
    }
}

/* Frees what the request and its response have taken, except for the small amount that is kept. */
static void drop_bodies(struct http_client *client)
{
    if (client->body.capacity > KEPT_BODY_BYTES) {
        buffer_finish(&client->body);
    }
    if (client->head.capacity > KEPT_BODY_BYTES) {
        buffer_finish(&client->head);
    }
    if (client->sent_bytes > 0) {
        curl_easy_setopt(client->easy, CURLOPT_COPYPOSTFIELDS, NULL);
        client->sent_bytes = 0;
    }
    (void)count_bytes(client, held_bytes(client));
}

/* Curl copies the body. If there is no memory left for that, the request is not sent and fails. */
static void count_request(struct http_client *client, struct http_request *request)
{
    size_t size = excess_bytes(request->body.size);

    client->is_out_of_memory = size > 0 && !count_bytes(client, held_bytes(client) + size);
    if (client->is_out_of_memory) {
        request->url = "";
        request->body = bytes_of(NULL, 0);
    } else {
        client->sent_bytes = size;
    }
}

void http_start(struct http_client *client, const struct http_request *wanted)
{
    struct http_request own = *wanted;
    const struct http_request *request = &own;

    drop_bodies(client);
    count_request(client, &own);
    bool is_plain = strcmp(request->method, "GET") == 0 && !request->has_body && request->header_count == 0 &&
                    !request->is_followed && request->user == NULL;

    if (client->is_special) {
        reset_special(client);
    }
    set_url(client, request->url);
    if (!is_plain) {
        set_special(client, request);
    }
    if (client->timeout_ms != request->timeout_ms) {
        client->timeout_ms = request->timeout_ms;
        curl_easy_setopt(client->easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    }
    buffer_clear(&client->head);
    buffer_clear(&client->body);
    client->body.maximum = request->max_body_bytes < SIZE_MAX ? request->max_body_bytes : SIZE_MAX - 1;
    client->is_too_large = false;
    client->is_lost = false;
    client->error_text[0] = 0;
    client->is_running = true;
    http_engine_begin(client->engine, client->easy, &client->transfer);
}

void http_cancel(struct http_client *client)
{
    if (!client->is_running) {
        return;
    }
    client->is_running = false;
    http_engine_quieten(client->engine, client);
    http_engine_end(client->engine, client->easy, &client->transfer);
    drop_bodies(client);
}

void http_drop_body(struct http_client *client)
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

static enum http_failure failure_of(const struct http_client *client, CURLcode result)
{
    if (client->is_lost) {
        return HTTP_LOST;
    }
    if (client->is_out_of_memory) {
        return HTTP_NO_MEMORY;
    }
    switch (result) {
    case CURLE_OK:
        return HTTP_OK;
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return HTTP_BAD_REQUEST;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return HTTP_RESOLVE;
    case CURLE_COULDNT_CONNECT:
        return HTTP_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return HTTP_TLS;
    case CURLE_FILESIZE_EXCEEDED:
        return HTTP_TOO_LARGE;
    case CURLE_WRITE_ERROR:
        return client->is_too_large ? HTTP_TOO_LARGE : HTTP_PROTOCOL;
    case CURLE_TOO_MANY_REDIRECTS:
        return HTTP_REDIRECTS;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return strstr(client->error_text, "HTTP/0.9") != NULL ? HTTP_PROTOCOL : HTTP_BAD_REQUEST;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return HTTP_PROTOCOL;
    case CURLE_RECV_ERROR:
        return strstr(client->error_text, "chunk") != NULL ? HTTP_PROTOCOL : HTTP_RESET;
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return HTTP_RESET;
    default:
        return HTTP_OTHER;
    }
}

const char *http_failure_name(enum http_failure failure)
{
    static const char *const names[] = {
        [HTTP_OK] = "ok",
        [HTTP_BAD_REQUEST] = "request",
        [HTTP_RESOLVE] = "resolve",
        [HTTP_CONNECT] = "connect",
        [HTTP_TLS] = "tls",
        [HTTP_TIMEOUT] = "timeout",
        [HTTP_RESET] = "reset",
        [HTTP_PROTOCOL] = "protocol",
        [HTTP_TOO_LARGE] = "too_large",
        [HTTP_NO_MEMORY] = "memory",
        [HTTP_REDIRECTS] = "redirects",
        [HTTP_LOST] = "lost",
        [HTTP_OTHER] = "other",
    };

    return names[failure];
}

static const char *describe(struct http_client *client, CURLcode result, enum http_failure failure)
{
    const char *curl_text = client->error_text[0] ? client->error_text : curl_easy_strerror(result);

    if (failure == HTTP_OK) {
        return NULL;
    }
    if (failure == HTTP_LOST) {
        snprintf(client->text, sizeof client->text, "the agent lost its lease before all of it was sent");
    } else if (failure == HTTP_TOO_LARGE) {
        snprintf(client->text, sizeof client->text, "the body is larger than %zu bytes (max_body)",
                 client->body.maximum);
    } else if (failure == HTTP_NO_MEMORY) {
        snprintf(
            client->text, sizeof client->text,
            "no memory for its body: the bodies that the workers of this thread hold have reached %zu MiB "
            "(a smaller max_body bounds each)",
            http_engine_memory(client->engine)->limit_bytes >> 21);
    } else if (failure == HTTP_PROTOCOL && strstr(curl_text, "HTTP/0.9") != NULL) {
        snprintf(client->text, sizeof client->text, "the server's response is not HTTP");
    } else {
        snprintf(client->text, sizeof client->text, "%s", curl_text);
    }
    return client->text;
}

void http_client_done(struct http_client *client, CURLcode result)
{
    struct http_response *response = &client->response;
    long status = 0;
    char *url = NULL;

    client->is_running = false;
    http_engine_end(client->engine, client->easy, &client->transfer);
    *response = (struct http_response){.failure = failure_of(client, result)};
    response->text = describe(client, result, response->failure);
    if (response->failure != HTTP_OK) {
        drop_bodies(client);
    }
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    response->status = (uint32_t)status;
    response->headers = buffer_bytes(&client->head);
    response->body = buffer_bytes(&client->body);
    if (client->is_special && curl_easy_getinfo(client->easy, CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK) {
        response->url = url;
    }
    read_timings(client->easy, &response->timings);
    client->on_done(client->context, response);
}

void http_client_lose(struct http_client *client)
{
    client->is_lost = true;
    http_client_done(client, CURLE_ABORTED_BY_CALLBACK);
}
