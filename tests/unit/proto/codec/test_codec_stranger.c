/* What is decoded of an agent's message, and what is refused before it costs anything. */
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define READS 60000u
#define NAMED 200000u
#define MOST_MS 50.0

static void encode(const struct message *message, struct buffer *encoded)
{
    buffer_init(encoded, LIMIT_FRAME_BYTES);
    message_encode(message, encoded);
    assert_false(encoded->has_overflowed);
}

/* This many operations of this many workers each. */
static void encode_reads(uint32_t count, uint32_t named, struct buffer *encoded)
{
    struct operation *items = memory_new(count, sizeof *items);
    struct worker_run run = {0, 1, named};
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (struct operation){.kind = OPERATION_READ,
                                      .workers = {.runs = &run, .run_count = 1},
                                      .name = bytes_of_string("p"),
                                      .step = 1};
    }
    encode(&(struct message){.kind = MESSAGE_OPERATIONS,
                             .campaign = 1,
                             .operations = {.items = items, .count = count}},
           encoded);
    memory_free(items);
}

/* Processor time in milliseconds: others may use the machine too. */
static double refuse(struct bytes bytes, const char *why)
{
    struct message message;
    struct error error = {0};
    clock_t began = clock();
    assert_false(message_decode_from_agent(bytes, &message, &error));
    double took_ms = (double)(clock() - began) * 1000.0 / CLOCKS_PER_SEC;
    if (strstr(error.text, why) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error.text, why);
    }
    return took_ms;
}

static void many_reads_of_many_workers_cost_nothing(void **state)
{
    (void)state;
    struct buffer encoded;
    encode_reads(READS, NAMED, &encoded);
    assert_true(refuse(buffer_bytes(&encoded), "at most") < MOST_MS);
    buffer_finish(&encoded);
    encode_reads(LIMIT_OPERATIONS + 1, 1, &encoded);
    assert_true(refuse(buffer_bytes(&encoded), "more than 2048 items") < MOST_MS);
    buffer_finish(&encoded);
    encode_reads(2, LIMIT_NAMED_WORKERS, &encoded);
    assert_true(refuse(buffer_bytes(&encoded), "operations that name 524288 workers") < MOST_MS);
    buffer_finish(&encoded);
}

static void what_an_agent_sends_is_within_the_bounds(void **state)
{
    (void)state;
    struct buffer encoded;
    struct message message;
    struct error error;
    encode_reads(LIMIT_OPERATIONS, LIMIT_NAMED_WORKERS / LIMIT_OPERATIONS, &encoded);
    assert_true(message_decode_from_agent(buffer_bytes(&encoded), &message, &error));
    assert_int_equal(message.operations.count, LIMIT_OPERATIONS);
    message_finish(&message);
    buffer_finish(&encoded);
    encode_reads(1, LIMIT_WORKERS, &encoded); /* all workers of the largest campaign end a step */
    assert_true(message_decode_from_agent(buffer_bytes(&encoded), &message, &error));
    message_finish(&message);
    buffer_finish(&encoded);
}

static void what_only_a_coordinator_says_is_not_decoded(void **state)
{
    (void)state;
    struct buffer encoded;
    struct worker_run run = {0, 1, 1};
    struct reply reply = {
        .kind = OPERATION_READ, .workers = {.runs = &run, .run_count = 1}, .name = bytes_of_string("pad")};
    encode(
        &(struct message){.kind = MESSAGE_REPLIES, .campaign = 1, .replies = {.items = &reply, .count = 1}},
        &encoded);
    (void)refuse(buffer_bytes(&encoded), "replies: not a message that an agent sends");
    buffer_finish(&encoded);
}

/* A hundred thousand empty fields, of two kinds of body, or with none at all. */
static void nonsense_is_not_decoded(void **state)
{
    (void)state;
    static uint8_t nothing[500000];
    memset(nothing, 0x2a, sizeof nothing);
    (void)refuse(bytes_of(nothing, sizeof nothing), "operations: more than"); /* of them again and again */
    memset(nothing, 0x08, sizeof nothing);                                    /* campaigns */
    (void)refuse(bytes_of(nothing, sizeof nothing), "not a valid message");
    (void)refuse(bytes_of("\x08\x01", 2), "not a valid message");
    (void)refuse(bytes_of("\x2a\x00\x22\x00", 4), "not a valid message");
    (void)refuse(bytes_of("\x2a\x7f", 2), "not a valid message");
    (void)refuse(bytes_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11), "not a valid message");
}

static void one_that_is_wrong_does_not_spoil_the_others(void **state)
{
    (void)state;
    struct buffer encoded;
    struct message message;
    struct error error;
    struct worker_run runs[] = {{3, 1, 1}, {4, 1, 1}, {5, 1, 1}};
    struct operation items[3];
    for (uint32_t i = 0; i < 3; i++) {
        items[i] = (struct operation){.kind = OPERATION_SET,
                                      .workers = {.runs = &runs[i], .run_count = 1},
                                      .room = ROOM_CAMPAIGN,
                                      .name = bytes_of_string("v"),
                                      .value = bytes_of_string(i == 1 ? "?" : "t"),
                                      .call = 7 + i};
    }
    encode(&(struct message){.kind = MESSAGE_OPERATIONS,
                             .campaign = 1,
                             .operations = {.items = items, .count = 3}},
           &encoded);
    assert_false(message_decode(buffer_bytes(&encoded), &message, &error));
    assert_true(message_decode_from_agent(buffer_bytes(&encoded), &message, &error));
    assert_int_equal(message.operations.count, 3);
    assert_null(message.operations.items[0].fault);
    assert_null(message.operations.items[2].fault);
    const struct operation *wrong = &message.operations.items[1];
    assert_non_null(strstr(wrong->fault, "operation 1: value"));
    assert_int_equal(wrong->kind, OPERATION_SET); /* enough to answer it */
    assert_int_equal(wrong->call, 8);
    assert_true(worker_set_has(&wrong->workers, 4));
    message_finish(&message);
    buffer_finish(&encoded);
}

/* A thousand replies with one value take as much as the value, and point to it once decoded. */
static void a_value_that_many_have_travels_once(void **state)
{
    (void)state;
    static uint8_t value[60005] = {'s', 0, 0, 0xea, 0x60};
    static struct reply items[1000];
    static struct worker_run runs[1000];
    struct buffer encoded;
    struct message message;
    struct error error;
    for (uint32_t i = 0; i < 1000; i++) {
        runs[i] = (struct worker_run){i, 1, 1};
        items[i] = (struct reply){.kind = OPERATION_GET,
                                  .workers = {.runs = &runs[i], .run_count = 1},
                                  .room = ROOM_CAMPAIGN,
                                  .name = bytes_of_string("v"),
                                  .call = 1,
                                  .value = bytes_of(value, sizeof value)};
    }
    encode(
        &(struct message){.kind = MESSAGE_REPLIES, .campaign = 1, .replies = {.items = items, .count = 1000}},
        &encoded);
    assert_true(encoded.size < sizeof value + 1000 * 40);
    assert_true(message_decode(buffer_bytes(&encoded), &message, &error));
    for (size_t i = 0; i < 1000; i++) {
        assert_true(bytes_equal(message.replies.items[i].value, bytes_of(value, sizeof value)));
        assert_ptr_equal(message.replies.items[i].value.data, message.replies.items[0].value.data);
    }
    message_finish(&message);
    buffer_finish(&encoded);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(many_reads_of_many_workers_cost_nothing),
        cmocka_unit_test(what_an_agent_sends_is_within_the_bounds),
        cmocka_unit_test(what_only_a_coordinator_says_is_not_decoded),
        cmocka_unit_test(nonsense_is_not_decoded),
        cmocka_unit_test(one_that_is_wrong_does_not_spoil_the_others),
        cmocka_unit_test(a_value_that_many_have_travels_once),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
