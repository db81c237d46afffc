/* The rules of RFC 6455 and RFC 7692 for what a server sends, section by section as the Autobahn test suite
 * has them; sections 7.1 (after the end) and 9 (limits of a connection) are in test_websocket.c too. */
#include "common/memory.h"
#include "reader_stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <zlib.h>

#define RSV2 0x20u
#define RSV3 0x10u
#define MOST_FRAMES 12
#define TEXT_125                                                                                             \
    "*************************"                                                                              \
    "*************************"                                                                              \
    "*************************"                                                                              \
    "*************************"                                                                              \
    "*************************"

struct sent_frame {
    unsigned first_byte;
    const char *payload; /* NULL: there are no more */
};

static const struct row {
    const char *section;
    struct sent_frame frames[MOST_FRAMES];
    const char *wanted;
} ROWS[] = {
    {"1.1.1", {{FIN | TEXT, ""}}, "text: "},
    {"1.2.1", {{FIN | BINARY, ""}}, "binary: "},
    {"2.1", {{FIN | PING, ""}}, "ping "},
    {"2.2", {{FIN | PING, "Hello, world!"}}, "ping:Hello, world! "},
    {"2.3", {{FIN | PING, "\x01\xff\xfe\xfd\xfc\xfb\xfe\xff"}}, "ping:\x01\xff\xfe\xfd\xfc\xfb\xfe\xff "},
    {"2.4", {{FIN | PING, TEXT_125}}, "ping:" TEXT_125 " "},
    {"2.5", {{FIN | PING, TEXT_125 "*"}}, "broken 1002 "},
    {"2.7", {{FIN | PONG, ""}}, "pong "},
    {"2.8", {{FIN | PONG, "unsolicited pong payload"}}, "pong:unsolicited pong payload "},
    {"2.9", {{FIN | PONG, "unsolicited"}, {FIN | PING, "ping"}}, "pong:unsolicited ping:ping "},
    {"2.10",
     {{FIN | PING, "0"}, {FIN | PING, "1"}, {FIN | PING, "2"}, {FIN | PING, "3"}, {FIN | PING, "4"}},
     "ping:0 ping:1 ping:2 ping:3 ping:4 "},
    {"3.1", {{FIN | RSV3 | TEXT, "*"}}, "broken 1002 "},
    {"3.2", {{FIN | TEXT, "a"}, {FIN | RSV2 | TEXT, "b"}, {FIN | PING, ""}}, "text:a broken 1002 "},
    {"3.4", {{FIN | TEXT, "a"}, {FIN | RSV2 | RSV3 | TEXT, "b"}, {FIN | PING, ""}}, "text:a broken 1002 "},
    {"3.5", {{FIN | RSV1 | BINARY, "a"}}, "broken 1002 "},
    {"3.6", {{FIN | RSV1 | RSV3 | PING, "a"}}, "broken 1002 "},
    {"3.7", {{FIN | RSV1 | RSV2 | CLOSE, ""}}, "broken 1002 "},
    {"3.7, all", {{FIN | RSV1 | RSV2 | RSV3 | TEXT, "a"}}, "broken 1002 "},
    {"4.1.3", {{FIN | TEXT, "a"}, {FIN | 5, ""}, {FIN | PING, ""}}, "text:a broken 1002 "},
    {"4.1.4", {{FIN | TEXT, "a"}, {FIN | 6, "payload"}, {FIN | PING, ""}}, "text:a broken 1002 "},
    {"4.2.3", {{FIN | TEXT, "a"}, {FIN | 13, ""}, {FIN | PING, ""}}, "text:a broken 1002 "},
    {"4.2.4", {{FIN | TEXT, "a"}, {FIN | 14, "payload"}, {FIN | PING, ""}}, "text:a broken 1002 "},
    {"5.1", {{PING, "fragment1"}, {FIN, "fragment2"}}, "broken 1002 "},
    {"5.2", {{PONG, "fragment1"}, {FIN, "fragment2"}}, "broken 1002 "},
    {"5.3", {{TEXT, "fragment1"}, {FIN, "fragment2"}}, "text:fragment1fragment2 "},
    {"5.6", {{TEXT, "fragment1"}, {FIN | PING, "p"}, {FIN, "fragment2"}}, "ping:p text:fragment1fragment2 "},
    {"5.9", {{FIN, "non-continuation"}, {FIN | TEXT, "a"}}, "broken 1002 "},
    {"5.12", {{0, "non-continuation"}, {FIN | TEXT, "a"}}, "broken 1002 "},
    {"5.15", {{TEXT, "1"}, {FIN, "2"}, {0, "3"}, {FIN | TEXT, "4"}}, "text:12 broken 1002 "},
    {"5.16", {{0, "1"}, {TEXT, "2"}, {FIN, "3"}}, "broken 1002 "},
    {"5.17", {{FIN, "1"}, {TEXT, "2"}, {FIN, "3"}}, "broken 1002 "},
    {"5.18", {{TEXT, "fragment1"}, {FIN | TEXT, "fragment2"}}, "broken 1002 "},
    {"5.18, binary", {{TEXT, "fragment1"}, {FIN | BINARY, "fragment2"}}, "broken 1002 "},
    {"5.19",
     {{TEXT, "1"}, {0, "2"}, {FIN | PING, "p"}, {0, "3"}, {0, "4"}, {FIN | PING, "q"}, {FIN, "5"}},
     "ping:p ping:q text:12345 "},
    {"6.1.2", {{TEXT, ""}, {0, ""}, {FIN, ""}}, "text: "},
    {"6.1.3", {{TEXT, ""}, {0, "middle"}, {FIN, ""}}, "text:middle "},
    {"6.4.1", {{TEXT, "κόσμε"}, {0, "\xf4\x90\x80\x80"}, {FIN, "edited"}}, "broken 1007 "},
    {"6, binary", {{BINARY, "\xff"}, {FIN, "\xc0"}}, "binary:\xff\xc0 "},
    {"7.1.1", {{FIN | TEXT, "a"}, {FIN | CLOSE, "\x03\xe8"}}, "text:a close 1000 "},
    {"7.1.5", {{TEXT, "fragment1"}, {FIN | CLOSE, "\x03\xe8"}}, "close 1000 "},
    {"7.3.1", {{FIN | CLOSE, ""}}, "close 1005 "},
    {"7.3.2", {{FIN | CLOSE, "a"}}, "broken 1002 "},
    {"7.3.4", {{FIN | CLOSE, "\x03\xe8Hello World!"}}, "close 1000:Hello World! "},
    {"7.5.1", {{FIN | CLOSE, "\x03\xe8κόσμε\xed\xa0\x80 edited"}}, "broken 1007 "},
};

static void test_each_rule_of_the_sections_on_frames(void **state)
{
    struct stand stand;
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        stand_init(&stand);
        for (const struct sent_frame *frame = ROWS[i].frames; frame->payload != NULL; frame++) {
            server_text_frame(&stand.wire, frame->first_byte, frame->payload);
        }
        print_message("section %s\n", ROWS[i].section);
        expect(&stand, ROWS[i].wanted);
        stand_finish(&stand);
    }
}

static void test_opcodes_that_are_reserved(void **state)
{
    struct stand stand;
    (void)state;
    stand_init(&stand);
    for (unsigned opcode = 3; opcode < 16; opcode++) {
        if (opcode >= CLOSE && opcode <= PONG) {
            continue;
        }
        for (unsigned final = 0; final <= FIN; final += FIN) {
            server_text_frame(&stand.wire, FIN | TEXT, "before");
            server_text_frame(&stand.wire, final | opcode, "x");
            server_text_frame(&stand.wire, FIN | PING, "after");
            expect(&stand, "text:before broken 1002 ");
        }
    }
    stand_finish(&stand);
}

/* 6.2, 6.5, 6.7, 6.9, 6.11, 6.22 and 6.23. */
static const char *const GOOD_TEXTS[] = {
    "Hello-µ@ßöäüàá-UTF-8!!",
    "κόσμε",
    "\xc2\x80",
    "\xe0\xa0\x80",
    "\xf0\x90\x80\x80",
    "\x7f",
    "\xdf\xbf",
    "\xef\xbf\xbf",
    "\xf4\x8f\xbf\xbf",
    "\xed\x9f\xbf",
    "\xee\x80\x80",
    "\xef\xbf\xbd",
    "\xef\xbf\xbe",
    "\xf0\x9f\xbf\xbe",
    "\xf0\x9f\xbf\xbf",
    "\xf0\xaf\xbf\xbe",
    "\xf3\xbf\xbf\xbf",
    "\xf4\x8f\xbf\xbe",
    "\xef\xbf\xb9\xef\xbf\xba\xef\xbf\xbb\xef\xbf\xbc",
    "1234567é",
    "12345678é12345678",
};

/* 6.3, 6.8, 6.10 to 6.21. */
static const char *const BAD_TEXTS[] = {
    ("κόσμε\xed\xa0\x80"
     "edited"),
    "\xf8\x88\x80\x80\x80",
    "\xfc\x84\x80\x80\x80\x80",
    "\xf7\xbf\xbf\xbf",
    "\xfb\xbf\xbf\xbf\xbf",
    "\xfd\xbf\xbf\xbf\xbf\xbf",
    "\xf4\x90\x80\x80",
    "\x80",
    "\xbf",
    "\x80\xbf",
    "\x80\xbf\x80\xbf\x80\xbf",
    "\xc0 \xc1 \xc2 \xc3 ",
    "\xdf ",
    "\xe0 \xe1 \xef ",
    "\xf0 \xf1 \xf7 ",
    "\xf8 \xfb ",
    "\xfc \xfd ",
    "\xc0",
    "\xe0\x80",
    "\xf0\x80\x80",
    "\xf8\x80\x80\x80",
    "\xfc\x80\x80\x80\x80",
    "\xdf",
    "\xef\xbf",
    "\xf7\xbf\xbf",
    "\xc0\xe0\x80\xf0\x80\x80",
    "\xfe",
    "\xff",
    "\xfe\xfe\xff\xff",
    "\xc0\xaf",
    "\xe0\x80\xaf",
    "\xf0\x80\x80\xaf",
    "\xf8\x80\x80\x80\xaf",
    "\xc1\xbf",
    "\xe0\x9f\xbf",
    "\xf0\x8f\xbf\xbf",
    "\xc0\x80",
    "\xe0\x80\x80",
    "\xf0\x80\x80\x80",
    "\xed\xa0\x80",
    "\xed\xad\xbf",
    "\xed\xae\x80",
    "\xed\xaf\xbf",
    "\xed\xb0\x80",
    "\xed\xbe\x80",
    "\xed\xbf\xbf",
    "\xed\xa0\x80\xed\xb0\x80",
    "\xed\xaf\xbf\xed\xbf\xbf",
    "1234567\xc3",
    "12345678\xc3",
};

/* In one frame, and divided at each byte. */
static void expect_text(const char *text, const char *wanted)
{
    struct stand stand;

    stand_init(&stand);
    server_text_frame(&stand.wire, FIN | TEXT, text);
    expect(&stand, wanted);
    for (size_t at = 0; at <= strlen(text); at++) {
        server_frame(&stand.wire, TEXT, text, at);
        server_frame(&stand.wire, FIN, text + at, strlen(text) - at);
        expect(&stand, wanted);
    }
    stand_finish(&stand);
}

static void test_texts_are_utf8_wherever_they_are_divided(void **state)
{
    static const char kosme[] = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
    char wanted[80];
    (void)state;
    for (size_t i = 0; i < sizeof GOOD_TEXTS / sizeof *GOOD_TEXTS; i++) {
        snprintf(wanted, sizeof wanted, "text:%s ", GOOD_TEXTS[i]);
        expect_text(GOOD_TEXTS[i], wanted);
    }
    for (size_t i = 0; i < sizeof BAD_TEXTS / sizeof *BAD_TEXTS; i++) {
        expect_text(BAD_TEXTS[i], "broken 1007 ");
    }
    /* 6.6: each beginning of a text. */
    for (size_t size = 0; size < sizeof kosme; size++) {
        bool is_whole = size == 0 || size == 2 || size == 5 || size == 7 || size == 9 || size == 11;
        char beginning[sizeof kosme] = "";
        memcpy(beginning, kosme, size);
        snprintf(wanted, sizeof wanted, "text:%s ", beginning);
        expect_text(beginning, is_whole ? wanted : "broken 1007 ");
    }
}

/* 7.3.3, 7.3.5, 7.3.6, 7.7 and 7.9: all codes there are. */
static void test_every_code_of_a_close_frame(void **state)
{
    struct stand stand;
    char reason[125];
    char wanted[200];
    (void)state;
    stand_init(&stand);
    for (unsigned code = 0; code <= UINT16_MAX; code = code < 5100 ? code + 1 : code + 997) {
        bool is_registered = code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
        bool is_good = is_registered || (code >= 3000 && code <= 4999);
        server_close_frame(&stand.wire, code, "");
        snprintf(wanted, sizeof wanted, is_good ? "close %u " : "broken 1002 ", code);
        expect(&stand, wanted);
    }
    memset(reason, '*', sizeof reason);
    reason[123] = '\0';
    server_close_frame(&stand.wire, 1000, reason);
    snprintf(wanted, sizeof wanted, "close 1000:%s ", reason);
    expect(&stand, wanted);
    reason[123] = '*';
    reason[124] = '\0';
    server_close_frame(&stand.wire, 1000, reason);
    expect(&stand, "broken 1002 ");
    stand_finish(&stand);
}

/* Of one kind of character, so that the story of it is short. */
static void expect_large(struct stand *stand, size_t size)
{
    char wanted[100];

    snprintf(wanted, sizeof wanted, "binary:%.40s(%zu) ", TEXT_125, size);
    expect(stand, wanted);
}

/* 9.1 to 9.6. */
static void test_large_messages_whole_and_in_fragments(void **state)
{
    static const size_t fragments[] = {64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304};
    const size_t size = 4u << 20;
    uint8_t *payload = memory_new(size, 1);
    struct stand stand;
    (void)state;
    memset(payload, '*', size);
    stand_init(&stand);
    stand.maximum = size;
    stand.memory.limit_bytes = 2 * size;
    for (size_t i = 0; i < sizeof fragments / sizeof *fragments; i++) {
        for (size_t at = 0; at < size; at += fragments[i]) {
            unsigned first = (at == 0 ? BINARY : 0u) | (at + fragments[i] == size ? FIN : 0u);
            server_frame(&stand.wire, first, payload + at, fragments[i]);
        }
        expect_large(&stand, size);
    }
    memory_free(payload);
    stand_finish(&stand);
}

/* As a server with these window bits compresses, with what was before (`has_context`) or without. */
static void send_compressed(struct stand *stand, z_stream *zlib, bool has_context, const uint8_t *plain,
                            size_t size)
{
    static uint8_t packed[1u << 18];

    zlib->next_in = (z_const Bytef *)(uintptr_t)plain;
    zlib->avail_in = (uInt)size;
    zlib->next_out = packed;
    zlib->avail_out = sizeof packed;
    assert_int_equal(deflate(zlib, Z_SYNC_FLUSH), Z_OK);
    size_t written = sizeof packed - zlib->avail_out - 4;
    server_frame(&stand->wire, FIN | RSV1 | BINARY, packed, written);
    if (!has_context) {
        (void)deflateReset(zlib);
    }
}

/* 12 and 13: many messages of each size and content, for what can be agreed. */
static void test_compressed_messages_of_each_window_and_size(void **state)
{
    static const size_t sizes[] = {16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072};
    uint8_t *plain = memory_new(131072, 1);
    struct stand stand;
    uint32_t lot = 1;
    (void)state;
    for (size_t i = 0; i < 131072; i++) {
        lot = lot * 1103515245 + 12345;
        plain[i] = i < 40 ? '*' : i % 3 == 0 ? (uint8_t)(lot >> 24) : (uint8_t)(i % 11);
    }
    for (int bits = 9; bits <= 15; bits++) {
        for (int has_context = 0; has_context <= 1; has_context++) {
            z_stream zlib = {0};
            assert_int_equal(deflateInit2(&zlib, 6, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
            stand_init(&stand);
            stand.maximum = 131072;
            stand.is_compressed = true;
            struct buffer wanted;
            buffer_init(&wanted, 1u << 20);
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                for (int times = 0; times < 3; times++) {
                    send_compressed(&stand, &zlib, has_context, plain, sizes[i]);
                    buffer_append_format(&wanted, sizes[i] < 40 ? "binary:%.*s " : "binary:%.*s(%zu) ",
                                         (int)(sizes[i] < 40 ? sizes[i] : 40), TEXT_125, sizes[i]);
                }
            }
            expect(&stand, buffer_string(&wanted));
            buffer_finish(&wanted);
            (void)deflateEnd(&zlib);
            stand_finish(&stand);
        }
    }
    memory_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_rule_of_the_sections_on_frames),
        cmocka_unit_test(test_opcodes_that_are_reserved),
        cmocka_unit_test(test_texts_are_utf8_wherever_they_are_divided),
        cmocka_unit_test(test_every_code_of_a_close_frame),
        cmocka_unit_test(test_large_messages_whole_and_in_fragments),
        cmocka_unit_test(test_compressed_messages_of_each_window_and_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
