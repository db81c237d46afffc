/* A connection against a peer that the test plays frame by frame: what it answers, how it ends, and who is
 * said to have ended it. */
#include "agent/websocket/websocket.h"

#include "agent/base/memory_account.h"
#include "agent/net/stream.h"
#include "common/clock.h"
#include "common/memory.h"
#include "server_frames.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define FIN 0x80u

struct fixture {
    uv_loop_t loop;
    struct net *net;
    struct frame_codec *codec;
    struct memory_account memory;
    struct stream *stream;
    struct websocket *websocket;
    unsigned changes;
    unsigned left;
    uint64_t longest_queued_us;
    bool is_open;
    int listener;
    int peer;
};

static void fixture_on_open(void *context)
{
    ((struct fixture *)context)->is_open = true;
}

static void fixture_on_data(void *context, struct bytes data)
{
    (void)context, (void)data;
}

static void fixture_on_end(void *context, enum net_failure failure, const char *text)
{
    (void)context, (void)failure;
    fail_msg("%s", text);
}

static void on_change(void *context)
{
    ((struct fixture *)context)->changes++;
}

static void on_left(void *context, uint64_t queued_us)
{
    struct fixture *fixture = context;

    fixture->left++;
    if (queued_us > fixture->longest_queued_us) {
        fixture->longest_queued_us = queued_us;
    }
}

static void listen_for_one(struct fixture *fixture, struct stream_target *target)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    fixture->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fixture->listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fixture->listener, 1), 0);
    assert_int_equal(getsockname(fixture->listener, (struct sockaddr *)&address, &size), 0);
    *target =
        (struct stream_target){.host = "127.0.0.1", .is_literal = true, .port = ntohs(address.sin_port)};
}

static void turn(struct fixture *fixture, int turns)
{
    for (int i = 0; i < turns; i++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static void open_websocket(struct fixture *fixture, uint32_t queue, enum queue_policy policy,
                           const char *rest)
{
    const struct websocket_settings settings = {.codec = fixture->codec,
                                                .memory = &fixture->memory,
                                                .max_message = 1000,
                                                .queue = queue,
                                                .policy = policy,
                                                .on_change = on_change,
                                                .on_left = on_left,
                                                .context = fixture};

    fixture->websocket = websocket_new(&settings, &fixture->stream);
    assert_null(fixture->stream);
    websocket_begin(fixture->websocket, bytes_of_string(rest));
}

static int set_up(void **state)
{
    static const struct stream_callbacks callbacks = {
        .on_open = fixture_on_open, .on_data = fixture_on_data, .on_end = fixture_on_end};
    struct fixture *fixture = MEMORY_NEW(struct fixture);
    struct stream_target target;

    alarm(30);
    uv_loop_init(&fixture->loop);
    fixture->net = net_new(&fixture->loop, NULL);
    fixture->codec = frame_codec_new();
    fixture->memory.limit_bytes = 1 << 20;
    listen_for_one(fixture, &target);
    fixture->stream = stream_open(fixture->net, &target, &callbacks, fixture);
    while (!fixture->is_open) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    fixture->peer = accept(fixture->listener, NULL, NULL);
    assert_true(fixture->peer >= 0);
    assert_int_equal(fcntl(fixture->peer, F_SETFL, O_NONBLOCK), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    websocket_free(&fixture->websocket);
    assert_int_equal(fixture->memory.used_bytes, 0);
    stream_close(&fixture->stream, false);
    net_close(&fixture->net);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    frame_codec_free(&fixture->codec);
    close(fixture->listener);
    if (fixture->peer >= 0) {
        close(fixture->peer);
    }
    memory_free(fixture);
    alarm(0);
    return 0;
}

static void play(struct fixture *fixture, unsigned first_byte, const char *payload)
{
    struct buffer wire;

    buffer_init(&wire, 4096);
    server_text_frame(&wire, first_byte, payload);
    assert_int_equal(write(fixture->peer, wire.data, wire.size), wire.size);
    buffer_finish(&wire);
    turn(fixture, 3);
}

static void play_close(struct fixture *fixture, unsigned code, const char *reason)
{
    struct buffer wire;

    buffer_init(&wire, 4096);
    server_close_frame(&wire, code, reason);
    assert_int_equal(write(fixture->peer, wire.data, wire.size), wire.size);
    buffer_finish(&wire);
    turn(fixture, 3);
}

/* The next frame of the client, which has at most 125 bytes. */
static void heard(struct fixture *fixture, unsigned first_byte, const char *payload, size_t size)
{
    uint8_t frame[2 + 4 + 125];

    turn(fixture, 3);
    assert_int_equal(read(fixture->peer, frame, 6 + size), 6 + size);
    assert_int_equal(frame[0], first_byte);
    assert_int_equal(frame[1], 0x80 | size);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(frame[6 + i] ^ frame[2 + i % 4], (uint8_t)payload[i]);
    }
}

static void heard_nothing(struct fixture *fixture)
{
    char byte;

    turn(fixture, 3);
    assert_int_equal(read(fixture->peer, &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
}

static void received(struct fixture *fixture, const char *text)
{
    const struct websocket_message *message = websocket_first(fixture->websocket);

    assert_non_null(message);
    assert_true(bytes_equal_string(bytes_of(message->data, message->size), text));
    websocket_drop_first(fixture->websocket);
}

static void ended(struct fixture *fixture, enum websocket_ending ending, unsigned code, unsigned close_code)
{
    assert_int_equal(websocket_state(fixture->websocket), WEBSOCKET_CLOSED);
    assert_int_equal(websocket_ending(fixture->websocket), ending);
    assert_int_equal(websocket_ending_code(fixture->websocket), code);
    assert_int_equal(websocket_close_code(fixture->websocket), close_code);
}

static void test_what_comes_with_the_handshake_is_received(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 10, QUEUE_CLOSE,
                   "\x81\x05"
                   "early"
                   "\x81\x03p");
    assert_int_equal(fixture->changes, 1);
    received(fixture, "early");
    assert_null(websocket_first(fixture->websocket));
    assert_int_equal(write(fixture->peer, "ar", 2), 2);
    turn(fixture, 3);
    received(fixture, "par");
    assert_int_equal(websocket_counts(fixture->websocket)->bytes_in, 8);
}

static void test_pings_are_answered_with_what_they_carry(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 10, QUEUE_CLOSE, "");
    play(fixture, FIN | 9, "are you there");
    heard(fixture, FIN | 10, "are you there", 13);
    play(fixture, FIN | 9, "");
    heard(fixture, FIN | 10, "", 0);
    play(fixture, FIN | 10, "nobody has asked");
    assert_int_equal(websocket_pongs(fixture->websocket), 0);
    heard_nothing(fixture);
}

static void test_the_pong_that_answers_ours_is_told_from_others(void **state)
{
    struct fixture *fixture = *state;
    uint8_t frame[14];
    char payload[9] = "";
    open_websocket(fixture, 10, QUEUE_CLOSE, "");
    websocket_ping(fixture->websocket);
    websocket_ping(fixture->websocket); /* the one under way will do */
    turn(fixture, 3);
    assert_int_equal(read(fixture->peer, frame, sizeof frame), sizeof frame);
    for (int i = 0; i < 8; i++) {
        payload[i] = (char)(frame[6 + i] ^ frame[2 + i % 4]);
    }
    play(fixture, FIN | 10, "12345678");
    assert_int_equal(websocket_pongs(fixture->websocket), 0);
    struct buffer wire;
    buffer_init(&wire, 100);
    server_frame(&wire, FIN | 10, payload, 8);
    assert_int_equal(write(fixture->peer, wire.data, wire.size), wire.size);
    buffer_finish(&wire);
    turn(fixture, 3);
    assert_int_equal(websocket_pongs(fixture->websocket), 1);
    assert_true(websocket_round_trip_us(fixture->websocket) > 1000);
    heard_nothing(fixture);
}

static void test_our_close_is_answered(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 10, QUEUE_CLOSE, "");
    websocket_close(fixture->websocket, 4000, bytes_of_string("bye"));
    heard(fixture, FIN | 8,
          "\x0f\xa0"
          "bye",
          5);
    assert_int_equal(websocket_state(fixture->websocket), WEBSOCKET_CLOSING);
    play(fixture, FIN | 1, "last"); /* was under way */
    play(fixture, FIN | 9, "no answer any more");
    play_close(fixture, 4000, "bye");
    heard_nothing(fixture);
    received(fixture, "last");
    ended(fixture, WEBSOCKET_BY_US, 4000, 4000);
    assert_false(websocket_is_gone(fixture->websocket));
    close(fixture->peer);
    fixture->peer = -1;
    turn(fixture, 5);
    assert_true(websocket_is_gone(fixture->websocket));
}

static void test_their_close_is_answered_with_its_code(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 10, QUEUE_CLOSE, "");
    play_close(fixture, 1012, "restart");
    heard(fixture, FIN | 8, "\x03\xf4", 2);
    ended(fixture, WEBSOCKET_BY_PEER, 1012, 1012);
    assert_string_equal(websocket_close_text(fixture->websocket), "restart");
    play(fixture, FIN | 1, "after the end");
    assert_null(websocket_first(fixture->websocket));
}

/* Autobahn's sections 7.1.2 to 7.1.6. */
static void test_nothing_is_answered_after_their_close(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 10, QUEUE_CLOSE, "");
    play(fixture, 1, "the beginning of a message");
    play_close(fixture, 1000, "");
    heard(fixture, FIN | 8, "\x03\xe8", 2);
    play_close(fixture, 1001, "once more");
    play(fixture, FIN | 9, "a ping");
    play(fixture, FIN, "the end of the message");
    play(fixture, FIN | 2, "another");
    play(fixture, FIN | 3, "a broken rule");
    heard_nothing(fixture);
    assert_null(websocket_first(fixture->websocket));
    ended(fixture, WEBSOCKET_BY_PEER, 1000, 1000);
    assert_int_equal(websocket_counts(fixture->websocket)->messages_in, 0);
}

static void test_a_close_without_a_code_is_answered_without_one(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 10, QUEUE_CLOSE, "");
    play(fixture, FIN | 8, "");
    heard(fixture, FIN | 8, "", 0);
    ended(fixture, WEBSOCKET_BY_PEER, CLOSE_NO_CODE, CLOSE_NO_CODE);
}

static void test_a_broken_rule_is_told_and_ends_it(void **state)
{
    static const char reason[] = "\x03\xeftext message is not UTF-8";
    struct fixture *fixture = *state;
    uint8_t frame[100];
    open_websocket(fixture, 10, QUEUE_CLOSE, "");
    play(fixture, FIN | 1, "good");
    play(fixture, FIN | 1, "\xff");
    assert_true(read(fixture->peer, frame, sizeof frame) > (ssize_t)sizeof reason);
    assert_int_equal(frame[0], FIN | 8);
    assert_int_equal(frame[6] ^ frame[2], 0x03);
    assert_int_equal(frame[7] ^ frame[3], 0xef);
    received(fixture, "good");
    ended(fixture, WEBSOCKET_BY_US, 1007, 1007);
}

static void test_an_end_without_a_close_frame_is_a_loss(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 10, QUEUE_CLOSE, "");
    play(fixture, FIN | 1, "last words");
    close(fixture->peer);
    fixture->peer = -1;
    turn(fixture, 5);
    received(fixture, "last words");
    ended(fixture, WEBSOCKET_LOST, CLOSE_ABNORMAL, CLOSE_ABNORMAL);
    assert_true(websocket_is_gone(fixture->websocket));
}

static void test_it_is_reset_when_the_lease_has_gone(void **state)
{
    struct fixture *fixture = *state;
    char byte;
    open_websocket(fixture, 10, QUEUE_CLOSE, "");
    net_lose(fixture->net);
    ended(fixture, WEBSOCKET_LOST, CLOSE_ABNORMAL, CLOSE_ABNORMAL);
    assert_true(websocket_is_gone(fixture->websocket));
    assert_int_equal(fixture->changes, 1);
    turn(fixture, 5);
    assert_int_equal(read(fixture->peer, &byte, 1), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void test_who_does_not_answer_our_close_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 10, QUEUE_CLOSE, "");
    websocket_close(fixture->websocket, 1000, bytes_of("", 0));
    websocket_abandon(fixture->websocket);
    ended(fixture, WEBSOCKET_BY_US, 1000, CLOSE_ABNORMAL);
    assert_true(websocket_is_gone(fixture->websocket));
}

static void play_five(struct fixture *fixture)
{
    static const char *const texts[] = {"1", "2", "3", "4", "5"};
    for (size_t i = 0; i < 5; i++) {
        play(fixture, FIN | 1, texts[i]);
    }
}

static void test_a_full_queue_drops_the_oldest(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 2, QUEUE_DROP_OLDEST, "");
    play_five(fixture);
    received(fixture, "4");
    received(fixture, "5");
    assert_int_equal(websocket_counts(fixture->websocket)->dropped, 3);
    assert_int_equal(websocket_counts(fixture->websocket)->messages_in, 5);
}

static void test_a_full_queue_drops_the_newest(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 2, QUEUE_DROP_NEWEST, "");
    play_five(fixture);
    received(fixture, "1");
    received(fixture, "2");
    assert_null(websocket_first(fixture->websocket));
    assert_int_equal(websocket_counts(fixture->websocket)->dropped, 3);
}

static void test_a_full_queue_closes(void **state)
{
    struct fixture *fixture = *state;
    open_websocket(fixture, 2, QUEUE_CLOSE, "");
    play_five(fixture);
    received(fixture, "1");
    received(fixture, "2");
    assert_null(websocket_first(fixture->websocket));
    ended(fixture, WEBSOCKET_BY_US, 1008, 1008);
    assert_int_equal(websocket_counts(fixture->websocket)->dropped, 1);
}

static void test_what_is_not_read_is_unsent_and_its_leaving_is_told(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *data = memory_new(1 << 20, 1);
    fixture->memory.limit_bytes = 64 << 20;
    open_websocket(fixture, 2, QUEUE_CLOSE, "");
    for (int i = 0; i < 16; i++) {
        assert_true(websocket_send(fixture->websocket, true, bytes_of(data, 1 << 20)));
    }
    turn(fixture, 3);
    assert_true(websocket_unsent(fixture->websocket) > WEBSOCKET_UNSENT_BYTES);
    assert_int_equal(fixture->memory.body_bytes, websocket_unsent(fixture->websocket));
    assert_int_equal(fixture->changes, 0);
    assert_int_equal(websocket_sent(fixture->websocket), 16);
    assert_int_equal(websocket_left(fixture->websocket), fixture->left);
    assert_true(fixture->left < 16);
    while (websocket_unsent(fixture->websocket) > 0) {
        unsigned changes = fixture->changes;
        unsigned left = fixture->left;
        (void)!read(fixture->peer, data, 1 << 20);
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        assert_int_equal(fixture->changes - changes, fixture->left > left);
        assert_int_equal(fixture->memory.body_bytes, websocket_unsent(fixture->websocket));
    }
    assert_int_equal(fixture->left, 16);
    assert_int_equal(fixture->memory.body_bytes, 0);
    assert_int_equal(websocket_counts(fixture->websocket)->bytes_out, 16 << 20);
    memory_free(data);
}

/* The wait of a message for the kernel is measured, and of one that does not wait it is next to nothing. */
static void test_the_time_in_the_send_queue_is_known(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *data = memory_new(1 << 20, 1);
    uint64_t began_ns = clock_now_ns();
    fixture->memory.limit_bytes = 64 << 20;
    open_websocket(fixture, 2, QUEUE_CLOSE, "");
    assert_true(websocket_send(fixture->websocket, false, bytes_of_string("small")));
    assert_int_equal(fixture->left, 1);
    assert_true(websocket_left_ns(fixture->websocket) >= began_ns);
    assert_true(fixture->longest_queued_us < 20000);
    for (int i = 0; i < 16; i++) {
        assert_true(websocket_send(fixture->websocket, true, bytes_of(data, 1 << 20)));
    }
    usleep(60000);
    uint64_t read_ns = clock_now_ns();
    while (websocket_unsent(fixture->websocket) > 0) {
        (void)!read(fixture->peer, data, 1 << 20);
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(fixture->left, 17);
    assert_in_range(fixture->longest_queued_us, 60000, (clock_now_ns() - began_ns) / 1000);
    assert_true(websocket_left_ns(fixture->websocket) >= read_ns);
    memory_free(data);
}

/* A message that has no place to wait is not sent; a connection that ends holds nothing of what waited. */
static void test_what_waits_counts_for_the_memory(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *data = memory_new(1 << 20, 1);
    unsigned sent = 0;
    fixture->memory.limit_bytes = 4 << 20;
    open_websocket(fixture, 2, QUEUE_CLOSE, "");
    while (websocket_send(fixture->websocket, true, bytes_of(data, 1 << 20))) {
        sent++;
        assert_true(sent < 100);
    }
    assert_int_equal(websocket_counts(fixture->websocket)->messages_out, sent);
    assert_in_range(fixture->memory.body_bytes, 1 << 20, 2 << 20);
    assert_int_equal(websocket_state(fixture->websocket), WEBSOCKET_OPEN);
    close(fixture->peer);
    fixture->peer = -1;
    turn(fixture, 5);
    assert_true(websocket_is_gone(fixture->websocket));
    assert_int_equal(fixture->memory.body_bytes, 0);
    memory_free(data);
}

/* The kernel dates what comes: a loop that is busy does not change it. */
static void test_a_message_is_dated_by_its_arrival(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t frame[] = {FIN | 1, 1, 'x'};
    open_websocket(fixture, 2, QUEUE_CLOSE, "");
    play(fixture, FIN | 1, "the first wakes the kernel's clock");
    websocket_drop_first(fixture->websocket);
    usleep(20000);
    uint64_t began_ns = clock_now_ns();
    assert_int_equal(write(fixture->peer, frame, sizeof frame), sizeof frame);
    uint64_t written_ns = clock_now_ns();
    usleep(50000);
    turn(fixture, 3);
    const struct websocket_message *message = websocket_first(fixture->websocket);
    assert_non_null(message);
    assert_in_range(message->at_ns, began_ns - 100000, written_ns + 100000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_comes_with_the_handshake_is_received),
        TEST(test_pings_are_answered_with_what_they_carry),
        TEST(test_the_pong_that_answers_ours_is_told_from_others),
        TEST(test_our_close_is_answered),
        TEST(test_their_close_is_answered_with_its_code),
        TEST(test_nothing_is_answered_after_their_close),
        TEST(test_a_close_without_a_code_is_answered_without_one),
        TEST(test_a_broken_rule_is_told_and_ends_it),
        TEST(test_an_end_without_a_close_frame_is_a_loss),
        TEST(test_it_is_reset_when_the_lease_has_gone),
        TEST(test_who_does_not_answer_our_close_is_given_up),
        TEST(test_a_full_queue_drops_the_oldest),
        TEST(test_a_full_queue_drops_the_newest),
        TEST(test_a_full_queue_closes),
        TEST(test_what_is_not_read_is_unsent_and_its_leaving_is_told),
        TEST(test_the_time_in_the_send_queue_is_known),
        TEST(test_what_waits_counts_for_the_memory),
        TEST(test_a_message_is_dated_by_its_arrival),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
