/* A hundred thousand messages back and forth without a stall, on one loop and between two threads; and bursts
 * from within callbacks. */
#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/proto/socket/socket_fixture.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 100000u
#define IN_FLIGHT 8

/* The router's end sends each frame back. */
static void echo(struct end *end, struct bytes envelope, struct bytes message)
{
    assert_true(socket_send(end->socket, end_route(end), envelope, message));
}

static void send_next(struct end *end, struct bytes envelope, struct bytes message)
{
    if (end->frames + IN_FLIGHT <= ROUNDS) {
        assert_true(socket_send(end->socket, bytes_of(NULL, 0), envelope, message));
    }
}

static void serve(struct end *dealer)
{
    dealer->on_frame = send_next;
    for (int i = 0; i < IN_FLIGHT; i++) {
        assert_true(end_send(dealer, "some envelope", "and a message"));
    }
}

static void ping_pong_on_one_loop(void **state)
{
    struct fixture *fixture = *state;
    fixture->router.texts.maximum = 0;
    fixture->dealer.texts.maximum = 0;
    fixture->router.on_frame = echo;
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    serve(&fixture->dealer);
    run_until(fixture, &fixture->dealer.frames, ROUNDS);
    assert_int_equal(fixture->router.frames, ROUNDS);
}

/* The other thread: a loop of its own with a dealer. It ends when all have come back. */
struct player {
    struct fixture fixture;
    char endpoint[100];
};

static void play(void *argument)
{
    struct player *player = argument;
    end_open_dealer(&player->fixture, &player->fixture.dealer, player->endpoint);
    serve(&player->fixture.dealer);
    run_until(&player->fixture, &player->fixture.dealer.frames, ROUNDS);
    end_close(&player->fixture.dealer, 0);
    uv_run(&player->fixture.loop, UV_RUN_DEFAULT);
}

static void ping_pong_between_threads(void **state)
{
    struct fixture *fixture = *state;
    uv_thread_t thread;
    struct player *player = MEMORY_NEW(struct player);
    uv_loop_init(&player->fixture.loop);
    uv_timer_init(&player->fixture.loop, &player->fixture.guard);
    player->fixture.guard.data = &player->fixture;
    uv_unref((uv_handle_t *)&player->fixture.guard);
    strncpy(player->endpoint, socket_endpoint(fixture->router.socket), sizeof player->endpoint - 1);
    fixture->router.on_frame = echo;
    fixture->router.texts.maximum = 0;
    assert_int_equal(uv_thread_create(&thread, play, player), 0);
    run_until(fixture, &fixture->router.frames, ROUNDS);
    uv_thread_join(&thread);
    assert_int_equal(player->fixture.dealer.frames, ROUNDS);
    uv_close((uv_handle_t *)&player->fixture.guard, NULL);
    uv_run(&player->fixture.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&player->fixture.loop), 0);
    memory_free(player);
}

/* Sends in each turn after the socket has checked, right before the loop sleeps: that call consumes the edge
 * of what arrives meanwhile. */
struct talker {
    uv_prepare_t prepare; /* libuv runs the handle that was started first last */
    struct end *end;
    size_t left;
};

static void on_talk(uv_prepare_t *prepare)
{
    struct talker *talker = prepare->data;
    if (talker->left > 0 && talker->end->frames > 0) {
        assert_true(end_send(talker->end, "before sleep", ""));
        talker->left--;
    }
}

static void late_sends_swallow_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct end *router = &fixture->other;
    struct talker talker = {.end = router, .left = 20000};
    size_t all = talker.left;
    uv_prepare_init(&fixture->loop, &talker.prepare);
    talker.prepare.data = &talker;
    uv_prepare_start(&talker.prepare, on_talk);
    end_open_router(fixture, router, LOCAL_ANY);
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(router->socket));
    fixture->dealer.on_frame = echo;
    assert_true(end_send(&fixture->dealer, "hello", ""));
    run_until(fixture, &router->frames, all + 1);
    assert_int_equal(fixture->dealer.frames, all);
    uv_close((uv_handle_t *)&talker.prepare, NULL);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
}

/* ZeroMQ reads the clock in order not to check for input too often. */
#define ZMQ_LAZINESS_NS (10 * NS_PER_MS)

static bool is_loop_woken(struct fixture *fixture, int patience_ms)
{
    struct pollfd loop = {.fd = uv_backend_fd(&fixture->loop), .events = POLLIN};
    return poll(&loop, 1, patience_ms) > 0;
}

static void pool_do_nothing(uv_work_t *work)
{
    (void)work;
}

static void on_pool_done(uv_work_t *work, int status)
{
    (void)status;
    *(bool *)work->data = true;
}

/* Each socket gives the pool some work when it is made. Its end wakes the loop up as well, at a time of its
 * own. With one thread (main) it is over when what was given later is. */
static void let_pool_rest(struct fixture *fixture)
{
    bool is_done = false;
    uv_work_t work = {.data = &is_done};
    assert_int_equal(uv_queue_work(&fixture->loop, &work, pool_do_nothing, on_pool_done), 0);
    while (!is_done) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

/* The peer's next frame arrives, and a send of ours consumes the edge that signals it. */
static void swallow(struct fixture *fixture, struct end *router, struct rude_peer *peer)
{
    rude_send(peer, 2, 10);
    assert_true(is_loop_woken(fixture, 30000));
    do {
        uint64_t begun_ns = clock_now_ns();
        while (clock_now_ns() < begun_ns + ZMQ_LAZINESS_NS) {
        }
        assert_true(end_send(router, "swallows", ""));
    } while (is_loop_woken(fixture, 0)); /* something else has arrived meanwhile */
}

static void edge_swallowed_between_turns(void **state)
{
    struct fixture *fixture = *state;
    struct rude_peer peer;
    rude_open(&peer, socket_endpoint(fixture->router.socket));
    rude_send(&peer, 2, 10);
    run_until(fixture, &fixture->router.frames, 1);
    let_pool_rest(fixture);
    for (size_t i = 0; i < 20; i++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT); /* nothing of the last one is left */
        swallow(fixture, &fixture->router, &peer);
        run_until(fixture, &fixture->router.frames, i + 2);
    }
    rude_close(&peer);
}

struct swallower {
    uv_prepare_t prepare;
    struct fixture *fixture;
    struct rude_peer peer;
    bool is_due;
};

static void on_swallow(uv_prepare_t *prepare)
{
    struct swallower *swallower = prepare->data;
    if (swallower->is_due) {
        swallower->is_due = false;
        swallow(swallower->fixture, &swallower->fixture->other, &swallower->peer);
    }
}

/* When the socket has already checked, and the loop is about to sleep. */
static void edge_swallowed_before_sleep(void **state)
{
    struct fixture *fixture = *state;
    struct swallower swallower = {.fixture = fixture};
    uv_prepare_init(&fixture->loop, &swallower.prepare);
    swallower.prepare.data = &swallower;
    uv_prepare_start(&swallower.prepare, on_swallow); /* before the router's, so it is called after it */
    end_open_router(fixture, &fixture->other, LOCAL_ANY);
    rude_open(&swallower.peer, socket_endpoint(fixture->other.socket));
    rude_send(&swallower.peer, 2, 10);
    run_until(fixture, &fixture->other.frames, 1);
    let_pool_rest(fixture);
    for (size_t i = 0; i < 20; i++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        swallower.is_due = true;
        run_until(fixture, &fixture->other.frames, i + 2);
    }
    uv_close((uv_handle_t *)&swallower.prepare, NULL);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    rude_close(&swallower.peer);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST(ping_pong_on_one_loop),       TEST(ping_pong_between_threads),
        TEST(late_sends_swallow_nothing),  TEST(edge_swallowed_between_turns),
        TEST(edge_swallowed_before_sleep),
#undef TEST
    };
    (void)setenv("UV_THREADPOOL_SIZE", "1", 1);
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
