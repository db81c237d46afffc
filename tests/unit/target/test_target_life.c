/* The practice target with rude clients and with many, its start and its end. */
#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/target/target_client.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MEBIBYTE (1024u * 1024u)
#define MANY 100

static int dial(const struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(target_port(client->target))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int stream = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(stream, (struct sockaddr *)&address, sizeof address), 0);
    return stream;
}

/* Sends the text as it is and returns what arrives until the target closes. */
static void exchange(const struct client *client, const char *text, struct buffer *answer)
{
    int stream = dial(client);
    char piece[1024];
    ssize_t size;
    assert_int_equal(send(stream, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    buffer_clear(answer);
    while ((size = recv(stream, piece, sizeof piece, 0)) > 0) {
        assert_true(buffer_append(answer, piece, (size_t)size));
    }
    close(stream);
}

static void half_an_answer_is_followed_by_the_end(void **state)
{
    struct buffer answer;
    buffer_init(&answer, MEBIBYTE);
    exchange(*state, "GET /status/103 HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    assert_memory_equal(buffer_string(&answer), "HTTP/1.1 103 ", 13);
    buffer_finish(&answer);
}

static void rude_requests_are_turned_away(void **state)
{
    struct client *client = *state;
    struct buffer answer;
    buffer_init(&answer, MEBIBYTE);
    exchange(client, "what is this\r\n\r\n", &answer);
    exchange(client, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: minus one\r\n\r\n", &answer);
    assert_int_equal(client_get(client, "/page")->status, 200);
    buffer_finish(&answer);
}

static void a_client_that_asks_first_is_refused_at_once(void **state)
{
    struct buffer answer;
    buffer_init(&answer, MEBIBYTE);
    exchange(*state,
             "PUT /pad/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\nExpect: 100-continue\r\n\r\n",
             &answer);
    assert_memory_equal(buffer_string(&answer), "HTTP/1.1 413 ", 13);
    exchange(*state, "PUT /pad/a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", &answer);
    assert_memory_equal(buffer_string(&answer), "HTTP/1.1 413 ", 13);
    buffer_finish(&answer);
}

static void bodies_are_bounded(void **state)
{
    struct client *client = *state;
    char *body = memory_new(3 * MEBIBYTE, 1);
    memset(body, 'b', 3 * MEBIBYTE);
    struct ask ask = {.method = "PUT", .path = "/pad/a", .body = body, .body_size = MEBIBYTE};
    assert_int_equal(client_ask(client, ask)->status, 201);
    ask.is_chunked = true;
    assert_int_equal(client_ask(client, ask)->status, 200);
    ask.body_size = 3 * MEBIBYTE;
    assert_int_equal(client_ask(client, ask)->status, 413);
    ask.is_chunked = false;
    ask.body_size = MEBIBYTE + 1;
    assert_int_equal(client_ask(client, ask)->status, 413);
    ask.path = "/status/200";
    assert_int_equal(client_ask(client, ask)->status, 413);
    /* The 413 came at the end of the body, so the connection is still usable. */
    const struct answer *answer = client_get(client, "/pad/a");
    assert_int_equal(answer->new_connections, 0);
    assert_int_equal(answer->body.size, MEBIBYTE);
    assert_true(answer_has_header(answer, "X-Version: 2"));
    memory_free(body);
}

static void a_body_that_never_ends_is_cut_off(void **state)
{
    struct client *client = *state;
    int stream = dial(client);
    const char head[] = "PUT /pad/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_int_equal(send(stream, head, sizeof head - 1, MSG_NOSIGNAL), sizeof head - 1);
    struct buffer chunk;
    buffer_init(&chunk, MEBIBYTE);
    buffer_append_string(&chunk, "10000\r\n");
    char *block = memory_new(0x10000, 1);
    buffer_append(&chunk, block, 0x10000);
    buffer_append_string(&chunk, "\r\n");
    size_t sent_bytes = 0;
    ssize_t size = 0;
    while (sent_bytes < 256 * MEBIBYTE && (size = send(stream, chunk.data, chunk.size, MSG_NOSIGNAL)) > 0) {
        sent_bytes += (size_t)size;
    }
    assert_true(sent_bytes < 256 * MEBIBYTE);
    close(stream);
    buffer_finish(&chunk);
    memory_free(block);
}

static size_t ignore(char *data, size_t size, size_t count, void *nothing)
{
    (void)data;
    (void)nothing;
    return size * count;
}

static CURL *start_one(const struct client *client, CURLM *multi, const char *path)
{
    char address[128];
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_URL, client_address(client, path, address, sizeof address));
    assert_int_equal(curl_multi_add_handle(multi, easy), CURLM_OK);
    return easy;
}

static void run_all(CURLM *multi)
{
    int running = 1;
    while (running > 0) {
        assert_int_equal(curl_multi_perform(multi, &running), CURLM_OK);
        assert_int_equal(curl_multi_poll(multi, NULL, 0, 1000, NULL), CURLM_OK);
    }
}

static void many_delays_pass_at_the_same_time(void **state)
{
    struct client *client = *state;
    CURLM *multi = curl_multi_init();
    CURL *easy[MANY];
    for (int i = 0; i < MANY; i++) {
        easy[i] = start_one(client, multi, i % 2 == 0 ? "/delay/300" : "/delay/200");
    }
    uint64_t before_ns = clock_now_ns();
    run_all(multi);
    /* One after the other, even in two threads, they would take 12.5 seconds. */
    assert_true(clock_now_ns() - before_ns < 6 * NS_PER_S);
    for (int i = 0; i < MANY; i++) {
        long status = 0;
        double seconds = 0;
        curl_easy_getinfo(easy[i], CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy[i], CURLINFO_TOTAL_TIME, &seconds);
        assert_int_equal(status, 200);
        assert_true(seconds >= (i % 2 == 0 ? 0.300 : 0.200));
        curl_multi_remove_handle(multi, easy[i]);
        curl_easy_cleanup(easy[i]);
    }
    curl_multi_cleanup(multi);
}

static void an_end_does_not_wait_for_delays(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct client *client = client_new();
        int streams[8];
        const char request[] = "GET /delay/60000 HTTP/1.1\r\nHost: x\r\n\r\n";
        for (size_t i = 0; i < 8; i++) {
            streams[i] = dial(client);
            assert_int_equal(send(streams[i], request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
        }
        client_get(client, "/delay/5"); /* so that most of them have arrived */
        uint64_t before_ns = clock_now_ns();
        client_free(client);
        assert_true(clock_now_ns() - before_ns < 20 * NS_PER_S);
        for (size_t i = 0; i < 8; i++) {
            close(streams[i]);
        }
    }
}

static int dial_tcp(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *text = answer_text(client_get(client, "/tcp"));
    char at[32];
    assert_memory_equal(text, "tcp://127.0.0.1:", 16);
    (void)snprintf(at, sizeof at, "%s", text + 16);
    address.sin_port = htons((uint16_t)atoi(at));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int stream = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(stream, (struct sockaddr *)&address, sizeof address), 0);
    return stream;
}

static void what_is_said_over_tcp_comes_back(void **state)
{
    struct client *client = *state;
    int quick = dial_tcp(client);
    int slow = dial_tcp(client);
    char text[32] = "";
    static char sent[8u * MEBIBYTE];
    static char received[8u * MEBIBYTE];
    size_t out = 0;
    size_t in = 0;
    /* One that sends more than it reads stands still, and the other goes on. */
    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (char)(i * 7 + i / 251);
    }
    ssize_t count;
    while (out < sizeof sent && (count = send(slow, sent + out, sizeof sent - out, MSG_DONTWAIT)) > 0) {
        out += (size_t)count;
    }
    assert_int_equal(send(quick, "hello\n", 6, 0), 6);
    assert_int_equal(recv(quick, text, 6, MSG_WAITALL), 6);
    assert_string_equal(text, "hello\n");
    while (in < out && (count = recv(slow, received + in, sizeof received - in, 0)) > 0) {
        in += (size_t)count;
    }
    assert_int_equal(in, out);
    assert_memory_equal(received, sent, out);
    assert_int_equal(shutdown(quick, SHUT_WR), 0);
    assert_int_equal(recv(quick, text, 1, 0), 0);
    close(quick);
    close(slow);
}

static void tcp_is_where_the_client_finds_the_target(void **state)
{
    struct client *client = *state;
    struct ask ask = {.path = "/tcp", .headers = {"Host: [2001:db8::1]:8080"}};
    assert_memory_equal(answer_text(client_ask(client, ask)), "tcp://[2001:db8::1]:", 20);
    ask.headers[0] = "Host: target.example:80";
    assert_memory_equal(answer_text(client_ask(client, ask)), "tcp://target.example:", 21);
    ask.headers[0] = "Host: [cut";
    assert_memory_equal(answer_text(client_ask(client, ask)), "tcp://[cut:", 11);
}

static void tcp_may_have_a_port_of_its_own(void **state)
{
    struct error error;
    struct client *client = *state;
    char wanted[64];
    uint16_t port = target_port(client->target);
    assert_null(target_start_with_tcp(NULL, 0, port, &error));
    (void)snprintf(wanted, sizeof wanted, "port %u is in use", port);
    assert_non_null(strstr(error.text, wanted));
    target_stop(&client->target);
    client->target = target_start_with_tcp(NULL, 0, port, &error);
    assert_non_null(client->target);
    (void)snprintf(wanted, sizeof wanted, "tcp://127.0.0.1:%u", port);
    assert_string_equal(answer_text(client_get(client, "/tcp")), wanted);
}

static void a_port_in_use_is_said(void **state)
{
    struct client *client = *state;
    struct error error;
    char wanted[64];
    assert_null(target_start(NULL, target_port(client->target), &error));
    (void)snprintf(wanted, sizeof wanted, "port %u is in use", target_port(client->target));
    assert_non_null(strstr(error.text, wanted));
    assert_non_null(strstr(error.text, "something else already listens at"));
    assert_int_equal(client_get(client, "/page")->status, 200);
}

static void an_address_of_nobody_is_said(void **state)
{
    (void)state;
    struct error error;
    assert_null(target_start("192.0.2.1", 0, &error));
    assert_non_null(strstr(error.text, "192.0.2.1"));
    assert_null(target_start("not an address", 0, &error));
    assert_non_null(strstr(error.text, "not an address"));
}

static void a_port_is_free_again_after_the_end(void **state)
{
    (void)state;
    struct error error;
    struct target *target = target_start("127.0.0.1", 0, &error);
    uint16_t port = target_port(target);
    target_stop(&target);
    target = target_start("127.0.0.1", port, &error);
    assert_non_null(target);
    assert_int_equal(target_port(target), port);
    target_stop(&target);
    target_stop(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(half_an_answer_is_followed_by_the_end),
        CLIENT_TEST(rude_requests_are_turned_away),
        CLIENT_TEST(a_client_that_asks_first_is_refused_at_once),
        CLIENT_TEST(bodies_are_bounded),
        CLIENT_TEST(a_body_that_never_ends_is_cut_off),
        CLIENT_TEST(many_delays_pass_at_the_same_time),
        cmocka_unit_test(an_end_does_not_wait_for_delays),
        CLIENT_TEST(what_is_said_over_tcp_comes_back),
        CLIENT_TEST(tcp_is_where_the_client_finds_the_target),
        CLIENT_TEST(tcp_may_have_a_port_of_its_own),
        CLIENT_TEST(a_port_in_use_is_said),
        cmocka_unit_test(an_address_of_nobody_is_said),
        cmocka_unit_test(a_port_is_free_again_after_the_end),
    };
    return cmocka_run_group_tests(tests, client_group_setup, client_group_teardown);
}
