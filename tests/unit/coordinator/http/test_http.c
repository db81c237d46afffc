/* The HTTP server on a loop, with a client on a bare socket: bodies, streams, limits, and its end. */
#include "tests/unit/coordinator/http/http_scene.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_connection_serves_many_requests(void **state)
{
    struct scene *scene = (struct scene *)*state;
    int client = dial(scene);
    for (int i = 0; i < 3; i++) {
        char text[ANSWER_BYTES] = "";
        say(client, "GET /a%20b HTTP/1.1\r\nHost: x\r\n\r\n");
        hear(scene, client, text, "hello");
        assert_non_null(strstr(text, "HTTP/1.1 200"));
        assert_non_null(strstr(text, "X-Path: /a b\r\n"));
    }
    assert_int_equal(scene->requests, 3);
    assert_int_equal(http_request_count(scene->http), 3);
    assert_int_equal(http_connection_count(scene->http), 1);
    close(client);
    for (int i = 0; i < TURNS_MAX && http_connection_count(scene->http) > 0; i++) {
        turn(scene);
    }
    assert_int_equal(http_connection_count(scene->http), 0);
}

static void a_body_comes_whole(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char text[ANSWER_BYTES] = "";
    int client = dial(scene);
    say(client, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    turn(scene);
    turn(scene);
    assert_int_equal(scene->requests, 0);
    say(client, "2\r\nde\r\n0\r\n\r\n");
    hear(scene, client, text, "hello");
    assert_int_equal(scene->body_size, 5);
    close(client);
}

static void a_body_that_is_too_large_is_refused_and_read_away(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char text[ANSWER_BYTES] = "";
    char body[BODY_BYTES + 2];
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    int client = dial(scene);
    say(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
    say(client, body);
    hear(scene, client, text, "at most 1000 bytes");
    assert_non_null(strstr(text, "HTTP/1.1 413"));
    assert_int_equal(scene->requests, 0);
    text[0] = '\0';
    say(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(scene, client, text, "hello");
    close(client);
}

static void say_many(int client, size_t count)
{
    char body[BODY_BYTES + 1];
    assert_true(count <= BODY_BYTES);
    memset(body, 'x', count);
    body[count] = '\0';
    say(client, body);
}

static int begin_body(struct scene *scene, size_t whole, size_t now)
{
    char head[100];
    int client = dial(scene);
    (void)snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", whole);
    say(client, head);
    say_many(client, now);
    for (int i = 0; i < 20; i++) {
        turn(scene);
    }
    return client;
}

static void finish_body(struct scene *scene, int client, size_t more, const char *wanted)
{
    char text[ANSWER_BYTES] = "";
    say_many(client, more);
    hear(scene, client, text, wanted);
    close(client);
}

static void a_body_as_large_as_it_may_be_is_taken(void **state)
{
    struct scene *scene = (struct scene *)*state;
    int client = begin_body(scene, BODY_BYTES, BODY_BYTES - 1);
    finish_body(scene, client, 1, "hello");
    assert_int_equal(scene->body_size, BODY_BYTES);
}

static void all_bodies_together_are_bounded(void **state)
{
    struct scene *scene = (struct scene *)*state;
    int first = begin_body(scene, 1000, 900);
    int second = begin_body(scene, 1000, 900);
    int third = begin_body(scene, 900, 800);  /* beyond the limit of all */
    int fourth = begin_body(scene, 600, 500); /* in place of the refused one */
    finish_body(scene, third, 100, "HTTP/1.1 503");
    finish_body(scene, fourth, 100, "hello");
    assert_int_equal(scene->body_size, 600);
    int fifth = begin_body(scene, 700, 500); /* 2,500 with the others, and no more */
    finish_body(scene, fifth, 200, "hello");
    finish_body(scene, second, 100, "hello");
    finish_body(scene, first, 100, "hello");
}

static void what_has_come_in_makes_room(void **state)
{
    struct scene *scene = (struct scene *)*state;
    for (int i = 0; i < 10; i++) {
        int client = begin_body(scene, 1000, 500);
        finish_body(scene, client, 500, "hello");
        close(begin_body(scene, 1000, 900)); /* and a client that leaves in the middle */
    }
}

/* A size that is not read to the end, announced or not. */
static void who_sends_without_end_is_not_listened_to(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char text[ANSWER_BYTES] = "";
    int client = begin_body(scene, 1000000000000, 10);
    hear(scene, client, text, "HTTP/1.1 413");
    close(client);
    client = dial(scene);
    say(client, "POST /forbidden HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (unsigned sent = 0; sent < DISCARDED_BYTES; sent += BODY_BYTES) {
        say(client, "3e8\r\n");
        say_many(client, BODY_BYTES);
        say(client, "\r\n");
        turn(scene);
    }
    for (int i = 0; i < 20; i++) {
        turn(scene);
        assert_int_equal(recv(client, text, 1, MSG_DONTWAIT), -1); /* it is read up to this size */
    }
    say(client, "1\r\nx\r\n");
    ssize_t size = 1;
    for (int i = 0; i < TURNS_MAX && size > 0; i++) {
        turn(scene);
        size = recv(client, text, sizeof text, MSG_DONTWAIT);
        size = size < 0 && errno == EAGAIN ? 1 : size;
    }
    assert_true(size <= 0); /* cut off */
    close(client);
}

static void who_leaves_before_his_refusal(void **state)
{
    struct scene *scene = (struct scene *)*state;
    int client = dial(scene);
    say(client, "POST /forbidden HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nx");
    for (int i = 0; i < 20; i++) {
        turn(scene);
    }
    close(client);
    for (int i = 0; i < TURNS_MAX && http_connection_count(scene->http) > 0; i++) {
        turn(scene);
    }
    assert_int_equal(http_connection_count(scene->http), 0);
    assert_int_equal(scene->requests, 0);
}

static void a_refusal_at_the_headers_does_not_wait_for_the_body(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char text[ANSWER_BYTES] = "";
    int client = dial(scene);
    say(client, "POST /forbidden HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\nExpect: 100-continue\r\n\r\n");
    hear(scene, client, text, "HTTP/1.1 403");
    assert_int_equal(scene->requests, 0);
    close(client);
}

static struct http_stream *open_stream(struct scene *scene, int client, char *text)
{
    say(client, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(scene, client, text, "\r\n\r\n");
    assert_non_null(scene->stream);
    return scene->stream;
}

static void a_stream_sleeps_until_there_is_something(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char text[ANSWER_BYTES] = "";
    int client = dial(scene);
    struct http_stream *stream = open_stream(scene, client, text);
    for (int i = 0; i < 3; i++) {
        char line[20];
        (void)snprintf(line, sizeof line, "event %d\n", i);
        assert_true(http_stream_write(stream, bytes_of_string(line)));
        assert_false(http_stream_is_idle(stream));
        hear(scene, client, text, line);
        assert_true(http_stream_is_idle(stream));
    }
    assert_true(http_stream_write(stream, bytes_of_string("last words")));
    http_stream_end(stream);
    hear(scene, client, text, "last words\r\n0\r\n\r\n");
    assert_int_equal(scene->gone, 1);
    close(client);
}

/* There is no polling while it is suspended: the loop has nothing to do at once. */
static void a_sleeping_stream_does_not_keep_the_loop_busy(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char text[ANSWER_BYTES] = "";
    int client = dial(scene);
    (void)open_stream(scene, client, text);
    for (int i = 0; i < 20; i++) {
        turn(scene);
    }
    int timeout_ms = uv_backend_timeout(&scene->loop);
    assert_true(timeout_ms < 0 || timeout_ms > 100);
    close(client);
}

static void a_listener_that_left_is_noticed_at_the_next_word(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char text[ANSWER_BYTES] = "";
    int client = dial(scene);
    (void)open_stream(scene, client, text);
    close(client);
    for (int i = 0; i < TURNS_MAX && scene->gone == 0; i++) {
        (void)http_stream_write(scene->stream, bytes_of_string("are you there\n"));
        turn(scene);
    }
    assert_int_equal(scene->gone, 1);
}

static void who_does_not_listen_is_cut_off(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char text[ANSWER_BYTES] = "";
    char line[STREAM_BYTES + 1];
    memset(line, 'x', sizeof line);
    int client = dial(scene);
    struct http_stream *stream = open_stream(scene, client, text);
    assert_true(http_stream_write(stream, bytes_of(line, STREAM_BYTES)));
    assert_false(http_stream_write(stream, bytes_of(line, 1)));
    assert_false(http_stream_write(stream, bytes_of(line, 0)));
    hear(scene, client, text, "0\r\n\r\n");
    assert_int_equal(scene->gone, 1);
    close(client);
}

/* tear_down closes the server. */
static void it_closes_with_streams_open(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char text[ANSWER_BYTES] = "";
    int client = dial(scene);
    struct http_stream *stream = open_stream(scene, client, text);
    assert_true(http_stream_write(stream, bytes_of_string("never to be heard")));
    http_close(&scene->http);
    assert_int_equal(scene->gone, 1);
    close(client);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_connection_serves_many_requests),
        STORY(a_body_comes_whole),
        STORY(a_body_that_is_too_large_is_refused_and_read_away),
        STORY(a_body_as_large_as_it_may_be_is_taken),
        STORY(all_bodies_together_are_bounded),
        STORY(what_has_come_in_makes_room),
        STORY(who_sends_without_end_is_not_listened_to),
        STORY(who_leaves_before_his_refusal),
        STORY(a_refusal_at_the_headers_does_not_wait_for_the_body),
        STORY(a_stream_sleeps_until_there_is_something),
        STORY(a_sleeping_stream_does_not_keep_the_loop_busy),
        STORY(a_listener_that_left_is_noticed_at_the_next_word),
        STORY(who_does_not_listen_is_cut_off),
        STORY(it_closes_with_streams_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
