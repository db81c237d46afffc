/* A hundred thousand messages back and forth without a stall, on one loop and between two threads; and bursts
 * from within callbacks. */
#include "common/memory.h"
#include "socket_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

/* Sends in each turn after the socket has looked, right before the loop sleeps: that call swallows the edge
 * of what comes in meanwhile. */
struct talker {
    uv_prepare_t prepare; /* libuv calls the one that was started first last */
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

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST(ping_pong_on_one_loop),
        TEST(ping_pong_between_threads),
        TEST(late_sends_swallow_nothing),
#undef TEST
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
