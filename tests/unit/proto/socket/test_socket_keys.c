/* Sockets with keys: which peers get in, which do not, and what both ends learn of it. */
#include "proto/keys/curve.h"
#include "proto/socket/socket.h"

#include "common/memory.h"
#include "tests/unit/common/check.h"
#include <uv.h>

#define PATIENCE_MS 20000

struct side {
    struct socket *socket;
    size_t frames;
    char key[KEY_TEXT_BYTES + 1]; /* of the newest frame's sender */
    uint8_t route[SOCKET_MAX_ROUTE_BYTES];
    size_t route_size;
    size_t troubles[SOCKET_FRAME_TOO_LARGE + 1];
};

struct scene {
    uv_loop_t loop;
    uv_timer_t guard;
    bool is_late;
    struct key_pair server;
    struct key_pair agent; /* the accepted one */
    struct key_pair stranger;
    size_t asked;
    struct side router;
    struct side dealer;
    struct side other;
};

static void on_frame(void *context, const struct socket_sender *from, struct bytes envelope,
                     struct bytes message)
{
    struct side *side = context;
    (void)envelope;
    (void)message;
    side->frames++;
    bytes_to_text(bytes_of_string(from->key), side->key, sizeof side->key);
    side->route_size = from->route.size;
    if (from->route.size > 0) {
        memcpy(side->route, from->route.data, from->route.size);
    }
}

static void on_trouble(void *context, enum socket_trouble trouble, const char *address)
{
    (void)address;
    ((struct side *)context)->troubles[trouble]++;
}

static bool is_welcome(void *context, const char *key)
{
    struct scene *scene = context;
    scene->asked++;
    return strcmp(key, scene->agent.public_key) == 0;
}

static void on_late(uv_timer_t *timer)
{
    ((struct scene *)timer->data)->is_late = true;
}

static void run_until(struct scene *scene, const size_t *counter, size_t wanted)
{
    uv_update_time(&scene->loop);
    uv_timer_start(&scene->guard, on_late, PATIENCE_MS, 0);
    while (*counter < wanted && !scene->is_late) {
        uv_run(&scene->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&scene->guard);
    if (scene->is_late) {
        fail_msg("stalled at %zu of %zu", *counter, wanted);
    }
}

static void open_router(struct scene *scene, bool has_keys)
{
    struct socket_callbacks callbacks = {
        .on_frame = on_frame, .on_trouble = on_trouble, .context = &scene->router};
    struct socket_server_keys keys = {.pair = &scene->server, .is_welcome = is_welcome, .context = scene};
    struct error error;
    scene->router.socket =
        socket_new_router(&scene->loop, "tcp://127.0.0.1:*", has_keys ? &keys : NULL, &callbacks, &error);
    assert_non_null(scene->router.socket);
}

/* Connects and sends one message. */
static void open_dealer(struct scene *scene, struct side *side, const struct key_pair *pair,
                        const struct key_pair *server)
{
    struct socket_callbacks callbacks = {.on_frame = on_frame, .on_trouble = on_trouble, .context = side};
    struct socket_client_keys keys = {.pair = pair, .server = server != NULL ? server->public_key : NULL};
    struct error error;
    side->socket = socket_new_dealer(&scene->loop, socket_endpoint(scene->router.socket),
                                     pair != NULL ? &keys : NULL, &callbacks, &error);
    assert_non_null(side->socket);
    (void)socket_send(side->socket, bytes_of(NULL, 0), TEXT("hello"), TEXT("there"));
}

static int set_up(void **state)
{
    struct scene *scene = MEMORY_NEW(struct scene);
    uv_loop_init(&scene->loop);
    uv_timer_init(&scene->loop, &scene->guard);
    scene->guard.data = scene;
    curve_draw(&scene->server);
    curve_draw(&scene->agent);
    curve_draw(&scene->stranger);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    socket_close(&scene->dealer.socket, 0);
    socket_close(&scene->other.socket, 0);
    socket_close(&scene->router.socket, 0);
    uv_close((uv_handle_t *)&scene->guard, NULL);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&scene->loop), 0);
    memory_free(scene);
    return 0;
}

/* Whatever happened before, a peer with the right key gets in and is answered. */
static void check_that_the_right_key_opens(struct scene *scene)
{
    size_t before = scene->router.frames;
    open_dealer(scene, &scene->other, &scene->agent, &scene->server);
    run_until(scene, &scene->router.frames, before + 1);
    assert_string_equal(scene->router.key, scene->agent.public_key);
    assert_true(socket_send(scene->router.socket, bytes_of(scene->router.route, scene->router.route_size),
                            TEXT("answer"), TEXT("")));
    run_until(scene, &scene->other.frames, 1);
    assert_string_equal(scene->other.key, "");
}

static void the_right_key_opens(void **state)
{
    struct scene *scene = *state;
    open_router(scene, true);
    check_that_the_right_key_opens(scene);
    assert_int_equal(scene->asked, 1);
}

static void a_strangers_key_does_not(void **state)
{
    struct scene *scene = *state;
    open_router(scene, true);
    open_dealer(scene, &scene->dealer, &scene->stranger, &scene->server);
    run_until(scene, &scene->dealer.troubles[SOCKET_KEY_REFUSED], 1);
    assert_int_equal(scene->router.frames, 0);
    /* ZeroMQ gives up after that; a new connection tries again. */
    socket_reconnect(scene->dealer.socket);
    run_until(scene, &scene->dealer.troubles[SOCKET_KEY_REFUSED], 2);
    assert_true(scene->asked >= 2);
    check_that_the_right_key_opens(scene);
}

static void a_key_that_becomes_welcome_opens_after_all(void **state)
{
    struct scene *scene = *state;
    struct key_pair welcome = scene->agent;
    open_router(scene, true);
    open_dealer(scene, &scene->dealer, &scene->stranger, &scene->server);
    run_until(scene, &scene->dealer.troubles[SOCKET_KEY_REFUSED], 1);
    scene->agent = scene->stranger;
    socket_reconnect(scene->dealer.socket);
    (void)socket_send(scene->dealer.socket, bytes_of(NULL, 0), TEXT("hello"), TEXT("again"));
    run_until(scene, &scene->router.frames, 1);
    assert_string_equal(scene->router.key, scene->stranger.public_key);
    scene->agent = welcome;
}

static void a_wrong_key_of_the_server_does_not(void **state)
{
    struct scene *scene = *state;
    open_router(scene, true);
    open_dealer(scene, &scene->dealer, &scene->agent, &scene->stranger);
    run_until(scene, &scene->router.troubles[SOCKET_HANDSHAKE_BROKEN], 1);
    run_until(scene, &scene->dealer.troubles[SOCKET_HANDSHAKE_CUT], 1);
    assert_int_equal(scene->asked, 0); /* it has proved nothing */
    check_that_the_right_key_opens(scene);
}

static void who_has_no_key_does_not_get_in(void **state)
{
    struct scene *scene = *state;
    open_router(scene, true);
    open_dealer(scene, &scene->dealer, NULL, NULL);
    run_until(scene, &scene->dealer.troubles[SOCKET_KEYS_ON_ONE_SIDE], 1);
    assert_int_equal(scene->router.frames, 0);
    check_that_the_right_key_opens(scene);
}

static void who_has_a_key_talks_to_nobody_without(void **state)
{
    struct scene *scene = *state;
    open_router(scene, false);
    open_dealer(scene, &scene->dealer, &scene->agent, &scene->server);
    run_until(scene, &scene->dealer.troubles[SOCKET_KEYS_ON_ONE_SIDE], 1);
    assert_int_equal(scene->router.frames, 0);
    open_dealer(scene, &scene->other, NULL, NULL);
    run_until(scene, &scene->router.frames, 1);
    assert_string_equal(scene->router.key, "");
}

/* Agents of one machine: the right token gets in; another one, a key or nothing does not. */
static void a_token_opens_without_encryption(void **state)
{
    struct scene *scene = *state;
    struct side *const sides[] = {&scene->dealer, &scene->other};
    const char *const tokens[] = {scene->stranger.secret_key, scene->agent.public_key};
    struct socket_server_keys server = {.is_welcome = is_welcome, .context = scene};
    struct socket_callbacks callbacks = {
        .on_frame = on_frame, .on_trouble = on_trouble, .context = &scene->router};
    struct error error;
    scene->router.socket = socket_new_router(&scene->loop, "tcp://127.0.0.1:*", &server, &callbacks, &error);
    for (int i = 0; i < 2; i++) {
        struct socket_client_keys keys = {.token = tokens[i]};
        callbacks.context = sides[i];
        sides[i]->socket =
            socket_new_dealer(&scene->loop, socket_endpoint(scene->router.socket), &keys, &callbacks, &error);
        (void)socket_send(sides[i]->socket, bytes_of(NULL, 0), TEXT("hello"), TEXT("there"));
    }
    run_until(scene, &scene->dealer.troubles[SOCKET_KEY_REFUSED], 1);
    run_until(scene, &scene->router.frames, 1);
    assert_string_equal(scene->router.key, scene->agent.public_key);
    socket_close(&scene->dealer.socket, 0);
    open_dealer(scene, &scene->dealer, NULL, NULL);
    run_until(scene, &scene->dealer.troubles[SOCKET_KEYS_ON_ONE_SIDE], 1);
    socket_close(&scene->dealer.socket, 0);
    open_dealer(scene, &scene->dealer, &scene->agent, &scene->server);
    run_until(scene, &scene->dealer.troubles[SOCKET_KEYS_ON_ONE_SIDE], 2);
    assert_int_equal(scene->router.frames, 1);
}

static void many_keys_at_once_are_all_asked_about(void **state)
{
    enum { STRANGERS = 200 };
    struct scene *scene = *state;
    struct side *sides = memory_new(STRANGERS, sizeof *sides);
    struct key_pair pair;
    open_router(scene, true);
    for (size_t i = 0; i < STRANGERS; i++) {
        curve_draw(&pair);
        open_dealer(scene, &sides[i], &pair, &scene->server);
    }
    check_that_the_right_key_opens(scene);
    run_until(scene, &scene->asked, STRANGERS + 1);
    assert_int_equal(scene->router.frames, 1);
    assert_int_equal(scene->router.troubles[SOCKET_FRAME_TOO_LARGE],
                     0); /* those that are refused are cut too */
    for (size_t i = 0; i < STRANGERS; i++) {
        socket_close(&sides[i].socket, 0);
    }
    uv_run(&scene->loop, UV_RUN_NOWAIT);
    socket_close(&scene->router.socket, 0); /* during handshakes */
    socket_close(&scene->other.socket, 0);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    memory_free(sides);
}

static void an_envelope_that_is_too_large_is_dropped_and_told_of(void **state)
{
    struct scene *scene = *state;
    uint8_t large[2000] = {0};
    open_router(scene, true);
    check_that_the_right_key_opens(scene);
    assert_true(
        socket_send(scene->other.socket, bytes_of(NULL, 0), bytes_of(large, sizeof large), TEXT("m")));
    run_until(scene, &scene->router.troubles[SOCKET_FRAME_BROKEN], 1);
    assert_int_equal(socket_dropped(scene->router.socket), 1);
    assert_true(socket_send(scene->other.socket, bytes_of(NULL, 0), TEXT("e"), TEXT("m")));
    run_until(scene, &scene->router.frames, 2);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_right_key_opens),
        TEST(a_strangers_key_does_not),
        TEST(a_key_that_becomes_welcome_opens_after_all),
        TEST(a_wrong_key_of_the_server_does_not),
        TEST(who_has_no_key_does_not_get_in),
        TEST(who_has_a_key_talks_to_nobody_without),
        TEST(a_token_opens_without_encryption),
        TEST(many_keys_at_once_are_all_asked_about),
        TEST(an_envelope_that_is_too_large_is_dropped_and_told_of),
#undef TEST
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
