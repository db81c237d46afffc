/* Many transfers of libcurl at once: handshakes begin a few in each turn of the loop, and of sockets that are
 * ready together each turn serves as many as it has time for. */
#include "agent/http/curl/curl_kind.h"
#include "common/clock.h"
#include "common/memory.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define CLIENTS 30
#define PER_TURN 4

struct fixture {
    uv_loop_t loop;
    struct http_engine *engine;
    struct http_client *clients[CLIENTS];
    struct http_exchange *exchanges[CLIENTS];
    int held[CLIENTS];
    int listener;
    int accepted;
    unsigned port;
    enum http_failure failures[CLIENTS];
};

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;

    uv_loop_init(&fixture->loop);
    fixture->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fixture->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fixture->listener, CLIENTS), 0);
    assert_int_equal(getsockname(fixture->listener, (struct sockaddr *)&address, &size), 0);
    fixture->port = ntohs(address.sin_port);
    fixture->engine = http_engine_new(&curl_kind, &fixture->loop, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        fixture->clients[i] = http_client_new(fixture->engine);
    }
    *state = fixture;
    alarm(60);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < CLIENTS; i++) {
        http_client_free(&fixture->clients[i]);
    }
    http_engine_close(&fixture->engine);
    for (int i = 0; i < fixture->accepted; i++) {
        (void)close(fixture->held[i]);
    }
    (void)close(fixture->listener);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    memory_free(fixture);
    alarm(0);
    return 0;
}

static void on_done(void *context, struct http_response *response)
{
    enum http_failure *failure = context;

    *failure = response->failure;
}

/* From a server that accepts and says nothing. */
static void start_all(struct fixture *fixture, const char *scheme, uint64_t timeout_ms)
{
    char url[100];
    const struct http_request request = {
        .method = "GET", .url = url, .timeout_ms = timeout_ms, .max_body_bytes = 1000};

    snprintf(url, sizeof url, "%s://127.0.0.1:%u/", scheme, fixture->port);
    for (int i = 0; i < CLIENTS; i++) {
        fixture->failures[i] = HTTP_OK;
        fixture->exchanges[i] = http_start(fixture->clients[i], &request, on_done, &fixture->failures[i]);
    }
}

/* How many have come in one turn. */
static int turn(struct fixture *fixture)
{
    int before = fixture->accepted;
    int accepted;

    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    while ((accepted = accept(fixture->listener, NULL, NULL)) >= 0) {
        fixture->held[fixture->accepted++] = accepted;
    }
    return fixture->accepted - before;
}

static void handshakes_begin_a_few_in_each_turn(void **state)
{
    struct fixture *fixture = *state;

    start_all(fixture, "https", 60000);
    for (int i = 0; i < CLIENTS && fixture->accepted < CLIENTS; i++) {
        assert_in_range(turn(fixture), 0, PER_TURN);
    }
    assert_int_equal(fixture->accepted, CLIENTS);
}

static void what_shakes_no_hands_does_not_wait(void **state)
{
    struct fixture *fixture = *state;

    start_all(fixture, "http", 60000);
    assert_int_equal(turn(fixture) + turn(fixture), CLIENTS);
}

static void one_that_is_cancelled_leaves_the_others_in_order(void **state)
{
    struct fixture *fixture = *state;

    start_all(fixture, "https", 60000);
    (void)turn(fixture);
    http_exchange_free(&fixture->exchanges[10]);
    http_exchange_free(&fixture->exchanges[CLIENTS - 1]);
    http_client_cancel(fixture->clients[11]);
    for (int i = 0; i < CLIENTS; i++) {
        (void)turn(fixture);
    }
    assert_int_equal(fixture->accepted, CLIENTS - 3);
}

static void those_that_wait_have_their_timeout(void **state)
{
    struct fixture *fixture = *state;
    uint64_t began_ns = clock_now_ns();

    start_all(fixture, "https", 200);
    for (int i = 0; i < CLIENTS; i++) {
        while (fixture->failures[i] == HTTP_OK) {
            uv_run(&fixture->loop, UV_RUN_ONCE);
        }
        assert_int_equal(fixture->failures[i], HTTP_TIMEOUT);
    }
    assert_true(clock_now_ns() - began_ns >= 195 * NS_PER_MS);
}

static int answered;

static void on_done_slowly(void *context, struct http_response *response)
{
    uint64_t until_ns = clock_now_ns() + NS_PER_MS;

    (void)context;
    assert_int_equal(response->failure, HTTP_OK);
    answered++;
    while (clock_now_ns() < until_ns) {
        ;
    }
}

/* Each takes a millisecond, and a turn two. */
static void sockets_that_are_ready_together_take_several_turns(void **state)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
    struct fixture *fixture = *state;
    char url[100];
    const struct http_request request = {
        .method = "GET", .url = url, .timeout_ms = 60000, .max_body_bytes = 1000};

    answered = 0;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", fixture->port);
    for (int i = 0; i < CLIENTS; i++) {
        fixture->exchanges[i] = http_start(fixture->clients[i], &request, on_done_slowly, NULL);
    }
    for (int i = 0; i < CLIENTS; i++) {
        char byte;
        while (fixture->accepted <= i || recv(fixture->held[i], &byte, 1, MSG_DONTWAIT) != 1) {
            (void)turn(fixture);
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(write(fixture->held[i], answer, sizeof answer - 1), sizeof answer - 1);
    }
    for (int turns = 0; answered < CLIENTS; turns++) {
        int before = answered;
        (void)turn(fixture);
        assert_in_range(answered - before, 0, 3);
        assert_true(turns < 100);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(handshakes_begin_a_few_in_each_turn),
        TEST(what_shakes_no_hands_does_not_wait),
        TEST(one_that_is_cancelled_leaves_the_others_in_order),
        TEST(those_that_wait_have_their_timeout),
        TEST(sockets_that_are_ready_together_take_several_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
