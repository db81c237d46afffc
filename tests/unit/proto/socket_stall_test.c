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

/* Sends from timers, before and after the socket's own look in the turn: the calls swallow the edge of what
 * comes in meanwhile. */
struct talker {
    uv_timer_t timer;
    uv_prepare_t prepare;
    struct fixture *fixture;
    size_t sent;
};

static void on_talk_timer(uv_timer_t *timer)
{
    struct talker *talker = timer->data;
    if (talker->sent < 500) {
        assert_true(end_send(&talker->fixture->router, "from a timer", ""));
        talker->sent++;
    }
}

static void on_talk_prepare(uv_prepare_t *prepare)
{
    struct talker *talker = prepare->data;
    if (talker->sent < 500) {
        assert_true(end_send(&talker->fixture->router, "before sleep", ""));
        talker->sent++;
    }
}

static void start_talking(struct talker *talker)
{
    uv_timer_init(&talker->fixture->loop, &talker->timer);
    uv_prepare_init(&talker->fixture->loop, &talker->prepare);
    talker->timer.data = talker;
    talker->prepare.data = talker;
    uv_timer_start(&talker->timer, on_talk_timer, 1, 1);
    uv_prepare_start(&talker->prepare, on_talk_prepare);
}

static void stop_talking(struct talker *talker)
{
    uv_close((uv_handle_t *)&talker->timer, NULL);
    uv_close((uv_handle_t *)&talker->prepare, NULL);
    uv_run(&talker->fixture->loop, UV_RUN_NOWAIT);
}

static void sends_from_elsewhere_swallow_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct talker talker = {.fixture = fixture};
    end_open_dealer(fixture, &fixture->dealer, socket_endpoint(fixture->router.socket));
    assert_true(end_send(&fixture->dealer, "hello", ""));
    run_until(fixture, &fixture->router.frames, 1);
    fixture->dealer.on_frame = echo; /* back to the router, which keeps it */
    start_talking(&talker);
    run_until(fixture, &fixture->router.frames, 501);
    assert_int_equal(fixture->dealer.frames, 500);
    stop_talking(&talker);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST(ping_pong_on_one_loop),
        TEST(ping_pong_between_threads),
        TEST(sends_from_elsewhere_swallow_nothing),
#undef TEST
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
