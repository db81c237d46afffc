/* The yardstick for our HTTP engine: libcurl's multi interface on libuv and nothing else, one thread,
 * keep-alive GETs. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct bench {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_timer_t end;
    CURLM *multi;
    unsigned long done;
    unsigned long failed;
    unsigned running;
    int is_over;
};

struct watch {
    uv_poll_t poll;
    curl_socket_t descriptor;
    struct bench *bench;
};

static size_t swallow(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

/* Every completed transfer begins again on the same handle, and so on the same connection. */
static void read_completions(struct bench *bench)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(bench->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        CURL *easy = message->easy_handle;
        if (message->data.result == CURLE_OK) {
            bench->done++;
        } else {
            bench->failed++;
        }
        curl_multi_remove_handle(bench->multi, easy);
        if (!bench->is_over) {
            curl_multi_add_handle(bench->multi, easy);
        }
    }
}

static void act(struct bench *bench, curl_socket_t descriptor, int what)
{
    int running;
    curl_multi_socket_action(bench->multi, descriptor, what, &running);
    read_completions(bench);
}

static void on_readiness(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;
    what |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    what |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    act(watch->bench, watch->descriptor, what);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long milliseconds, void *context)
{
    (void)multi;
    struct bench *bench = context;
    if (milliseconds < 0) {
        uv_timer_stop(&bench->timer);
    } else {
        uv_timer_start(&bench->timer, on_timer, (uint64_t)milliseconds, 0);
    }
    return 0;
}

static void free_watch(uv_handle_t *handle)
{
    free(handle->data);
}

static int watch_socket(CURL *easy, curl_socket_t descriptor, int what, void *context, void *of_socket)
{
    (void)easy;
    struct bench *bench = context;
    struct watch *watch = of_socket;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *)&watch->poll, free_watch);
            curl_multi_assign(bench->multi, descriptor, NULL);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = calloc(1, sizeof *watch);
        if (watch == NULL) {
            abort();
        }
        watch->descriptor = descriptor;
        watch->bench = bench;
        watch->poll.data = watch;
        uv_poll_init_socket(&bench->loop, &watch->poll, descriptor);
        curl_multi_assign(bench->multi, descriptor, watch);
    }
    int events = (what != CURL_POLL_OUT ? UV_READABLE : 0) | (what != CURL_POLL_IN ? UV_WRITABLE : 0);
    uv_poll_start(&watch->poll, events, on_readiness);
    return 0;
}

static void on_end(uv_timer_t *timer)
{
    struct bench *bench = timer->data;
    bench->is_over = 1;
    uv_stop(&bench->loop);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bare_curl URL CONNECTIONS SECONDS\n");
        return 2;
    }
    int connections = atoi(argv[2]);
    uint64_t seconds = (uint64_t)atoi(argv[3]);
    struct bench bench = {0};
    curl_global_init(CURL_GLOBAL_ALL);
    uv_loop_init(&bench.loop);
    uv_timer_init(&bench.loop, &bench.timer);
    uv_timer_init(&bench.loop, &bench.end);
    bench.timer.data = bench.end.data = &bench;
    bench.multi = curl_multi_init();
    curl_multi_setopt(bench.multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(bench.multi, CURLMOPT_SOCKETDATA, &bench);
    curl_multi_setopt(bench.multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(bench.multi, CURLMOPT_TIMERDATA, &bench);
    curl_multi_setopt(bench.multi, CURLMOPT_MAXCONNECTS, (long)connections);
    for (int i = 0; i < connections; i++) {
        CURL *easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_multi_add_handle(bench.multi, easy);
    }
    uv_timer_start(&bench.end, on_end, seconds * 1000, 0);
    uint64_t begun_ns = uv_hrtime();
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    double elapsed_s = (double)(uv_hrtime() - begun_ns) / 1e9;
    printf("{\"requests\": %lu, \"failed\": %lu, \"seconds\": %.3f, \"per_s\": %.0f}\n", bench.done,
           bench.failed, elapsed_s, (double)bench.done / elapsed_s);
    /* The process ends here: the bench measures transfers, not tidying up. */
    return bench.failed ? 1 : 0;
}
