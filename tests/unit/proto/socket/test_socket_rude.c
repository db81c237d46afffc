/* Rude peers: garbage, wrong numbers of parts, giant frames, silence. Our socket keeps working and serves the
 * others. */
#include "common/memory.h"
#include "proto/message/limits.h"
#include "tests/unit/proto/socket/socket_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

static void check_that_others_are_served(struct fixture *fixture)
{
    size_t before = fixture->router.frames;
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    assert_true(end_send(&fixture->dealer, "good", "day"));
    run_until(fixture, &fixture->router.frames, before + 1);
    assert_non_null(strstr(buffer_string(&fixture->router.texts), "good|day "));
    assert_true(end_send(&fixture->router, "answer", ""));
    run_until(fixture, &fixture->dealer.frames, 1);
}

static void garbage_is_cut_off(void **state)
{
    struct fixture *fixture = *state;
    uint8_t garbage[4096];
    for (size_t i = 0; i < sizeof garbage; i++) {
        garbage[i] = (uint8_t)(i * 167 + 13);
    }
    int descriptor = raw_connect(socket_endpoint(fixture->router.socket), garbage, sizeof garbage);
    raw_await_end(descriptor);
    check_that_others_are_served(fixture);
    assert_int_equal(fixture->router.frames, 1);
}

/* A request of a web browser. ZeroMQ takes it for a slow greeting and gives up only after a while. */
static void other_protocols_hurt_nobody(void **state)
{
    struct fixture *fixture = *state;
    static const char REQUEST[] =
        "GET / HTTP/1.1\r\nHost: coordinator\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n";
    int descriptor = raw_connect(socket_endpoint(fixture->router.socket), REQUEST, sizeof REQUEST - 1);
    check_that_others_are_served(fixture);
    close(descriptor);
}

/* The greeting of ZeroMQ, and then nothing. */
static void silence_after_the_greeting_hurts_nobody(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t GREETING[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    int descriptor = raw_connect(socket_endpoint(fixture->router.socket), GREETING, sizeof GREETING);
    check_that_others_are_served(fixture);
    close(descriptor);
}

static void wrong_numbers_of_parts_are_dropped(void **state)
{
    struct fixture *fixture = *state;
    struct rude_peer peer;
    rude_open(&peer, socket_endpoint(fixture->router.socket));
    rude_send(&peer, 1, 10);
    rude_send(&peer, 3, 10);
    rude_send(&peer, 1000, 10);
    rude_send(&peer, 2, 0); /* empty, but two */
    run_until(fixture, &fixture->router.frames, 1);
    assert_int_equal(socket_dropped(fixture->router.socket), 3);
    assert_string_equal(buffer_string(&fixture->router.texts), "| ");
    check_that_others_are_served(fixture);
    rude_close(&peer);
}

static void giants_are_cut_off(void **state)
{
    struct fixture *fixture = *state;
    struct rude_peer peer;
    rude_open(&peer, socket_endpoint(fixture->router.socket));
    rude_send(&peer, 2, (size_t)LIMIT_CUT_BYTES + 1);
    rude_await_disconnection(&peer);
    check_that_others_are_served(fixture);
    assert_int_equal(fixture->router.frames, 1);
    rude_close(&peer);
}

static void the_largest_frame_passes(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *message = memory_new(1, LIMIT_CUT_BYTES);
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    assert_true(socket_send(fixture->dealer.socket, bytes_of(NULL, 0), bytes_of_string("e"),
                            bytes_of(message, LIMIT_CUT_BYTES)));
    run_until(fixture, &fixture->router.bytes, LIMIT_CUT_BYTES);
    memory_free(message);
}

/* A ROUTER that answers a dealer of ours with a wrong number of parts. */
static void dealer_checks_parts_too(void **state)
{
    struct fixture *fixture = *state;
    char endpoint[100];
    size_t size = sizeof endpoint;
    uint8_t route[SOCKET_MAX_ROUTE_BYTES];
    void *context = zmq_ctx_new();
    void *router = zmq_socket(context, ZMQ_ROUTER);
    assert_int_equal(zmq_bind(router, LOCAL_ANY), 0);
    zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &size);
    end_open_dealer(fixture, &fixture->dealer, endpoint);
    assert_true(end_send(&fixture->dealer, "e", "m"));
    int route_size = zmq_recv(router, route, sizeof route, 0);
    assert_true(route_size > 0);
    zmq_send(router, route, (size_t)route_size, ZMQ_SNDMORE);
    zmq_send(router, "one", 3, 0);
    zmq_send(router, route, (size_t)route_size, ZMQ_SNDMORE);
    zmq_send(router, "one", 3, ZMQ_SNDMORE);
    zmq_send(router, "two", 3, 0);
    run_until(fixture, &fixture->dealer.frames, 1);
    assert_string_equal(buffer_string(&fixture->dealer.texts), "one|two ");
    assert_int_equal(socket_dropped(fixture->dealer.socket), 1);
    zmq_close(router);
    zmq_ctx_term(context);
}

/* Connections that come and go by the hundred. */
static void many_short_connections_hurt_nobody(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 300; i++) {
        close(raw_connect(socket_endpoint(fixture->router.socket), "\xff", 1));
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
    check_that_others_are_served(fixture);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST(garbage_is_cut_off),
        TEST(other_protocols_hurt_nobody),
        TEST(silence_after_the_greeting_hurts_nobody),
        TEST(wrong_numbers_of_parts_are_dropped),
        TEST(giants_are_cut_off),
        TEST(the_largest_frame_passes),
        TEST(dealer_checks_parts_too),
        TEST(many_short_connections_hurt_nobody),
#undef TEST
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
