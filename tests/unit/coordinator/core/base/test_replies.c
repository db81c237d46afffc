/* The replies of a turn: what they refer to lasts as long as they do, and what they weigh is counted. */
#include "coordinator/core/base/replies.h"

#include "common/memory.h"
#include "coordinator/core/base/bitset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define EMPTY_REPLY_BYTES 64u
#define BLOCK_BYTES (64u * 1024u)

static const struct reply LIKE = {.kind = OPERATION_BARRIER, .outcome = OUTCOME_OK, .step = 7};

static struct bytes filled(uint8_t *memory, size_t size, uint8_t byte)
{
    memset(memory, byte, size);
    return bytes_of(memory, size);
}

/* A turn is divided by this number: a reply, each text and each value once. */
static void test_what_replies_weigh(void **state)
{
    (void)state;
    struct replies replies = {0};
    struct shared *value = shared_new(bytes_of_string("a value of twenty-four b"));
    struct shared *other = shared_new(bytes_of_string("12345"));
    (void)replies_add(&replies, &LIKE);
    assert_int_equal(replies.bytes, EMPTY_REPLY_BYTES);
    (void)replies_keep(&replies, bytes_of_string("eleven byte"));
    assert_int_equal(replies.bytes, EMPTY_REPLY_BYTES + 11);
    (void)replies_keep(&replies, bytes_of_string(""));
    (void)replies_hold(&replies, value);
    (void)replies_hold(&replies, value);
    (void)replies_hold(&replies, NULL);
    assert_int_equal(replies.bytes, EMPTY_REPLY_BYTES + 11 + 24);
    (void)replies_hold(&replies, other);
    assert_int_equal(replies.bytes, EMPTY_REPLY_BYTES + 11 + 24 + 5);
    replies_expect(&replies, 1000);
    assert_int_equal(replies.bytes, EMPTY_REPLY_BYTES + 11 + 24 + 5 + 1000);
    replies_begin(&replies); /* they were not sent */
    assert_int_equal(replies.bytes, EMPTY_REPLY_BYTES + 11 + 24 + 5 + 1000);
    assert_int_equal(replies.count, 1);
    replies.are_told = true;
    replies_begin(&replies);
    assert_int_equal(replies.bytes, 0);
    assert_int_equal(replies.count, 0);
    assert_false(replies.are_told);
    shared_release(&value);
    shared_release(&other);
    replies_finish(&replies);
}

/* Texts of every size around that of a block of memory, over several turns. */
static void test_texts_stay_as_they_are(void **state)
{
    (void)state;
    const size_t sizes[] = {1, BLOCK_BYTES - 1, 1, BLOCK_BYTES, BLOCK_BYTES + 1, 30, 2 * BLOCK_BYTES, 5};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    uint8_t *source = memory_new(1, (size_t)2 * BLOCK_BYTES);
    struct replies replies = {0};
    for (size_t turn = 0; turn < 3; turn++) {
        struct bytes kept[COUNT];
        (void)replies_add(&replies, &LIKE);
        for (size_t i = 0; i < COUNT; i++) {
            kept[i] = replies_keep(&replies, filled(source, sizes[i], (uint8_t)(turn + 10 * i)));
        }
        for (size_t i = 0; i < COUNT; i++) {
            assert_int_equal(kept[i].size, sizes[i]);
            for (size_t at = 0; at < sizes[i]; at++) {
                if (kept[i].data[at] != (uint8_t)(turn + 10 * i)) {
                    fail_msg("text %zu of turn %zu at %zu", i, turn, at);
                }
            }
        }
        replies.are_told = true;
        replies_begin(&replies);
    }
    memory_free(source);
    replies_finish(&replies);
}

/* The value outlasts the reference of the caller: the replies refer to it. */
static void test_values_are_held(void **state)
{
    (void)state;
    struct replies replies = {0};
    struct shared *value = shared_new(bytes_of_string("still here"));
    (void)replies_add(&replies, &LIKE);
    struct bytes held = replies_hold(&replies, value);
    shared_release(&value);
    assert_true(bytes_equal_string(held, "still here"));
    assert_int_equal(replies_hold(&replies, NULL).size, 0);
    replies_finish(&replies);
}

static struct reply *reply_to(struct replies *replies, uint32_t first, uint32_t count)
{
    struct reply *reply = replies_add(replies, &LIKE);
    assert_int_equal(reply->workers.run_count, 0);
    assert_int_equal(reply->missing.run_count, 0);
    assert_int_equal(reply->step, LIKE.step);
    for (uint32_t worker = first; worker < first + count; worker++) {
        worker_set_add(&reply->workers, worker);
    }
    worker_set_add(&reply->missing, first);
    return reply;
}

/* Workers of a lost agent are answered nothing; the others are, in the order of before. */
static void test_dropping_workers(void **state)
{
    (void)state;
    struct replies replies = {0};
    for (int turn = 0; turn < 2; turn++) {
        (void)reply_to(&replies, 0, 2);
        (void)reply_to(&replies, 2, 1);
        (void)reply_to(&replies, 3, 3);
        const uint64_t lost[] = {1u << 1 | 1u << 2 | 1u << 4};
        replies_drop(&replies, lost);
        assert_int_equal(replies.count, 2);
        assert_int_equal(worker_set_count(&replies.items[0].workers), 1);
        assert_true(worker_set_has(&replies.items[0].workers, 0));
        assert_int_equal(worker_set_count(&replies.items[1].workers), 2);
        assert_true(worker_set_has(&replies.items[1].workers, 3));
        assert_true(worker_set_has(&replies.items[1].workers, 5));
        assert_true(worker_set_has(&replies.items[1].missing, 3));
        replies.are_told = true;
        replies_begin(&replies);
    }
    replies_finish(&replies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_replies_weigh),
        cmocka_unit_test(test_texts_stay_as_they_are),
        cmocka_unit_test(test_values_are_held),
        cmocka_unit_test(test_dropping_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
