/* Batches by HTTP, by libcurl. */
#include "coordinator/live/output_post.h"

#include "common/buffer.h"
#include "common/local_url.h"
#include "common/memory.h"

#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdatomic.h>
#include <string.h>

#define CONNECT_MS 3000L
#define POLL_MS 1000
#define MS_PER_S 1000
/* Of an answer, for the error. */
#define ANSWER_BYTES 160u

struct output_post {
    CURL *easy;
    CURLM *multi;
    struct curl_slist *headers;
    char answer[ANSWER_BYTES];
    struct buffer text; /* in `answer` */
    atomic_bool is_stopped;
};

static const char *const OUTPUT_HEADS[OUTPUT_KIND_COUNT][3] = {
    [OUTPUT_INFLUXDB] = {"Content-Type: text/plain; charset=utf-8"},
    [OUTPUT_OTLP] = {"Content-Type: application/json"},
    [OUTPUT_PROMETHEUS] = {"Content-Type: application/x-protobuf", "Content-Encoding: snappy",
                           "X-Prometheus-Remote-Write-Version: 0.1.0"},
};

/* What does not fit is left out. */
static size_t output_on_answer(char *data, size_t size, size_t count, void *context)
{
    struct output_post *post = context;
    size_t left = post->text.maximum - post->text.size;
    (void)buffer_append(&post->text, data, size * count < left ? size * count : left);
    return size * count;
}

static void output_post_head(struct output_post *post, const char *text)
{
    post->headers = curl_slist_append(post->headers, text);
    assert(post->headers != NULL);
}

static void output_post_set(struct output_post *post, const struct output_target *target)
{
    CURL *easy = post->easy;
    uint16_t port = 0;
    (void)curl_easy_setopt(easy, CURLOPT_URL, target->url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "tutti/" TUTTI_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, output_on_answer);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, post);
    if (local_url_port(target->url, &port)) {
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* of the environment */
    }
    output_post_head(post, "Expect:");
    for (size_t i = 0; i < 3 && OUTPUT_HEADS[target->kind][i] != NULL; i++) {
        output_post_head(post, OUTPUT_HEADS[target->kind][i]);
    }
    for (size_t i = 0; i < target->header_count; i++) {
        output_post_head(post, target->headers[i]);
    }
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers);
}

struct output_post *output_post_new(const struct output_target *target)
{
    struct output_post *post = MEMORY_NEW(struct output_post);
    post->easy = curl_easy_init();
    post->multi = curl_multi_init();
    assert(post->easy != NULL && post->multi != NULL);
    atomic_init(&post->is_stopped, false);
    output_post_set(post, target);
    return post;
}

/* False if it was stopped before it was over. */
static bool output_post_drive(struct output_post *post, CURLcode *code)
{
    int running = 1;
    int left = 0;
    while (!atomic_load(&post->is_stopped)) {
        (void)curl_multi_perform(post->multi, &running);
        const CURLMsg *message = curl_multi_info_read(post->multi, &left);
        if (message != NULL && message->msg == CURLMSG_DONE) {
            *code = message->data.result;
            return true;
        }
        (void)curl_multi_poll(post->multi, NULL, 0, POLL_MS, NULL);
    }
    return false;
}

static enum output_result output_judge_failure(const struct output_post *post, CURLcode code, long limit_ms,
                                               struct error *error)
{
    long number = 0;
    (void)curl_easy_getinfo(post->easy, CURLINFO_OS_ERRNO, &number);
    if (code == CURLE_COULDNT_CONNECT && number != 0) {
        error_set(error, "%s", strerror((int)number));
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        error_set(error, "no answer within %ld s", limit_ms / MS_PER_S);
    } else if (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING) {
        error_set(error, "the connection was closed without an answer");
    } else {
        error_set(error, "%s", curl_easy_strerror(code));
    }
    error->text[0] = (char)tolower((unsigned char)error->text[0]);
    return OUTPUT_LATER;
}

/* Up to its first line end, as far as it is printable. */
static enum output_result output_judge_status(struct output_post *post, struct error *error)
{
    long status = 0;
    (void)curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
        return OUTPUT_TAKEN;
    }
    const char *answer = buffer_string(&post->text);
    size_t size = strcspn(answer, "\r\n");
    bool is_shown = size > 0 && bytes_is_printable(bytes_of(answer, size));
    error_set(error, "HTTP %ld%s%.*s", status, is_shown ? ": " : "", is_shown ? (int)size : 0, answer);
    return status >= 500 || status == 429 || status == 408 ? OUTPUT_LATER : OUTPUT_REFUSED;
}

enum output_result output_post_send(struct output_post *post, struct bytes body, long limit_ms,
                                    struct error *error)
{
    CURLcode code = CURLE_OK;
    enum output_result result = OUTPUT_LATER;
    buffer_init_within(&post->text, post->answer, sizeof post->answer);
    (void)curl_easy_setopt(post->easy, CURLOPT_TIMEOUT_MS, limit_ms);
    (void)curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    (void)curl_easy_setopt(post->easy, CURLOPT_POSTFIELDS, body.data);
    (void)curl_multi_add_handle(post->multi, post->easy);
    if (!output_post_drive(post, &code)) {
        error_set(error, "it took too long");
    } else if (code != CURLE_OK) {
        result = output_judge_failure(post, code, limit_ms, error);
    } else {
        result = output_judge_status(post, error);
    }
    (void)curl_multi_remove_handle(post->multi, post->easy);
    return result;
}

void output_post_stop(struct output_post *post)
{
    atomic_store(&post->is_stopped, true);
    (void)curl_multi_wakeup(post->multi);
}

void output_post_free(struct output_post **at)
{
    struct output_post *post = *at;
    *at = NULL;
    if (post == NULL) {
        return;
    }
    curl_easy_cleanup(post->easy);
    (void)curl_multi_cleanup(post->multi);
    curl_slist_free_all(post->headers);
    memory_free(post);
}
