/* The HTTP server on a loop, and a client on a bare socket. */
#include "tests/unit/coordinator/http/http_scene.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void on_headers(void *context, struct http_exchange *request)
{
    (void)context;
    if (strcmp(http_path(request), "/forbidden") == 0) {
        http_answer(request, &(struct http_answer){.status = 403, .content_type = "text/plain"});
    }
}

static void on_gone(void *context)
{
    struct scene *scene = (struct scene *)context;
    scene->gone++;
    scene->stream = NULL;
}

static void on_postponed_gone(void *context)
{
    struct scene *scene = (struct scene *)context;
    scene->gone++;
    scene->postponed = NULL;
}

static void on_request(void *context, struct http_exchange *request)
{
    struct scene *scene = (struct scene *)context;
    scene->requests++;
    scene->body_size = http_body(request).size;
    if (strcmp(http_path(request), "/stream") == 0) {
        scene->stream = http_answer_stream(request, "text/event-stream", on_gone, scene);
        return;
    }
    if (strcmp(http_path(request), "/later") == 0) {
        scene->postponed = request;
        http_postpone(request, on_postponed_gone, scene);
        return;
    }
    http_answer(request, &(struct http_answer){.status = 200,
                                               .content_type = "text/plain",
                                               .body = bytes_of_string("hello"),
                                               .headers = {{"X-Path", http_path(request)}}});
}

int scene_set_up(void **state)
{
    static struct scene scene;
    static struct listener_address address = {.host = "127.0.0.1"};
    struct error error;
    scene = (struct scene){0};
    assert_int_equal(uv_loop_init(&scene.loop), 0);
    const struct http_settings settings = {.address = &address,
                                           .body_bytes = BODY_BYTES,
                                           .incoming_bytes = INCOMING_BYTES,
                                           .discarded_bytes = DISCARDED_BYTES,
                                           .stream_bytes = STREAM_BYTES,
                                           .http_clients = {.most = 10,
                                                            .most_each = 10,
                                                            .spare = 2,
                                                            .headers_ms = HEADERS_MS,
                                                            .idle_ms = 30000,
                                                            .body_ms = BODY_MS,
                                                            .answer_ms = 30000},
                                           .on_headers = on_headers,
                                           .on_request = on_request,
                                           .context = &scene};
    scene.http = http_new(&scene.loop, &settings, &error);
    assert_non_null(scene.http);
    *state = &scene;
    return 0;
}

int scene_tear_down(void **state)
{
    struct scene *scene = (struct scene *)*state;
    http_close(&scene->http);
    assert_null(scene->http);
    assert_null(scene->postponed);
    (void)uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&scene->loop), 0);
    return 0;
}

int dial(const struct scene *scene)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_port(scene->http)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(client >= 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

void say(int client, const char *text)
{
    assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

void turn(struct scene *scene)
{
    (void)uv_run(&scene->loop, UV_RUN_NOWAIT);
    (void)usleep(500);
}

void hear(struct scene *scene, int client, char *text, const char *wanted)
{
    size_t size = strlen(text);
    for (int i = 0; i < TURNS_MAX; i++) {
        ssize_t count = recv(client, text + size, ANSWER_BYTES - 1 - size, MSG_DONTWAIT);
        if (count > 0) {
            size += (size_t)count;
            text[size] = '\0';
        }
        if (wanted != NULL ? strstr(text, wanted) != NULL : count == 0) {
            return;
        }
        assert_true(count > 0 || (count < 0 && errno == EAGAIN));
        turn(scene);
    }
    fail_msg("not heard: %s, but: %s", wanted != NULL ? wanted : "(the end)", text);
}
