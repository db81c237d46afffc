/* Asks a coordinator's HTTP API, by libcurl. */
#include "cli/remote/api_client.h"
#include "cli/remote/control_events.h"
#include "common/local_url.h"
#include "common/memory.h"

#include <assert.h>
#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 5000L
#define SILENCE_S 20L
#define ASK_MS 300000L
#define POLL_MS 1000
#define EVENT_MAX_BYTES API_ANSWER_MAX_BYTES
#define ERROR_SHOWN_BYTES 800

struct api_client {
    char *url;
    char *token;
    int wake_descriptor;
    bool has_broken_off;
    bool is_away;
    uint64_t patience_ms;
};

/* One request in progress. */
struct transfer {
    struct api_client *client;
    CURL *easy;
    CURLM *multi;
    struct curl_slist *headers;
    char reason[CURL_ERROR_SIZE];
    struct buffer body;              /* of an answer that is not a stream */
    const struct api_stream *stream; /* NULL: an ordinary request */
    struct control_events events;
    bool is_enough;
};

struct api_client *api_client_new(const char *url, const char *token)
{
    struct api_client *client = MEMORY_NEW(struct api_client);
    CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(result == CURLE_OK);
    (void)result;
    client->url = memory_copy_string(url);
    client->token = memory_copy_string(token);
    client->wake_descriptor = -1;
    return client;
}

void api_client_free(struct api_client **client)
{
    if (*client == NULL) {
        return;
    }
    if ((*client)->token != NULL) {
        explicit_bzero((*client)->token, strlen((*client)->token));
    }
    memory_free((*client)->token);
    memory_free((*client)->url);
    memory_free(*client);
    *client = NULL;
    curl_global_cleanup();
}

void api_client_wake_by(struct api_client *client, int descriptor)
{
    client->wake_descriptor = descriptor;
}

void api_client_be_patient(struct api_client *client, uint64_t milliseconds)
{
    client->patience_ms = milliseconds;
}

uint64_t api_client_patience_ms(const struct api_client *client)
{
    return client->patience_ms;
}

static long status_of(const struct transfer *transfer)
{
    long status = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool is_success(long status)
{
    return status >= 200 && status < 300;
}

/* curl gives up if less than a multiple of `size` is taken. */
static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct bytes bytes = bytes_of(data, size * count);
    if (transfer->stream == NULL || !is_success(status_of(transfer))) {
        return buffer_append(&transfer->body, bytes.data, bytes.size) ? bytes.size : 0;
    }
    enum control_feed feed = control_events_feed(&transfer->events, bytes);
    transfer->is_enough = feed == FEED_ENOUGH;
    if (feed == FEED_TOO_LONG) {
        transfer->body.has_overflowed = true;
    }
    return feed == FEED_MORE ? bytes.size : 0;
}

static void set_header(struct transfer *transfer, const char *text)
{
    transfer->headers = curl_slist_append(transfer->headers, text);
    assert(transfer->headers != NULL);
}

static void set_headers(struct transfer *transfer, bool has_body)
{
    set_header(transfer, "Expect:");
    set_header(transfer, transfer->stream != NULL ? "Accept: text/event-stream" : "Accept: application/json");
    if (has_body) {
        set_header(transfer, "Content-Type: application/json");
    }
    if (transfer->client->token != NULL) {
        SCOPED(memory_free_at)
        char *text = memory_format("Authorization: Bearer %s", transfer->client->token);
        set_header(transfer, text);
        explicit_bzero(text, strlen(text));
    }
    (void)curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

/* `method` NULL: GET, or POST if there is a body. */
static void begin(struct transfer *transfer, const char *method, const char *path, const char *body)
{
    SCOPED(memory_free_at) char *url = memory_format("%s%s", transfer->client->url, path);
    transfer->easy = curl_easy_init();
    transfer->multi = curl_multi_init();
    assert(transfer->easy != NULL && transfer->multi != NULL);
    CURL *easy = transfer->easy;
    (void)curl_easy_setopt(easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, SILENCE_S);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, transfer->stream != NULL ? 0L : ASK_MS);
    /* A proxy from the environment is never used for this host. */
    uint16_t port = 0;
    if (local_url_port(transfer->client->url, &port)) {
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    if (body != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    }
    if (method != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    }
    set_headers(transfer, body != NULL);
    buffer_init(&transfer->body, API_ANSWER_MAX_BYTES);
    (void)curl_multi_add_handle(transfer->multi, easy);
}

static void api_client_finish(struct transfer *transfer)
{
    (void)curl_multi_remove_handle(transfer->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    (void)curl_multi_cleanup(transfer->multi);
    curl_slist_free_all(transfer->headers);
    buffer_finish(&transfer->body);
}

/* False if the owner of the wake descriptor wants to leave. */
static bool wait_for_more(struct transfer *transfer)
{
    const struct api_stream *stream = transfer->stream;
    struct curl_waitfd waits[2];
    unsigned count = 0;
    int ready = 0;
    int descriptors[] = {transfer->client->wake_descriptor, stream != NULL ? stream->descriptor : -1};
    for (size_t i = 0; i < 2; i++) {
        if (descriptors[i] >= 0) {
            waits[count++] = (struct curl_waitfd){.fd = descriptors[i], .events = CURL_WAIT_POLLIN};
        }
    }
    (void)curl_multi_poll(transfer->multi, waits, count, POLL_MS, &ready);
    bool goes_on = true;
    for (unsigned i = 0; i < count; i++) {
        if (waits[i].revents == 0) {
            continue;
        }
        if (waits[i].fd == descriptors[0]) {
            goes_on = stream != NULL && stream->on_wake(stream->context);
        } else if (stream != NULL) {
            stream->on_readable(stream->context);
        }
    }
    return goes_on;
}

/* False when interrupted. */
static bool drive(struct transfer *transfer, CURLcode *result)
{
    int running = 1;
    int left = 0;
    for (;;) {
        (void)curl_multi_perform(transfer->multi, &running);
        const CURLMsg *message = curl_multi_info_read(transfer->multi, &left);
        if (message != NULL && message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return true;
        }
        if (!wait_for_more(transfer)) {
            return false;
        }
    }
}

/* The error text of the coordinator, or NULL if the answer was not from one. */
static const char *error_of(const json_t *answer)
{
    return json_string_value(json_object_get(answer, "error"));
}

static enum api_result refuse_token(const struct api_client *client, struct error *error)
{
    if (client->token != NULL) {
        error_set(error,
                  "the coordinator at %s does not take this token: give the one that it was started with, or "
                  "that is in the file its log names (--token-file)",
                  client->url);
    } else {
        error_set(error,
                  "the coordinator at %s wants a token: --token-file FILE, or TUTTI_TOKEN; that of a "
                  "coordinator on this host is found only by the user who started it",
                  client->url);
    }
    return API_REFUSED;
}

static enum api_result judge_status(const struct transfer *transfer, const json_t *answer,
                                    struct error *error)
{
    long status = status_of(transfer);
    const struct api_client *client = transfer->client;
    if (status == 401) {
        return refuse_token(client, error);
    }
    const char *words = error_of(answer);
    if (words == NULL) {
        error_set(error, "%s answers, but not as a coordinator does (HTTP status %ld): is --api right?",
                  client->url, status);
        return API_UNREACHABLE;
    }
    error_set(error, "%.*s", ERROR_SHOWN_BYTES, words);
    switch (status) {
    case 404:
        return API_NOT_FOUND;
    case 409:
        return API_CONFLICT;
    default:
        return status >= 400 && status < 500 ? API_REFUSED : API_UNREACHABLE;
    }
}

static enum api_result judge_failure(const struct transfer *transfer, CURLcode result, struct error *error)
{
    const char *url = transfer->client->url;
    const char *reason = *transfer->reason != '\0' ? transfer->reason : curl_easy_strerror(result);
    if (transfer->body.has_overflowed) {
        error_set(error, "what %s answers is longer than %u MiB", url,
                  (unsigned)(API_ANSWER_MAX_BYTES >> 20u));
    } else if (result == CURLE_COULDNT_CONNECT) {
        error_set(error,
                  "no coordinator answers at %s: start one with tutti coordinator, or say with --api where "
                  "it is",
                  url);
    } else {
        error_set(error, "cannot talk to the coordinator at %s: %.*s", url, ERROR_SHOWN_BYTES, reason);
    }
    return API_UNREACHABLE;
}

static bool is_broken_off(CURLcode result)
{
    return result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR || result == CURLE_GOT_NOTHING ||
           result == CURLE_PARTIAL_FILE;
}

bool api_client_broke_off(const struct api_client *client)
{
    return client->has_broken_off;
}

bool api_client_is_away(const struct api_client *client)
{
    return client->is_away;
}

static void note_ending(struct api_client *client, bool is_over, CURLcode code)
{
    client->has_broken_off = is_over && is_broken_off(code);
    client->is_away = client->has_broken_off ||
                      (is_over && (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST));
}

bool api_client_rest(const struct api_client *client, int milliseconds)
{
    struct pollfd wake = {.fd = client->wake_descriptor, .events = POLLIN};
    return poll(&wake, 1, milliseconds) <= 0;
}

static enum api_result judge_refusal(struct transfer *transfer, struct error *error)
{
    struct bytes body = buffer_bytes(&transfer->body);
    json_t *object = json_loadb((const char *)body.data, body.size, 0, NULL);
    enum api_result result = judge_status(transfer, object, error);
    json_decref(object);
    return result;
}

static enum api_result judge_answer(struct transfer *transfer, json_t **answer, struct error *error)
{
    struct bytes body = buffer_bytes(&transfer->body);
    json_t *object = json_loadb((const char *)body.data, body.size, 0, NULL);
    if (is_success(status_of(transfer)) && json_is_object(object)) {
        *answer = object;
        return API_DONE;
    }
    json_decref(object);
    return judge_refusal(transfer, error);
}

/* API_DONE: there is an answer, whatever it says. */
static enum api_result api_client_perform(struct transfer *transfer, struct error *error)
{
    CURLcode code = CURLE_OK;
    bool is_over = drive(transfer, &code);
    note_ending(transfer->client, is_over, code);
    if (!is_over) {
        error_set(error, "interrupted");
        return API_INTERRUPTED;
    }
    return code == CURLE_OK ? API_DONE : judge_failure(transfer, code, error);
}

static enum api_result api_client_complete(struct transfer *transfer, json_t **answer, struct error *error)
{
    enum api_result result = api_client_perform(transfer, error);
    result = result == API_DONE ? judge_answer(transfer, answer, error) : result;
    api_client_finish(transfer);
    return result;
}

enum api_result api_client_ask(struct api_client *client, const char *path, const char *body, json_t **answer,
                               struct error *error)
{
    struct transfer transfer = {.client = client};
    begin(&transfer, NULL, path, body);
    return api_client_complete(&transfer, answer, error);
}

enum api_result api_client_delete(struct api_client *client, const char *path, json_t **answer,
                                  struct error *error)
{
    struct transfer transfer = {.client = client};
    begin(&transfer, "DELETE", path, NULL);
    return api_client_complete(&transfer, answer, error);
}

enum api_result api_client_fetch(struct api_client *client, const char *path, struct buffer *into,
                                 struct error *error)
{
    struct transfer transfer = {.client = client};
    begin(&transfer, NULL, path, NULL);
    enum api_result result = api_client_perform(&transfer, error);
    if (result == API_DONE && !is_success(status_of(&transfer))) {
        result = judge_refusal(&transfer, error);
    }
    if (result == API_DONE && !buffer_append(into, transfer.body.data, transfer.body.size)) {
        error_set(error, "what %s answers is too long", client->url);
        result = API_UNREACHABLE;
    }
    api_client_finish(&transfer);
    return result;
}

static enum api_result judge_stream(struct transfer *transfer, CURLcode code, struct error *error)
{
    if (transfer->is_enough) {
        return API_DONE;
    }
    if (code != CURLE_OK) {
        return judge_failure(transfer, code, error);
    }
    if (is_success(status_of(transfer))) {
        error_set(error, "the coordinator at %s has ended the stream of events", transfer->client->url);
        return API_UNREACHABLE;
    }
    struct bytes body = buffer_bytes(&transfer->body);
    json_t *object = json_loadb((const char *)body.data, body.size, 0, NULL);
    enum api_result result = judge_status(transfer, object, error);
    json_decref(object);
    return result;
}

enum api_result api_client_follow(struct api_client *client, const char *path,
                                  const struct api_stream *stream, struct error *error)
{
    struct transfer transfer = {.client = client, .stream = stream};
    CURLcode code = CURLE_OK;
    enum api_result result = API_INTERRUPTED;
    control_events_init(&transfer.events, EVENT_MAX_BYTES, stream->on_event, stream->context);
    begin(&transfer, NULL, path, NULL);
    bool is_over = drive(&transfer, &code);
    note_ending(client, is_over, code);
    if (is_over) {
        result = judge_stream(&transfer, code, error);
    } else {
        error_set(error, "interrupted");
    }
    api_client_finish(&transfer);
    control_events_finish(&transfer.events);
    return result;
}
