/* Each kind of message survives encoding with every field; texts are cleaned, an absent value is nil. */
#include "common/buffer.h"
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"
#include "tests/unit/proto/message/message_samples.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MAXIMUM_BYTES (LIMIT_FRAME_BYTES + 1000u)

static void encode(const struct message *message, struct buffer *into)
{
    buffer_init(into, MAXIMUM_BYTES);
    message_encode(message, into);
    assert_false(into->has_overflowed);
}

static void decode(struct buffer *encoded, struct message *message)
{
    struct error error;
    if (!message_decode(buffer_bytes(encoded), message, &error)) {
        fail_msg("not decoded: %s", error.text);
    }
}

static void check_round_trip(enum message_kind kind, enum sample_variant variant)
{
    struct sample sample;
    struct message decoded;
    struct buffer encoded;
    struct buffer again;
    struct buffer before;
    struct buffer after;
    buffer_init(&before, MAXIMUM_BYTES);
    buffer_init(&after, MAXIMUM_BYTES);
    sample_make(&sample, kind, variant);
    encode(&sample.message, &encoded);
    decode(&encoded, &decoded);
    assert_int_equal(decoded.kind, kind);
    message_describe(&sample.message, &before);
    message_describe(&decoded, &after);
    assert_string_equal(buffer_string(&before), buffer_string(&after));
    encode(&decoded, &again);
    assert_int_equal(encoded.size, again.size);
    assert_memory_equal(encoded.data, again.data, encoded.size);
    message_finish(&decoded);
    message_finish(&decoded); /* does nothing */
    message_finish(&sample.message);
    sample_finish(&sample);
    buffer_finish(&encoded);
    buffer_finish(&again);
    buffer_finish(&before);
    buffer_finish(&after);
}

static void every_kind_survives(void **state)
{
    (void)state;
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        for (int variant = 0; variant < SAMPLE_VARIANT_COUNT; variant++) {
            check_round_trip((enum message_kind)kind, (enum sample_variant)variant);
        }
    }
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(message_kind_name(MESSAGE_HELLO), "hello");
    assert_string_equal(message_kind_name(MESSAGE_SCALE), "scale");
}

/* Sends one failure with this text and returns what arrives. */
static void check_text(struct bytes text, struct bytes expected)
{
    struct message message = {.kind = MESSAGE_FAILURE, .campaign = 1, .failure = {.text = text}};
    struct message decoded;
    struct buffer encoded;
    encode(&message, &encoded);
    decode(&encoded, &decoded);
    assert_int_equal(decoded.failure.text.size, expected.size);
    assert_memory_equal(decoded.failure.text.data, expected.data, expected.size);
    message_finish(&decoded);
    buffer_finish(&encoded);
}

static void texts_are_made_printable(void **state)
{
    (void)state;
    static const char dirty[] = "a\nb\x01\xffz\0\xc2\x85 \xe2\x82\xac \x7f\xe2\x82";
    static const char clean[] = "a b ?z ?? \xe2\x82\xac ???";
    check_text(bytes_of(dirty, sizeof dirty - 1), bytes_of(clean, sizeof clean - 1));
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    uint8_t text[LIMIT_TEXT_BYTES + 10];
    memset(text, 'x', sizeof text);
    check_text(bytes_of(text, sizeof text), bytes_of(text, LIMIT_TEXT_BYTES));
    static const uint8_t EURO[] = {0xe2, 0x82, 0xac};
    memcpy(text + LIMIT_TEXT_BYTES - 1, EURO, sizeof EURO);
    check_text(bytes_of(text, sizeof text), bytes_of(text, LIMIT_TEXT_BYTES - 1));
}

static void long_timeouts_are_cut(void **state)
{
    (void)state;
    struct worker_run run = {1, 1, 1};
    struct operation operation = {.kind = OPERATION_WAIT_SET,
                                  .workers = {.runs = &run, .run_count = 1},
                                  .name = bytes_of_string("v"),
                                  .timeout_ms = UINT64_MAX};
    struct message message = {.kind = MESSAGE_OPERATIONS, .campaign = 1};
    message.operations.items = &operation;
    message.operations.count = 1;
    struct message decoded;
    struct buffer encoded;
    encode(&message, &encoded);
    decode(&encoded, &decoded);
    assert_int_equal(decoded.operations.items[0].timeout_ms, LIMIT_DURATION_MS);
    message_finish(&decoded);
    buffer_finish(&encoded);
}

static void check_absent(struct bytes value, const char *kinds, unsigned kind)
{
    bool is_nil = kinds[kind] == 'n';
    assert_true(is_nil ? bytes_equal_string(value, "n") : value.size == 0);
}

/* By kind of operation, in its order: n where an absent value is nil. */
static void absent_values_are_nil_where_there_is_one(void **state)
{
    (void)state;
    static const char VALUES[] = "--------n--n-nnn-------";
    static const char EXPECTED[] = "--------------n---n----";
    static const char REPLIED[] = "----n----nnn--nn-nn----";
    static_assert(sizeof VALUES - 1 == OPERATION_KIND_COUNT && sizeof EXPECTED == sizeof VALUES &&
                      sizeof REPLIED == sizeof VALUES,
                  "one character for each kind of operation");
    static const enum message_kind KINDS[] = {MESSAGE_OPERATIONS, MESSAGE_REPLIES};
    for (size_t i = 0; i < 2; i++) {
        struct sample sample;
        struct message decoded;
        struct buffer encoded;
        sample_make(&sample, KINDS[i], SAMPLE_SMALLEST);
        encode(&sample.message, &encoded);
        decode(&encoded, &decoded);
        for (unsigned kind = 0; kind < OPERATION_KIND_COUNT; kind++) {
            if (KINDS[i] == MESSAGE_REPLIES) {
                check_absent(decoded.replies.items[kind].value, REPLIED, kind);
                continue;
            }
            check_absent(decoded.operations.items[kind].value, VALUES, kind);
            check_absent(decoded.operations.items[kind].expected, EXPECTED, kind);
        }
        message_finish(&decoded);
        buffer_finish(&encoded);
        sample_finish(&sample);
    }
}

/* A full batch of the smallest operations: the allowance of the decoder must suffice. */
static void full_batch_of_small_operations_fits(void **state)
{
    (void)state;
    struct worker_run run = {1, 1, 1};
    struct operation *items = memory_new(LIMIT_BATCH_ITEMS, sizeof *items);
    for (size_t i = 0; i < LIMIT_BATCH_ITEMS; i++) {
        items[i] = (struct operation){.kind = OPERATION_PAST, .workers = {.runs = &run, .run_count = 1}};
    }
    struct message message = {.kind = MESSAGE_OPERATIONS, .campaign = 1};
    message.operations.items = items;
    message.operations.count = LIMIT_BATCH_ITEMS;
    struct message decoded;
    struct buffer encoded;
    encode(&message, &encoded);
    decode(&encoded, &decoded);
    assert_int_equal(decoded.operations.count, LIMIT_BATCH_ITEMS);
    message_finish(&decoded);
    buffer_finish(&encoded);
    memory_free(items);
}

/* The maximum number of files, with paths of maximum length. */
static void largest_bundle_fits(void **state)
{
    (void)state;
    static char paths[LIMIT_BUNDLE_FILES][LIMIT_PATH_BYTES];
    static struct bundle_entry files[LIMIT_BUNDLE_FILES];
    struct sample sample;
    sample_make(&sample, MESSAGE_DEPLOY, SAMPLE_TYPICAL);
    for (size_t i = 0; i < LIMIT_BUNDLE_FILES; i++) {
        memset(paths[i], 'p', LIMIT_PATH_BYTES);
        paths[i][0] = (char)('a' + i % 26);
        paths[i][1] = (char)('a' + i / 26 % 26);
        paths[i][2] = (char)('a' + i / 676);
        files[i] = (struct bundle_entry){.path = bytes_of(paths[i], LIMIT_PATH_BYTES),
                                         .size_bytes = LIMIT_BUNDLE_BYTES / LIMIT_BUNDLE_FILES};
    }
    sample.message.deploy.bundle.files = files;
    sample.message.deploy.bundle.file_count = LIMIT_BUNDLE_FILES;
    struct message decoded;
    struct buffer encoded;
    encode(&sample.message, &encoded);
    decode(&encoded, &decoded);
    assert_int_equal(decoded.deploy.bundle.file_count, LIMIT_BUNDLE_FILES);
    assert_int_equal(decoded.deploy.bundle.files[999].size_bytes, files[999].size_bytes);
    assert_true(bytes_equal(decoded.deploy.bundle.files[999].path, files[999].path));
    message_finish(&decoded);
    buffer_finish(&encoded);
    sample_finish(&sample);
}

static void too_small_buffer_overflows(void **state)
{
    (void)state;
    for (size_t maximum = 0; maximum < 200; maximum += 7) {
        struct sample sample;
        struct buffer small;
        sample_make(&sample, MESSAGE_REPLIES, SAMPLE_TYPICAL);
        buffer_init(&small, maximum);
        message_encode(&sample.message, &small);
        assert_true(small.has_overflowed);
        buffer_finish(&small);
        sample_finish(&sample);
    }
}

static void check_envelope(const struct envelope *envelope)
{
    struct buffer encoded;
    struct envelope decoded;
    struct error error;
    buffer_init(&encoded, 100);
    envelope_encode(envelope, &encoded);
    assert_true(envelope_decode(buffer_bytes(&encoded), &decoded, &error));
    assert_memory_equal(envelope, &decoded, sizeof decoded);
    buffer_finish(&encoded);
}

static void envelopes_survive(void **state)
{
    (void)state;
    check_envelope(&(struct envelope){.incarnation = 1});
    check_envelope(&(struct envelope){1, 2, 3, 4, 5, 6, 7});
    check_envelope(&(struct envelope){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                      UINT64_MAX});
}

static void bad_envelopes_are_refused(void **state)
{
    (void)state;
    struct envelope decoded;
    struct error error;
    uint8_t garbage[300];
    memset(garbage, 0xff, sizeof garbage);
    assert_false(envelope_decode(bytes_of(NULL, 0), &decoded, &error)); /* no incarnation */
    assert_false(envelope_decode(bytes_of(garbage, 20), &decoded, &error));
    assert_false(envelope_decode(bytes_of(garbage, sizeof garbage), &decoded, &error));
    assert_non_null(strstr(error.text, "300 bytes"));
}

/* A later version may add fields. */
static void unknown_fields_are_passed_over(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x09, 1, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x01, 0x05, 0x18, 0x09};
    struct envelope decoded;
    struct error error;
    assert_true(envelope_decode(bytes_of(bytes, sizeof bytes), &decoded, &error));
    assert_int_equal(decoded.incarnation, 1);
    assert_int_equal(decoded.sequence, 9);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(every_kind_survives),
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(texts_are_made_printable),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(long_timeouts_are_cut),
        cmocka_unit_test(absent_values_are_nil_where_there_is_one),
        cmocka_unit_test(full_batch_of_small_operations_fits),
        cmocka_unit_test(largest_bundle_fits),
        cmocka_unit_test(too_small_buffer_overflows),
        cmocka_unit_test(envelopes_survive),
        cmocka_unit_test(bad_envelopes_are_refused),
        cmocka_unit_test(unknown_fields_are_passed_over),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
