/* How long the HTTP server waits for slow clients, how many it lets in, and answers that come later. */
#include "tests/unit/coordinator/http/http_scene.h"

#include "common/clock.h"
#include "common/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* For a machine that is busy with other tests. */
#define PATIENCE_MS 20000u

static uint64_t now_ms(void)
{
    return clock_now_ns() / NS_PER_MS;
}

/* Sends one byte after the other, every twentieth of a second, until the server has closed. Returns after how
 * many milliseconds, and what it received. */
static uint64_t drip(struct scene *scene, int client, const char *text, char *answer)
{
    uint64_t begun_ms = now_ms();
    uint64_t next_ms = begun_ms;
    size_t size = 0;
    answer[0] = '\0';
    while (now_ms() - begun_ms < PATIENCE_MS) {
        if (now_ms() >= next_ms) {
            next_ms += 50;
            (void)send(client, *text != '\0' ? text : "x", 1, MSG_NOSIGNAL);
            text += *text != '\0';
        }
        ssize_t count = recv(client, answer + size, ANSWER_BYTES - 1 - size, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN)) {
            return now_ms() - begun_ms;
        }
        size += count > 0 ? (size_t)count : 0;
        answer[size] = '\0';
        turn(scene);
    }
    fail_msg("still open; it said: %s", answer);
    return 0;
}

static void headers_that_drip_are_not_waited_for(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char answer[ANSWER_BYTES];
    int client = dial(scene);
    uint64_t took_ms = drip(scene, client, "GET / HTTP/1.1\r\nHost: x\r\nX-Never-Ends: ", answer);
    assert_true(took_ms >= HEADERS_MS - 50 && took_ms < HEADERS_MS + 5000);
    assert_non_null(strstr(answer, "HTTP/1.1 408 "));
    assert_non_null(strstr(answer, "{\"error\":\"the request took too long\"}"));
    assert_int_equal(scene->requests, 0);
    close(client);
}

static void a_body_that_drips_is_not_waited_for(void **state)
{
    struct scene *scene = (struct scene *)*state;
    static const char *const heads[] = {
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n",
        "POST /forbidden HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n", /* read away, but not for ever
                                                                               */
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        char answer[ANSWER_BYTES];
        int client = dial(scene);
        say(client, heads[i]);
        uint64_t took_ms = drip(scene, client, i == 2 ? "1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\n" : "", answer);
        assert_true(took_ms < BODY_MS + 5000);
        if (i < 2) {
            assert_true(took_ms >= BODY_MS - 50);
            assert_non_null(strstr(answer, "HTTP/1.1 408 "));
        }
        close(client);
    }
    assert_int_equal(scene->requests, 0);
}

/* Of connections from one address the eleventh is refused; when they have been idle for a while they make
 * room. */
static void a_crowd_is_told_that_it_is_one(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char answer[ANSWER_BYTES] = "";
    int crowd[10];
    for (size_t i = 0; i < 10; i++) {
        crowd[i] = dial(scene);
        say(crowd[i], "GET /later HTTP/1.1\r\nHost: x\r\n");
    }
    for (int i = 0; i < 20; i++) {
        turn(scene);
    }
    int one_more = dial(scene);
    say(one_more, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(scene, one_more, answer, NULL);
    assert_non_null(strstr(answer, "HTTP/1.1 503 "));
    assert_non_null(strstr(answer, "{\"error\":\"too many connections; try again\"}"));
    assert_int_equal(scene->requests, 0);
    close(one_more);
    for (size_t i = 0; i < 10; i++) {
        close(crowd[i]);
    }
}

static void an_answer_comes_later(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char answer[ANSWER_BYTES] = "";
    int client = dial(scene);
    say(client, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    uint64_t begun_ms = now_ms();
    while (now_ms() - begun_ms < HEADERS_MS + BODY_MS) { /* it is we who take this long */
        turn(scene);
    }
    assert_non_null(scene->postponed);
    assert_int_equal(scene->requests, 1);
    size_t size = 0;
    uint8_t *body = http_take_body(scene->postponed, &size);
    assert_int_equal(size, 3);
    memory_free(body);
    /* Others are served meanwhile. */
    int other = dial(scene);
    say(other, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(scene, other, answer, "hello");
    close(other);
    answer[0] = '\0';
    struct http_exchange *request = scene->postponed;
    scene->postponed = NULL;
    http_answer(request, &(struct http_answer){.status = 201, .body = bytes_of_string("at last")});
    http_answer_postponed(request);
    hear(scene, client, answer, "at last");
    assert_non_null(strstr(answer, "HTTP/1.1 201 "));
    answer[0] = '\0';
    say(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(scene, client, answer, "hello");
    assert_int_equal(scene->gone, 0);
    close(client);
}

static void who_has_left_is_answered_in_vain(void **state)
{
    struct scene *scene = (struct scene *)*state;
    int client = dial(scene);
    say(client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    while (scene->postponed == NULL) {
        turn(scene);
    }
    close(client);
    for (int i = 0; i < 20; i++) {
        turn(scene);
    }
    struct http_exchange *request = scene->postponed;
    scene->postponed = NULL;
    http_answer(request, &(struct http_answer){.status = 200, .body = bytes_of_string("at last")});
    http_answer_postponed(request);
    for (int i = 0; i < TURNS_MAX && http_connection_count(scene->http) > 0; i++) {
        turn(scene);
    }
    assert_int_equal(http_connection_count(scene->http), 0);
}

/* scene_tear_down closes the server, and the handler of the unfinished answer is notified. */
static void it_closes_with_answers_to_come(void **state)
{
    struct scene *scene = (struct scene *)*state;
    int client = dial(scene);
    say(client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    while (scene->postponed == NULL) {
        turn(scene);
    }
    http_close(&scene->http);
    assert_int_equal(scene->gone, 1);
    close(client);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(headers_that_drip_are_not_waited_for), STORY(a_body_that_drips_is_not_waited_for),
        STORY(a_crowd_is_told_that_it_is_one),       STORY(an_answer_comes_later),
        STORY(who_has_left_is_answered_in_vain),     STORY(it_closes_with_answers_to_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
