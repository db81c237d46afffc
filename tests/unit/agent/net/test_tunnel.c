/* What a proxy answers to CONNECT, in pieces of every size. */
#include "agent/net/tunnel.h"

#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <stdlib.h>
#include <string.h>

static void a_tunnel_is_asked_for_with_credentials(void **state)
{
    SCOPED(buffer_finish) struct buffer out;

    (void)state;
    buffer_init(&out, 10000);
    tunnel_ask(&out, "app.example", 443, "Basic bWU6");
    assert_string_equal(buffer_string(&out), "CONNECT app.example:443 HTTP/1.1\r\nHost: app.example:443\r\n"
                                             "User-Agent: tutti/" TUTTI_VERSION "\r\n"
                                             "Proxy-Authorization: Basic bWU6\r\n\r\n");
    buffer_clear(&out);
    tunnel_ask(&out, "::1", 80, NULL);
    assert_string_equal(buffer_string(&out), "CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n"
                                             "User-Agent: tutti/" TUTTI_VERSION "\r\n\r\n");
}

/* `piece` bytes come at a time; what is not taken comes again. */
static enum tunnel_result answer(const char *text, size_t piece, size_t *taken, struct tunnel *tunnel)
{
    size_t size = strlen(text);
    enum tunnel_result result = TUNNEL_MORE;

    *taken = 0;
    tunnel_init(tunnel);
    while (result == TUNNEL_MORE && *taken < size) {
        size_t used = 0;
        size_t left = size - *taken;
        result = tunnel_take(tunnel, bytes_of(text + *taken, left < piece ? left : piece), &used);
        assert_true(used > 0);
        *taken += used;
    }
    tunnel_finish(tunnel);
    return result;
}

static void expect(const char *head, const char *rest, enum tunnel_result result, unsigned status,
                   const char *why)
{
    SCOPED(memory_free_at) char *text = memory_format("%s%s", head, rest);
    struct tunnel tunnel;
    size_t taken;

    for (size_t piece = 1; piece <= strlen(text) && piece < 300; piece++) {
        assert_int_equal(answer(text, piece, &taken, &tunnel), result);
        assert_int_equal(taken, strlen(head));
        assert_int_equal(tunnel.status, status);
        if (strstr(tunnel.text, why) == NULL) {
            fail_msg("%s", tunnel.text);
        }
    }
}

static void what_follows_the_answer_is_not_taken(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 Connection established\r\n\r\n", "the host's\r\n\r\n", TUNNEL_OPEN, 200, "");
    expect("HTTP/1.0 204\r\nVia: a\r\n\r\n", "x", TUNNEL_OPEN, 204, "");
    expect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "x", TUNNEL_OPEN, 200, "");
    expect("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\n", "no!", TUNNEL_REFUSED,
           407, "it answered 407 Proxy Authentication Required (proxy = ");
    expect("HTTP/1.1 502 Bad Gateway\r\n\r\n", "", TUNNEL_REFUSED, 502, "it answered 502 Bad Gateway");
    expect("HTTP/1.1 502 Bad\x1b[2JGateway\r\n\r\n", "", TUNNEL_REFUSED, 502, "it answered 502");
    expect("HTTP/1.1 101 Switching\r\n\r\n", "", TUNNEL_REFUSED, 101, "it answered 101");
    expect("HTTP/1.1 301 \r\nLocation: /\r\n\r\n", "", TUNNEL_REFUSED, 301, "it answered 301");
    expect("SSH-2.0-OpenSSH_9.2\r\n\r\n", "", TUNNEL_REFUSED, 0, "not HTTP");
    expect("HTTP/1.1 2000 OK\r\n\r\n", "", TUNNEL_REFUSED, 0, "not HTTP");
    expect("HTTP/1.1 020 OK\r\n\r\n", "", TUNNEL_REFUSED, 0, "not HTTP");
    expect("\r\n\r\n", "", TUNNEL_REFUSED, 0, "not HTTP");
}

static void a_head_without_an_end_is_bounded(void **state)
{
    struct tunnel tunnel;
    size_t used = 0;
    size_t taken = 0;
    char piece[1000];
    enum tunnel_result result = TUNNEL_MORE;

    (void)state;
    memset(piece, 'a', sizeof piece);
    tunnel_init(&tunnel);
    while (result == TUNNEL_MORE) {
        result = tunnel_take(&tunnel, bytes_of(piece, sizeof piece), &used);
        taken += used;
    }
    assert_int_equal(result, TUNNEL_REFUSED);
    assert_int_equal(taken, TUNNEL_HEAD_MAX_BYTES);
    assert_non_null(strstr(tunnel.text, "larger than"));
    tunnel_finish(&tunnel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tunnel_is_asked_for_with_credentials),
        cmocka_unit_test(what_follows_the_answer_is_not_taken),
        cmocka_unit_test(a_head_without_an_end_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
