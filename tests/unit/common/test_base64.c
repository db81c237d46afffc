/* Base64: the samples of RFC 4648, a round trip of every length, and what is refused. */
#include "common/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MAXIMUM 4096u

static const struct {
    const char *plain;
    const char *encoded;
} samples[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xef\xff", "++//"},
};

static void the_samples_of_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct buffer buffer;
        buffer_init(&buffer, MAXIMUM);
        assert_true(base64_encode(&buffer, bytes_of_string(samples[i].plain)));
        assert_string_equal(buffer_string(&buffer), samples[i].encoded);
        buffer_clear(&buffer);
        assert_true(base64_decode(&buffer, bytes_of_string(samples[i].encoded)));
        assert_string_equal(buffer_string(&buffer), samples[i].plain);
        buffer_finish(&buffer);
    }
}

static void every_length_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 151 + 7);
    }
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct buffer encoded;
        struct buffer decoded;
        buffer_init(&encoded, MAXIMUM);
        buffer_init(&decoded, MAXIMUM);
        assert_true(base64_encode(&encoded, bytes_of(bytes, size)));
        assert_true(base64_decode(&decoded, buffer_bytes(&encoded)));
        assert_true(bytes_equal(buffer_bytes(&decoded), bytes_of(bytes, size)));
        buffer_finish(&encoded);
        buffer_finish(&decoded);
    }
}

static void malformed_text_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"Z",    "Zg",   "Zg=",  "Zg==Zg==", "Zh==",
                                        "Zm9=", "====", "Z===", "Zm 9",     "Zm\n9",
                                        "Zm-_", "=m9v", "Zm=v", "Zm9v=",    "\x80mm9"};
    struct buffer buffer;
    buffer_init(&buffer, MAXIMUM);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(base64_decode(&buffer, bytes_of_string(texts[i])));
        assert_int_equal(buffer.size, 0);
    }
    buffer_finish(&buffer);
}

static void what_does_not_fit_is_left_out(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 5);
    assert_false(base64_decode(&buffer, bytes_of_string("Zm9vYmFy")));
    assert_false(base64_encode(&buffer, bytes_of_string("foob")));
    assert_int_equal(buffer.size, 0);
    buffer_finish(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_samples_of_the_standard),
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
