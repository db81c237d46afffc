/* Our sockets on a loop: frames both ways, bounded turns, reconnects, high water, closing, and errors that
 * name address and port. */
#include "common/memory.h"
#include "tests/unit/proto/socket/socket_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include <cmocka.h>

static void frames_go_both_ways(void **state)
{
    struct fixture *fixture = *state;
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    assert_true(end_send(&fixture->dealer, "envelope", "message"));
    assert_true(end_send(&fixture->dealer, "heartbeat", ""));
    run_until(fixture, &fixture->router.frames, 2);
    assert_string_equal(buffer_string(&fixture->router.texts), "envelope|message heartbeat| ");
    assert_true(fixture->router.route_size > 0);
    assert_true(end_send(&fixture->router, "answer", "yes"));
    run_until(fixture, &fixture->dealer.frames, 1);
    assert_string_equal(buffer_string(&fixture->dealer.texts), "answer|yes ");
    assert_int_equal(fixture->dealer.route_size, 0);
    assert_int_equal(socket_dropped(fixture->router.socket), 0);
}

#define SHARED_BYTES 20000u

static void check_shared(struct end *end, struct bytes envelope, struct bytes message)
{
    (void)end;
    bool is_bare = bytes_equal_string(envelope, "bare");
    assert_int_equal(message.size, is_bare ? 0 : SHARED_BYTES);
    for (size_t i = 0; i < message.size; i++) {
        assert_int_equal(message.data[i], 'x');
    }
}

/* Long enough that ZeroMQ sends it from where it is. */
static void a_shared_message_lasts_until_it_has_left(void **state)
{
    struct fixture *fixture = *state;
    uint8_t text[SHARED_BYTES];
    memset(text, 'x', sizeof text);
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    struct socket *socket = fixture->dealer.socket;
    fixture->router.on_frame = check_shared;
    struct shared *message = shared_new(bytes_of(text, sizeof text));
    assert_true(socket_send_shared(socket, bytes_of(NULL, 0), bytes_of_string("first"), message));
    assert_true(socket_send_shared(socket, bytes_of(NULL, 0), bytes_of_string("again"), message));
    shared_release(&message);
    assert_true(socket_send_shared(socket, bytes_of(NULL, 0), bytes_of_string("bare"), NULL));
    run_until(fixture, &fixture->router.frames, 3);
    assert_int_equal(fixture->router.bytes, 2 * SHARED_BYTES);
}

static void a_shared_message_to_nobody_is_let_go(void **state)
{
    struct fixture *fixture = *state;
    struct shared *message = shared_new(bytes_of_string("message"));
    assert_false(
        socket_send_shared(fixture->router.socket, bytes_of_string("nobody"), bytes_of_string("e"), message));
    assert_true(bytes_equal_string(shared_bytes(message), "message"));
    shared_release(&message); /* the leak checker judges */
}

static void routes_tell_dealers_apart(void **state)
{
    struct fixture *fixture = *state;
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    end_open_dealer(fixture, &fixture->other, socket_endpoint(fixture->router.socket));
    assert_true(end_send(&fixture->dealer, "a", ""));
    run_until(fixture, &fixture->router.frames, 1);
    assert_true(end_send(&fixture->router, "to a", ""));
    assert_true(end_send(&fixture->other, "b", ""));
    run_until(fixture, &fixture->router.frames, 2);
    assert_true(end_send(&fixture->router, "to b", ""));
    run_until(fixture, &fixture->dealer.frames, 1);
    run_until(fixture, &fixture->other.frames, 1);
    assert_string_equal(buffer_string(&fixture->dealer.texts), "to a| ");
    assert_string_equal(buffer_string(&fixture->other.texts), "to b| ");
}

static void dealer_may_come_before_the_router(void **state)
{
    struct fixture *fixture = *state;
    char endpoint[100];
    (void)snprintf(endpoint, sizeof endpoint, "%s", socket_endpoint(fixture->router.socket));
    end_close(&fixture->router, 0);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    end_open_dealer(fixture, &fixture->dealer, endpoint);
    assert_true(end_send(&fixture->dealer, "early", ""));
    end_open_router(fixture, &fixture->router, endpoint);
    run_until(fixture, &fixture->router.frames, 1);
}

static void say_second(uv_timer_t *timer)
{
    (void)end_send(timer->data, "second", "");
}

/* What is sent on a connection that is about to end is lost, so it is sent again and again, as the link
 * does. */
static void router_may_come_back(void **state)
{
    uv_timer_t timer;
    struct fixture *fixture = *state;
    char endpoint[100];
    (void)snprintf(endpoint, sizeof endpoint, "%s", socket_endpoint(fixture->router.socket));
    end_open_dealer(fixture, &fixture->dealer, endpoint);
    assert_true(end_send(&fixture->dealer, "first", ""));
    run_until(fixture, &fixture->router.frames, 1);
    end_close(&fixture->router, 0);
    /* The first may still hold the port for a moment. */
    while (!end_try_router(fixture, &fixture->router, endpoint)) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
    uv_timer_init(&fixture->loop, &timer);
    timer.data = &fixture->dealer;
    uv_timer_start(&timer, say_second, 0, 10);
    run_until(fixture, &fixture->router.frames, 2);
    uv_close((uv_handle_t *)&timer, NULL);
    assert_true(end_send(&fixture->router, "answer", ""));
    run_until(fixture, &fixture->dealer.frames, 1);
}

static void reconnect_gives_a_new_route(void **state)
{
    struct fixture *fixture = *state;
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    assert_true(end_send(&fixture->dealer, "first", ""));
    run_until(fixture, &fixture->router.frames, 1);
    uint8_t old[SOCKET_MAX_ROUTE_BYTES];
    size_t old_size = fixture->router.route_size;
    memcpy(old, fixture->router.route, old_size);
    socket_reconnect(fixture->dealer.socket);
    assert_true(end_send(&fixture->dealer, "second", ""));
    run_until(fixture, &fixture->router.frames, 2);
    assert_false(bytes_equal(bytes_of(old, old_size), end_route(&fixture->router)));
    assert_true(end_send(&fixture->router, "answer", ""));
    run_until(fixture, &fixture->dealer.frames, 1);
}

static void unknown_route_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_false(socket_send(fixture->router.socket, bytes_of_string("nobody"), bytes_of_string("e"),
                             bytes_of(NULL, 0)));
    /* And the socket still works. */
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    assert_true(end_send(&fixture->dealer, "e", "m"));
    run_until(fixture, &fixture->router.frames, 1);
    assert_true(end_send(&fixture->router, "f", "n"));
    run_until(fixture, &fixture->dealer.frames, 1);
    assert_string_equal(buffer_string(&fixture->dealer.texts), "f|n ");
}

static void turns_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    for (int i = 0; i < 1500; i++) {
        assert_true(end_send(&fixture->dealer, "e", "m"));
    }
    run_until(fixture, &fixture->router.frames, 1500);
    assert_true(fixture->router.most_frames_of_turn <= 64);
    assert_true(fixture->router.turns >= 1500 / 64);
}

/* A peer that does not read: the router is told, does not drop silently, and serves the others. */
static void full_route_is_refused_and_others_are_served(void **state)
{
    struct fixture *fixture = *state;
    struct rude_peer deaf;
    int one = 1;
    rude_open(&deaf, socket_endpoint(fixture->router.socket));
    zmq_setsockopt(deaf.zmq, ZMQ_RCVHWM, &one, sizeof one);
    rude_send(&deaf, 2, 3);
    run_until(fixture, &fixture->router.frames, 1);
    struct bytes deaf_route = end_route(&fixture->router);
    uint8_t route[SOCKET_MAX_ROUTE_BYTES];
    memcpy(route, deaf_route.data, deaf_route.size);
    deaf_route.data = route;
    static uint8_t block[20000];
    size_t sent = 0;
    while (sent < 100000 && socket_send(fixture->router.socket, deaf_route, bytes_of_string("e"),
                                        bytes_of(block, sizeof block))) {
        sent++;
    }
    assert_true(sent < 100000);
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    assert_true(end_send(&fixture->dealer, "e", "m"));
    run_until(fixture, &fixture->router.frames, 2);
    assert_true(end_send(&fixture->router, "still", "here"));
    run_until(fixture, &fixture->dealer.frames, 1);
    /* Everything that was accepted arrives. */
    int patience_ms = 30000;
    zmq_setsockopt(deaf.zmq, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    for (size_t i = 0; i < 2 * sent; i++) {
        assert_true(zmq_recv(deaf.zmq, block, sizeof block, 0) >= 0);
    }
    rude_close(&deaf);
}

static void what_was_sent_may_linger(void **state)
{
    struct fixture *fixture = *state;
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    assert_true(end_send(&fixture->dealer, "farewell", ""));
    end_close(&fixture->dealer, 20000);
    run_until(fixture, &fixture->router.frames, 1);
}

static void close_within(struct end *end, struct bytes envelope, struct bytes message)
{
    end_close(end, 0);
    assert_true(envelope.size + message.size > 0); /* still readable */
}

static void may_be_closed_by_its_own_callback(void **state)
{
    struct fixture *fixture = *state;
    fixture->router.on_frame = close_within;
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    for (int i = 0; i < 10; i++) {
        assert_true(end_send(&fixture->dealer, "e", "m"));
    }
    run_until(fixture, &fixture->router.frames, 1);
    assert_int_equal(fixture->router.frames, 1);
    assert_int_equal(fixture->router.turns, 0);
}

static void port_in_use_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct socket_callbacks none = {0};
    struct error error;
    char words[100];
    const char *endpoint = socket_endpoint(fixture->router.socket);
    (void)snprintf(words, sizeof words, "port %s of 127.0.0.1 is in use", strrchr(endpoint, ':') + 1);
    assert_null(socket_new_router(&fixture->loop, endpoint, NULL, &none, &error));
    assert_non_null(strstr(error.text, words));
}

static void bad_addresses_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *endpoint;
        const char *words;
    } ROWS[] = {
        {"127.0.0.1:7440", "of the form tcp://HOST:PORT"},
        {"tcp://127.0.0.1", "of the form tcp://HOST:PORT"},
        {"tcp://:7440", "of the form tcp://HOST:PORT"},
        {"tcp://127.0.0.1:", "of the form tcp://HOST:PORT"},
        {"tcp://127.0.0.1:123456", "of the form tcp://HOST:PORT"},
        {"tcp://127.0.0.1:http", "of the form tcp://HOST:PORT"},
        {"ipc:///tmp/x:1", "of the form tcp://HOST:PORT"},
        {"", "of the form tcp://HOST:PORT"},
        {"tcp://192.0.2.1:7440", "port 7440 of 192.0.2.1: this machine has no such address"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct socket_callbacks none = {0};
        struct error error;
        assert_null(socket_new_router(&fixture->loop, ROWS[i].endpoint, NULL, &none, &error));
        if (strstr(error.text, ROWS[i].words) == NULL) {
            fail_msg("%s: %s", ROWS[i].endpoint, error.text);
        }
    }
    struct socket_callbacks none = {0};
    struct error error;
    assert_null(socket_new_dealer(&fixture->loop, "tcp://127.0.0.1", NULL, &none, &error));
    assert_null(socket_new_dealer(&fixture->loop, "tcp://127.0.0.1:x", NULL, &none, &error));
    assert_non_null(strstr(error.text, "port x of 127.0.0.1"));
}

static void localhost_reaches_ipv4(void **state)
{
    struct fixture *fixture = *state;
    char endpoint[100];
    (void)snprintf(endpoint, sizeof endpoint, "tcp://localhost%s",
                   strrchr(socket_endpoint(fixture->router.socket), ':'));
    end_open_dealer(fixture, &fixture->dealer, endpoint);
    assert_true(end_send(&fixture->dealer, "e", ""));
    run_until(fixture, &fixture->router.frames, 1);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST(frames_go_both_ways),
        TEST(a_shared_message_lasts_until_it_has_left),
        TEST(a_shared_message_to_nobody_is_let_go),
        TEST(routes_tell_dealers_apart),
        TEST(dealer_may_come_before_the_router),
        TEST(router_may_come_back),
        TEST(reconnect_gives_a_new_route),
        TEST(unknown_route_is_refused),
        TEST(turns_are_bounded),
        TEST(full_route_is_refused_and_others_are_served),
        TEST(what_was_sent_may_linger),
        TEST(may_be_closed_by_its_own_callback),
        TEST(port_in_use_is_named),
        TEST(bad_addresses_are_refused),
        TEST(localhost_reaches_ipv4),
#undef TEST
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
