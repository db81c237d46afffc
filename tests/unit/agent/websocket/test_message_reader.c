/* Messages put together from frames: every rule of RFC 6455 section 5, right or named with the code to close
 * with, however the bytes are cut. */
#include "agent/websocket/message_reader.h"

#include "common/memory.h"
#include "reader_stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

static void expect_frame(struct stand *stand, unsigned first_byte, const char *payload, const char *wanted)
{
    server_text_frame(&stand->wire, first_byte, payload);
    expect(stand, wanted);
}

static void raw(struct stand *stand, const void *bytes, size_t size)
{
    (void)buffer_append(&stand->wire, bytes, size);
}

static void test_whole_messages_come_with_their_kind(void **state)
{
    struct stand stand;
    (void)state;
    stand_init(&stand);
    expect_frame(&stand, FIN | TEXT, "hello", "text:hello ");
    expect_frame(&stand, FIN | TEXT, "", "text: ");
    expect_frame(&stand, FIN | BINARY, "\xff\xfe", "binary:\xff\xfe ");
    server_text_frame(&stand.wire, FIN | TEXT, "one");
    server_text_frame(&stand.wire, FIN | BINARY, "two");
    server_text_frame(&stand.wire, FIN | TEXT, "three");
    expect(&stand, "text:one binary:two text:three ");
    stand_finish(&stand);
}

static void test_every_encoding_of_a_length_is_read(void **state)
{
    static const size_t sizes[] = {125, 126, 127, 128, 65535, 65536, 200000};
    struct stand stand;
    (void)state;
    stand_init(&stand);
    stand.maximum = 200000;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *payload = memory_new(sizes[i], 1);
        char wanted[100];
        memset(payload, 'x', sizes[i]);
        server_frame(&stand.wire, FIN | TEXT, payload, sizes[i]);
        snprintf(wanted, sizeof wanted, "text:%.40s(%zu) ", payload, sizes[i]);
        expect(&stand, wanted);
        memory_free(payload);
    }
    stand_finish(&stand);
}

static void test_a_length_in_a_longer_form_than_needed_is_refused(void **state)
{
    static const uint8_t sixteen[] = {FIN | TEXT, 126, 0, 5, 'h', 'e', 'l', 'l', 'o'};
    static const uint8_t sixty_four[] = {FIN | TEXT, 127, 0, 0, 0, 0, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o'};
    static const uint8_t negative[] = {FIN | TEXT, 127, 0x80, 0, 0, 0, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o'};
    struct stand stand;
    (void)state;
    stand_init(&stand);
    raw(&stand, sixteen, sizeof sixteen);
    expect(&stand, "broken 1002 ");
    raw(&stand, sixty_four, sizeof sixty_four);
    expect(&stand, "broken 1002 ");
    raw(&stand, negative, sizeof negative);
    expect(&stand, "broken 1002 ");
    stand_finish(&stand);
}

static void test_fragments_become_one_message_around_control_frames(void **state)
{
    struct stand stand;
    (void)state;
    stand_init(&stand);
    server_text_frame(&stand.wire, TEXT, "a");
    server_text_frame(&stand.wire, FIN | PING, "p");
    server_text_frame(&stand.wire, 0, "b");
    server_text_frame(&stand.wire, FIN | PONG, "q");
    server_text_frame(&stand.wire, 0, "");
    server_text_frame(&stand.wire, FIN, "c");
    expect(&stand, "ping:p pong:q text:abc ");
    server_text_frame(&stand.wire, BINARY, "");
    server_text_frame(&stand.wire, FIN, "");
    expect(&stand, "binary: ");
    /* A character that two frames share. */
    server_text_frame(&stand.wire, TEXT, "\xc3");
    server_text_frame(&stand.wire, FIN, "\xa4");
    expect(&stand, "text:\xc3\xa4 ");
    stand_finish(&stand);
}

static void test_fragments_out_of_order_are_refused(void **state)
{
    struct stand stand;
    (void)state;
    stand_init(&stand);
    expect_frame(&stand, FIN, "no message has begun", "broken 1002 ");
    expect_frame(&stand, 0, "likewise", "broken 1002 ");
    server_text_frame(&stand.wire, TEXT, "a");
    server_text_frame(&stand.wire, FIN | TEXT, "b");
    expect(&stand, "broken 1002 ");
    server_text_frame(&stand.wire, FIN | TEXT, "a");
    server_text_frame(&stand.wire, FIN, "b");
    expect(&stand, "text:a broken 1002 ");
    stand_finish(&stand);
}

static void test_unknown_opcodes_and_reserved_bits_are_refused(void **state)
{
    struct stand stand;
    (void)state;
    stand_init(&stand);
    for (unsigned opcode = 3; opcode < 16; opcode++) {
        if (opcode < CLOSE || opcode > PONG) {
            expect_frame(&stand, FIN | opcode, "x", "broken 1002 ");
            expect_frame(&stand, FIN | opcode, "", "broken 1002 ");
        }
    }
    for (unsigned bits = 1; bits < 8; bits++) {
        expect_frame(&stand, FIN | bits << 4 | TEXT, "x", "broken 1002 ");
        expect_frame(&stand, FIN | bits << 4 | PING, "x", "broken 1002 ");
    }
    stand_finish(&stand);
}

static void test_a_masked_frame_of_a_server_is_refused(void **state)
{
    static const uint8_t masked[] = {FIN | TEXT, 0x80 | 2, 1, 2, 3, 4, 'h' ^ 1, 'i' ^ 2};
    struct stand stand;
    (void)state;
    stand_init(&stand);
    raw(&stand, masked, sizeof masked);
    expect(&stand, "broken 1002 ");
    stand_finish(&stand);
}

static void test_control_frames_are_small_and_whole(void **state)
{
    char payload[127];
    struct stand stand;
    (void)state;
    stand_init(&stand);
    memset(payload, 'x', sizeof payload);
    server_frame(&stand.wire, FIN | PING, payload, 126);
    expect(&stand, "broken 1002 ");
    server_frame(&stand.wire, FIN | CLOSE, payload, 126);
    expect(&stand, "broken 1002 ");
    expect_frame(&stand, PING, "no FIN", "broken 1002 ");
    expect_frame(&stand, CLOSE, "no FIN", "broken 1002 ");
    payload[125] = '\0';
    char wanted[200];
    snprintf(wanted, sizeof wanted, "ping:%s ", payload);
    expect_frame(&stand, FIN | PING, payload, wanted);
    stand_finish(&stand);
}

static void test_text_has_to_be_utf8(void **state)
{
    static const char *const bad[] = {
        "\xc3", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "12345678\xe2\x82", "\xe0\x80\x80"};
    struct stand stand;
    (void)state;
    stand_init(&stand);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_frame(&stand, FIN | TEXT, bad[i], "broken 1007 ");
    }
    expect_frame(&stand, FIN | TEXT, "κόσμε \xf4\x8f\xbf\xbf", "text:κόσμε \xf4\x8f\xbf\xbf ");
    assert_true(text_is_utf8(bytes_of("a\0b", 3)));
    stand_finish(&stand);
}

static void test_close_frames_carry_valid_codes(void **state)
{
    static const unsigned good[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 4999};
    static const unsigned bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535};
    struct stand stand;
    char wanted[40];
    (void)state;
    stand_init(&stand);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        server_close_frame(&stand.wire, good[i], "bye");
        snprintf(wanted, sizeof wanted, "close %u:bye ", good[i]);
        expect(&stand, wanted);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        server_close_frame(&stand.wire, bad[i], "");
        expect(&stand, "broken 1002 ");
    }
    expect_frame(&stand, FIN | CLOSE, "", "close 1005 ");
    expect_frame(&stand, FIN | CLOSE, "x", "broken 1002 ");
    server_close_frame(&stand.wire, 1000, "\xff");
    expect(&stand, "broken 1007 ");
    stand_finish(&stand);
}

static void test_a_message_is_bounded_before_it_has_come(void **state)
{
    static const uint8_t huge[] = {FIN | BINARY, 127, 0, 0, 1, 0, 0, 0, 0, 0, 'x'};
    char payload[1001];
    struct stand stand;
    (void)state;
    stand_init(&stand);
    memset(payload, 'x', sizeof payload);
    raw(&stand, huge, sizeof huge);
    expect(&stand, "broken 1009 ");
    server_frame(&stand.wire, FIN | BINARY, payload, 1001);
    expect(&stand, "broken 1009 ");
    server_frame(&stand.wire, BINARY, payload, 600);
    server_frame(&stand.wire, FIN, payload, 401);
    expect(&stand, "broken 1009 ");
    server_frame(&stand.wire, BINARY, payload, 600);
    server_frame(&stand.wire, FIN, payload, 400);
    expect(&stand, "binary:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx(1000) ");
    stand.memory.limit_bytes = 1000; /* half of which messages may take */
    server_frame(&stand.wire, FIN | BINARY, payload, 501);
    expect(&stand, "broken 1009 ");
    stand_finish(&stand);
}

static void compressed_frame(struct stand *stand, unsigned first_byte, struct bytes plain)
{
    struct deflater *deflater = deflater_new();
    struct bytes data = deflater_compress(deflater, plain);

    server_frame(&stand->wire, first_byte, data.data, data.size);
    deflater_free(&deflater);
}

static void test_compressed_messages_are_inflated(void **state)
{
    struct stand stand;
    (void)state;
    stand_init(&stand);
    stand.is_compressed = true;
    compressed_frame(&stand, FIN | RSV1 | TEXT, bytes_of_string("hello"));
    compressed_frame(&stand, FIN | RSV1 | TEXT, bytes_of_string(""));
    server_text_frame(&stand.wire, FIN | TEXT, "plain");
    expect(&stand, "text:hello text: text:plain ");
    /* In fragments: the bit is set on the first one only. */
    static const uint8_t hello[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}; /* RFC 7692 section 7.2.3.1 */
    server_frame(&stand.wire, RSV1 | TEXT, hello, 3);
    server_frame(&stand.wire, FIN, hello + 3, 4);
    expect(&stand, "text:Hello ");
    server_frame(&stand.wire, RSV1 | TEXT, hello, 3);
    server_frame(&stand.wire, FIN | RSV1, hello + 3, 4);
    expect(&stand, "broken 1002 ");
    /* A message that refers to the one before it, and one with a final block (sections 7.2.3.2 and 4). */
    static const uint8_t again[] = {0xf2, 0x00, 0x11, 0x00, 0x00};
    static const uint8_t final[] = {0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00};
    server_frame(&stand.wire, FIN | RSV1 | TEXT, hello, sizeof hello);
    server_frame(&stand.wire, FIN | RSV1 | TEXT, again, sizeof again);
    server_frame(&stand.wire, FIN | RSV1 | TEXT, final, sizeof final);
    expect(&stand, "text:Hello text:Hello text:Hello ");
    expect_frame(&stand, FIN | RSV1 | TEXT, "\xff\xff\xff\xff", "broken 1007 ");
    expect_frame(&stand, FIN | RSV1 | PING, "x", "broken 1002 ");
    compressed_frame(&stand, FIN | RSV1 | TEXT, bytes_of_string("\xff"));
    expect(&stand, "broken 1007 ");
    stand_finish(&stand);
}

static void test_a_bomb_is_stopped_at_the_bound(void **state)
{
    struct stand stand;
    uint8_t *zeroes = memory_new(10000000, 1);
    (void)state;
    stand_init(&stand);
    stand.is_compressed = true;
    stand.maximum = 100000;
    compressed_frame(&stand, FIN | RSV1 | BINARY, bytes_of(zeroes, 10000000));
    assert_true(stand.wire.size < 20000);
    expect(&stand, "broken 1009 ");
    memory_free(zeroes);
    stand_finish(&stand);
}

static void test_what_is_written_is_masked_and_can_be_read(void **state)
{
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, 100000};
    struct frame_codec *codec = frame_codec_new();
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *payload = memory_new(sizes[i] + 1, 1);
        size_t head = sizes[i] <= 125 ? 2 : sizes[i] <= 65535 ? 4 : 10;
        memset(payload, 'y', sizes[i]);
        struct bytes frame = frame_write(codec, FRAME_TEXT, true, bytes_of(payload, sizes[i]));
        assert_int_equal(frame.size, head + 4 + sizes[i]);
        assert_int_equal(frame.data[0], FIN | RSV1 | TEXT);
        assert_true(frame.data[1] & 0x80);
        const uint8_t *mask = frame.data + head;
        for (size_t j = 0; j < sizes[i]; j++) {
            assert_int_equal(frame.data[head + 4 + j] ^ mask[j % 4], 'y');
        }
        memory_free(payload);
    }
    struct bytes first = frame_write(codec, FRAME_PING, false, bytes_of("", 0));
    uint8_t mask[4];
    memcpy(mask, first.data + 2, 4);
    struct bytes second = frame_write(codec, FRAME_PING, false, bytes_of("", 0));
    assert_memory_not_equal(mask, second.data + 2, 4);
    frame_codec_free(&codec);
}

static void test_a_reader_between_two_frames_has_no_memory_of_its_own(void **state)
{
    struct stand stand;
    struct message_reader reader;
    struct bytes data;
    (void)state;
    stand_init(&stand);
    message_reader_init(&reader, stand.codec, 1000);
    server_text_frame(&stand.wire, FIN | PING, "one");
    server_text_frame(&stand.wire, FIN | PING, "two");
    struct bytes input = buffer_bytes(&stand.wire);
    assert_int_equal(message_next(&reader, &input, &data), MESSAGE_PING);
    assert_int_equal(message_next(&reader, &input, &data), MESSAGE_PING);
    assert_non_null(reader.frames.context);
    assert_int_equal(message_next(&reader, &input, &data), MESSAGE_MORE);
    assert_null(reader.frames.context);
    input = bytes_of(stand.wire.data, 1);
    assert_int_equal(message_next(&reader, &input, &data), MESSAGE_MORE);
    assert_non_null(reader.frames.context);
    input = bytes_of(stand.wire.data + 1, 4);
    assert_int_equal(message_next(&reader, &input, &data), MESSAGE_PING);
    assert_int_equal(message_next(&reader, &input, &data), MESSAGE_MORE);
    assert_null(reader.frames.context);
    message_reader_finish(&reader);
    stand_finish(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_messages_come_with_their_kind),
        cmocka_unit_test(test_every_encoding_of_a_length_is_read),
        cmocka_unit_test(test_a_length_in_a_longer_form_than_needed_is_refused),
        cmocka_unit_test(test_fragments_become_one_message_around_control_frames),
        cmocka_unit_test(test_fragments_out_of_order_are_refused),
        cmocka_unit_test(test_unknown_opcodes_and_reserved_bits_are_refused),
        cmocka_unit_test(test_a_masked_frame_of_a_server_is_refused),
        cmocka_unit_test(test_control_frames_are_small_and_whole),
        cmocka_unit_test(test_text_has_to_be_utf8),
        cmocka_unit_test(test_close_frames_carry_valid_codes),
        cmocka_unit_test(test_a_message_is_bounded_before_it_has_come),
        cmocka_unit_test(test_compressed_messages_are_inflated),
        cmocka_unit_test(test_a_bomb_is_stopped_at_the_bound),
        cmocka_unit_test(test_what_is_written_is_masked_and_can_be_read),
        cmocka_unit_test(test_a_reader_between_two_frames_has_no_memory_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
