/* A receiver that takes nothing: the queue is bounded, nobody waits, and every batch is accounted for. */
#include "common/buffer.h"
#include "common/clock.h"
#include "common/memory.h"
#include "coordinator/live/output_queue.h"
#include "coordinator/live/output_sender.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCHES 200u
#define PATIENCE_NS ((uint64_t)(10 * NS_PER_S))

struct scene {
    uv_loop_t loop;
    uv_async_t wake;
    int listener; /* accepts no connection: the kernel does, and nothing is read */
    struct output_sender *sender;
};

static void on_wake(uv_async_t *wake)
{
    (void)wake;
}

static void open_sender(struct scene *scene, const char *text)
{
    struct output_target target;
    struct error error = {""};
    assert_true(output_target_parse(text, &target, &error));
    scene->sender = output_sender_new(&target, &scene->wake, &error);
    assert_non_null(scene->sender);
}

static int set_up(void **state)
{
    static struct scene scene;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char text[80];
    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    scene = (struct scene){0};
    (void)uv_loop_init(&scene.loop);
    (void)uv_async_init(&scene.loop, &scene.wake, on_wake);
    scene.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(scene.listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(scene.listener, 5), 0);
    assert_int_equal(getsockname(scene.listener, (struct sockaddr *)&address, &size), 0);
    snprintf(text, sizeof text, "influxdb:http://127.0.0.1:%u/write", (unsigned)ntohs(address.sin_port));
    open_sender(&scene, text);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    output_sender_free(&scene->sender);
    uv_close((uv_handle_t *)&scene->wake, NULL);
    (void)uv_run(&scene->loop, UV_RUN_DEFAULT);
    (void)close(scene->listener);
    curl_global_cleanup();
    return uv_loop_close(&scene->loop);
}

static void put(struct scene *scene, uint64_t campaign, size_t size)
{
    uint8_t *data = memory_new(size, 1);
    output_sender_put(scene->sender, campaign, &data, size);
    assert_null(data);
}

static struct output_account account_of(struct scene *scene, uint64_t campaign)
{
    struct output_account account = {0};
    assert_true(output_sender_account(scene->sender, campaign, &account));
    return account;
}

static void the_oldest_batches_are_lost(void **state)
{
    struct scene *scene = *state;
    uint64_t began_ns = clock_now_ns();
    for (unsigned i = 0; i < BATCHES; i++) {
        put(scene, 1, 100);
    }
    put(scene, 2, 100);
    assert_true(clock_now_ns() - began_ns < NS_PER_S);
    struct output_account account = account_of(scene, 1);
    /* One may be on its way, besides the queue. */
    assert_int_equal(account.points, BATCHES);
    assert_in_range(account.lost, BATCHES - OUTPUT_QUEUE_BATCHES - 1, BATCHES - OUTPUT_QUEUE_BATCHES + 1);
    assert_int_equal(account.taken, 0);
    assert_string_equal(account.reason, "it is too slow");
    assert_false(output_account_is_settled(&account));
    assert_int_equal(account_of(scene, 2).lost, 0);
}

static void its_bytes_are_bounded(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < 20; i++) {
        put(scene, 1, OUTPUT_QUEUE_BYTES / 4);
    }
    assert_in_range(account_of(scene, 1).lost, 15, 16);
}

static void one_that_is_given_up_is_settled(void **state)
{
    struct scene *scene = *state;
    put(scene, 1, 100);
    put(scene, 2, 100);
    put(scene, 1, 100);
    output_sender_give_up(scene->sender, 1);
    struct output_account account = account_of(scene, 1);
    assert_true(output_account_is_settled(&account));
    assert_int_equal(account.lost, 2);
    account = account_of(scene, 2);
    assert_false(output_account_is_settled(&account));
    assert_int_equal(account.lost, 0);
    assert_false(output_sender_account(scene->sender, 3, &account));
    output_sender_give_up(scene->sender, 3);
}

static void its_end_does_not_wait(void **state)
{
    struct scene *scene = *state;
    put(scene, 1, 100);
    (void)usleep(50000); /* it is being sent */
    uint64_t began_ns = clock_now_ns();
    output_sender_free(&scene->sender);
    assert_true(clock_now_ns() - began_ns < 2 * NS_PER_S);
}

static void batches_arrive_in_order_and_whole_lines(void **state)
{
    struct scene *scene = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char text[1500];
    int receiver = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(receiver, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(receiver, (struct sockaddr *)&address, &size), 0);
    output_sender_free(&scene->sender);
    snprintf(text, sizeof text, "statsd:127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    open_sender(scene, text);
    /* 143 lines of 10 bytes fit, with the end of the last one left out: 1,429 bytes. */
    struct buffer lines;
    buffer_init(&lines, 4096);
    for (unsigned i = 0; i < 200; i++) {
        buffer_append_format(&lines, "a%03u:10|c\n", i);
    }
    size_t bytes = 0;
    uint8_t *data = buffer_take(&lines, &bytes);
    output_sender_put(scene->sender, 1, &data, bytes);
    ssize_t first = recv(receiver, text, sizeof text, 0);
    assert_int_equal(first, 143 * 10 - 1);
    assert_memory_equal(text, "a000:10|c\na001:10|c\n", 20);
    assert_memory_equal(text + first - 9, "a142:10|c", 9);
    ssize_t second = recv(receiver, text, sizeof text, 0);
    assert_int_equal(second, 57 * 10 - 1);
    assert_memory_equal(text, "a143:10|c\n", 10);
    uint64_t until_ns = clock_now_ns() + PATIENCE_NS;
    while (account_of(scene, 1).taken == 0 && clock_now_ns() < until_ns) {
        (void)usleep(1000);
    }
    assert_int_equal(account_of(scene, 1).taken, 1);
    (void)close(receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_oldest_batches_are_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_bytes_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_given_up_is_settled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_end_does_not_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(batches_arrive_in_order_and_whole_lines, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
