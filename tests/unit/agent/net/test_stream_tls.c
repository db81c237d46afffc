/* Streams in TLS: whom they trust, what they show, and many at once. */
#include "agent/net/stream.h"

#include "common/buffer.h"
#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/agent/net/tls_server.h"
#include "tests/unit/common/check.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define MANY 200
#define LARGE_BYTES 300000u

struct listener {
    struct stream *stream;
    struct buffer data;
    unsigned opened;
    unsigned ended;
    enum net_failure failure;
    bool closes_at_open;
    char text[400];
};

struct fixture {
    uv_loop_t loop;
    struct net *net;
    struct tls_papers papers;
    struct tls_server *server;
    struct tls_options options;
    struct listener listeners[MANY];
};

static void on_open(void *context)
{
    struct listener *listener = context;

    listener->opened++;
    if (listener->closes_at_open) {
        stream_close(&listener->stream, false);
    }
}

static void on_data(void *context, struct bytes data)
{
    struct listener *listener = context;
    buffer_append(&listener->data, data.data, data.size);
}

static void on_end(void *context, enum net_failure failure, const char *text)
{
    struct listener *listener = context;

    listener->ended++;
    listener->failure = failure;
    snprintf(listener->text, sizeof listener->text, "%s", text);
    stream_close(&listener->stream, false);
}

static const struct stream_callbacks callbacks = {.on_open = on_open, .on_data = on_data, .on_end = on_end};

static void serve(struct fixture *fixture, bool asks_for_certificate, int most_version)
{
    if (fixture->server != NULL) {
        tls_server_close(&fixture->server);
    }
    fixture->server = tls_server_new(&fixture->loop, &fixture->papers, asks_for_certificate, most_version);
}

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);

    uv_loop_init(&fixture->loop);
    fixture->net = net_new(&fixture->loop, NULL);
    tls_papers_make(&fixture->papers);
    serve(fixture, false, TLS1_3_VERSION);
    fixture->options = (struct tls_options){.ca_pem = fixture->papers.authority, .protocols = "\010http/1.1"};
    for (int i = 0; i < MANY; i++) {
        buffer_init(&fixture->listeners[i].data, 1u << 24);
    }
    *state = fixture;
    alarm(60);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < MANY; i++) {
        stream_close(&fixture->listeners[i].stream, false);
        buffer_finish(&fixture->listeners[i].data);
    }
    net_close(&fixture->net);
    tls_server_close(&fixture->server);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    tls_papers_finish(&fixture->papers);
    memory_free(fixture);
    alarm(0);
    return 0;
}

static struct listener *open_stream(struct fixture *fixture, int number, const char *host)
{
    struct listener *listener = &fixture->listeners[number];
    struct stream_target target = {.host = host,
                                   .is_literal = host[0] != 'l',
                                   .is_tls = true,
                                   .port = tls_server_port(fixture->server),
                                   .tls = &fixture->options};

    stream_close(&listener->stream, false);
    listener->opened = listener->ended = 0;
    buffer_clear(&listener->data);
    listener->stream = stream_open(fixture->net, &target, &callbacks, listener);
    return listener;
}

static struct listener *connect_to(struct fixture *fixture, const char *host)
{
    struct listener *listener = open_stream(fixture, 0, host);

    while (listener->opened + listener->ended == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    return listener;
}

static void expect_echo(struct fixture *fixture, struct listener *listener, struct bytes data)
{
    buffer_clear(&listener->data);
    stream_write_borrowed(listener->stream, data);
    while (listener->data.size < data.size && listener->ended == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_true(bytes_equal(buffer_bytes(&listener->data), data));
}

static void bytes_go_through_either_version(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct fixture *fixture = *state;
    uint8_t *large = memory_new(LARGE_BYTES, 1);

    for (size_t i = 0; i < LARGE_BYTES; i++) {
        large[i] = (uint8_t)(i * 7 + i / 256);
    }
    for (int i = 0; i < 2; i++) {
        serve(fixture, false, versions[i]);
        struct listener *listener = connect_to(fixture, "127.0.0.1");
        assert_string_equal(listener->text, "");
        assert_int_equal(listener->opened, 1);
        assert_true(bytes_equal_string(stream_protocol(listener->stream), "http/1.1"));
        expect_echo(fixture, listener, bytes_of_string("hello"));
        for (size_t at = 0; at < LARGE_BYTES; at += 10000) {
            expect_echo(fixture, listener, bytes_of(large + at, 10000));
        }
        tls_server_end_all(fixture->server);
        while (listener->ended == 0) {
            uv_run(&fixture->loop, UV_RUN_ONCE);
        }
        assert_int_equal(listener->failure, NET_OK);
    }
    memory_free(large);
}

static void expect_refusal(struct fixture *fixture, const char *host, const char *text)
{
    struct listener *listener = connect_to(fixture, host);

    assert_int_equal(listener->ended, 1);
    assert_int_equal(listener->failure, NET_TLS);
    if (strstr(listener->text, text) == NULL) {
        fail_msg("%s", listener->text);
    }
}

static void a_server_has_to_be_who_it_says(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(connect_to(fixture, "localhost")->opened, 1);
    expect_refusal(fixture, "::ffff:127.0.0.1", "mismatch"); /* the same machine, by another name */
    fixture->options.ca_pem = fixture->papers.client;
    expect_refusal(fixture, "127.0.0.1", "certificate");
    fixture->options.ca_pem = NULL;
    expect_refusal(fixture, "127.0.0.1", "certificate");
    fixture->options.is_unverified = true;
    assert_int_equal(connect_to(fixture, "127.0.0.1")->opened, 1);
    /* What fails then is not blamed on the certificate. */
    fixture->options.least_version = TLS1_3_VERSION;
    serve(fixture, false, TLS1_2_VERSION);
    expect_refusal(fixture, "127.0.0.1", "version");
    fixture->options = (struct tls_options){.ca_pem = "no certificate"};
    expect_refusal(fixture, "127.0.0.1", "ca holds no certificate");
}

static void a_client_shows_its_certificate(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, true, TLS1_2_VERSION);
    expect_refusal(fixture, "127.0.0.1", "");
    fixture->options.certificate_pem = fixture->papers.client;
    struct listener *listener = connect_to(fixture, "127.0.0.1");
    assert_int_equal(listener->opened, 1);
    expect_echo(fixture, listener, bytes_of_string("hello"));
    fixture->options.key_pem = "no key";
    expect_refusal(fixture, "127.0.0.1", "key cannot be used");
}

static void a_server_that_has_gone_is_not_blamed_on_tls(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = open_stream(fixture, 0, "127.0.0.1");

    serve(fixture, false, TLS1_3_VERSION); /* on another port */
    while (listener->opened + listener->ended == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(listener->ended, 1);
    assert_int_equal(listener->failure, NET_REFUSED);
}

static void an_end_without_a_goodbye_is_told_apart(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = connect_to(fixture, "127.0.0.1");

    expect_echo(fixture, listener, bytes_of_string("hello"));
    tls_server_cut_all(fixture->server);
    while (listener->ended == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(listener->failure, NET_CUT);
    assert_non_null(strstr(listener->text, "close_notify"));
}

static void many_shake_hands_at_once(void **state)
{
    struct fixture *fixture = *state;
    unsigned opened = 0;

    for (int i = 0; i < MANY; i++) {
        open_stream(fixture, i, "127.0.0.1");
    }
    while (opened < MANY) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
        opened = 0;
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(fixture->listeners[i].ended, 0);
            opened += fixture->listeners[i].opened;
        }
    }
    assert_int_equal(tls_server_handshakes(fixture->server), MANY);
    for (int i = 0; i < MANY; i += 20) {
        expect_echo(fixture, &fixture->listeners[i], bytes_of_string("each its own"));
    }
}

/* Some are closed while they wait for their turn, others in the callback that says that they are open; the
 * net is held and goes on meanwhile. */
static void many_are_closed_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    unsigned done = 0;

    for (int i = 0; i < MANY; i++) {
        fixture->listeners[i].closes_at_open = i % 3 == 0;
        open_stream(fixture, i, "127.0.0.1");
    }
    for (int turns = 0; done < MANY; turns++) {
        if (turns % 8 == 3) {
            net_hold(fixture->net);
            uv_run(&fixture->loop, UV_RUN_NOWAIT);
            net_go_on(fixture->net);
        }
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        if (turns < MANY / 2) {
            stream_close(&fixture->listeners[turns].stream, turns % 2);
        }
        done = 0;
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(fixture->listeners[i].ended, 0);
            done += fixture->listeners[i].stream == NULL || fixture->listeners[i].opened;
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_go_through_either_version),
        TEST(a_server_has_to_be_who_it_says),
        TEST(a_client_shows_its_certificate),
        TEST(a_server_that_has_gone_is_not_blamed_on_tls),
        TEST(an_end_without_a_goodbye_is_told_apart),
        TEST(many_shake_hands_at_once),
        TEST(many_are_closed_meanwhile),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* the server's own writes */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
