/* The opening handshake: what is asked, and which answers are refused, with a reason. */
#include "agent/websocket/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* RFC 6455 section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define GOOD "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"

static void test_keys_are_those_of_the_rfc(void **state)
{
    char key[HANDSHAKE_KEY_BYTES];
    char accept[HANDSHAKE_ACCEPT_BYTES];
    (void)state;
    handshake_key((const uint8_t *)"the sample nonce", key);
    assert_string_equal(key, KEY);
    handshake_accept(key, accept);
    assert_string_equal(accept, ACCEPT);
}

static struct handshake_answer accepted(const struct handshake_offer *offer, const char *fields)
{
    struct handshake_answer answer;
    struct error error = {""};
    bool is_good = handshake_check(offer, bytes_of_string(fields), &answer, &error);
    assert_string_equal(error.text, "");
    assert_true(is_good);
    return answer;
}

static void refused(const struct handshake_offer *offer, const char *fields, const char *why)
{
    struct handshake_answer answer;
    struct error error = {""};
    assert_false(handshake_check(offer, bytes_of_string(fields), &answer, &error));
    if (strstr(error.text, why) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", why, error.text);
    }
}

static void test_a_good_answer_is_accepted(void **state)
{
    const struct handshake_offer offer = {.key = KEY};
    (void)state;
    struct handshake_answer answer = accepted(&offer, GOOD);
    assert_int_equal(answer.protocol.size, 0);
    assert_false(answer.is_compressed);
    accepted(&offer, "UPGRADE: WebSocket\r\nconnection: upgrade\r\nsec-websocket-accept:  " ACCEPT "\r\n");
}

static void test_an_answer_that_lacks_something_is_refused(void **state)
{
    const struct handshake_offer offer = {.key = KEY};
    (void)state;
    refused(&offer, "Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n", "Upgrade: websocket");
    refused(&offer, "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n",
            "Upgrade: websocket");
    refused(&offer, "Upgrade: websocket\r\nSec-WebSocket-Accept: " ACCEPT "\r\n", "Connection: Upgrade");
    refused(&offer, "Upgrade: websocket\r\nConnection: Upgrade\r\n", "no Sec-WebSocket-Accept");
    refused(&offer, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm90IGl0\r\n",
            "\"bm90IGl0\" is not that of our key (" ACCEPT ")");
    refused(&offer, GOOD "Sec-WebSocket-Accept: " ACCEPT "\r\n", "or several");
}

static void test_the_subprotocol_has_to_be_one_that_was_offered(void **state)
{
    const struct handshake_offer none = {.key = KEY};
    const struct handshake_offer offer = {.key = KEY, .protocols = "chat, superchat"};
    (void)state;
    struct handshake_answer answer = accepted(&offer, GOOD "Sec-WebSocket-Protocol: superchat\r\n");
    assert_true(bytes_equal_string(answer.protocol, "superchat"));
    accepted(&offer, GOOD);
    refused(&offer, GOOD "Sec-WebSocket-Protocol: Chat\r\n",
            "\"Chat\", which was not offered (chat, superchat)");
    refused(&offer, GOOD "Sec-WebSocket-Protocol: super\r\n", "\"super\", which was not offered");
    refused(&offer, GOOD "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n", "several");
    refused(&none, GOOD "Sec-WebSocket-Protocol: chat\r\n", "not offered (none was)");
}

static void test_compression_is_used_as_it_was_agreed(void **state)
{
    const struct handshake_offer none = {.key = KEY};
    const struct handshake_offer offer = {.key = KEY, .is_compressed = true};
    (void)state;
    assert_false(accepted(&offer, GOOD).is_compressed);
    struct handshake_answer answer =
        accepted(&offer, GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    assert_true(answer.is_compressed && answer.has_context);
    answer =
        accepted(&offer, GOOD "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; "
                              "server_no_context_takeover; server_max_window_bits=10\r\n");
    assert_true(answer.is_compressed && !answer.has_context);
    refused(&offer, GOOD "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\r\n",
            "client_max_window_bits=10");
    refused(&offer, GOOD "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n",
            "not offered");
    refused(&offer, GOOD "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n", "x-webkit-deflate-frame");
    refused(&none, GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n", "permessage-deflate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_those_of_the_rfc),
        cmocka_unit_test(test_a_good_answer_is_accepted),
        cmocka_unit_test(test_an_answer_that_lacks_something_is_refused),
        cmocka_unit_test(test_the_subprotocol_has_to_be_one_that_was_offered),
        cmocka_unit_test(test_compression_is_used_as_it_was_agreed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
