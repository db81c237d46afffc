/* Messages leave in order, each when the kernel has taken its last byte. */
#include "agent/websocket/send_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_message_leaves_with_its_last_byte(void **state)
{
    struct send_queue queue = {0};
    uint64_t began_ns = 0;
    (void)state;
    assert_false(send_queue_take(&queue, UINT64_MAX, 1, &began_ns));
    send_queue_add(&queue, 100, 10);
    send_queue_add(&queue, 250, 20);
    send_queue_add(&queue, 250, 30); /* an empty one behind it would have a head; equal ends leave together */
    assert_int_equal(queue.sent, 3);
    assert_false(send_queue_take(&queue, 99, 40, &began_ns));
    assert_int_equal(queue.left, 0);
    assert_true(send_queue_take(&queue, 100, 41, &began_ns));
    assert_int_equal(began_ns, 10);
    assert_int_equal(queue.left_ns, 41);
    assert_false(send_queue_take(&queue, 249, 42, &began_ns));
    assert_int_equal(queue.left, 1);
    assert_true(send_queue_take(&queue, 300, 43, &began_ns));
    assert_int_equal(began_ns, 20);
    assert_true(send_queue_take(&queue, 300, 43, &began_ns));
    assert_int_equal(began_ns, 30);
    assert_false(send_queue_take(&queue, 300, 44, &began_ns));
    assert_int_equal(queue.left, 3);
    assert_int_equal(queue.left_ns, 43);
    send_queue_add(&queue, 400, 50);
    assert_true(send_queue_take(&queue, 400, 51, &began_ns));
    assert_int_equal(began_ns, 50);
    send_queue_finish(&queue);
}

static void test_one_that_leaves_at_once_is_counted(void **state)
{
    struct send_queue queue = {0};
    (void)state;
    send_queue_pass(&queue, 7);
    send_queue_pass(&queue, 8);
    assert_int_equal(queue.sent, 2);
    assert_int_equal(queue.left, 2);
    assert_int_equal(queue.left_ns, 8);
    assert_null(queue.first);
}

static void test_what_never_left_is_freed(void **state)
{
    struct send_queue queue = {0};
    (void)state;
    send_queue_add(&queue, 1, 1);
    send_queue_add(&queue, 2, 1);
    send_queue_finish(&queue);
    assert_null(queue.first);
    assert_null(queue.last);
    assert_int_equal(queue.left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_leaves_with_its_last_byte),
        cmocka_unit_test(test_one_that_leaves_at_once_is_counted),
        cmocka_unit_test(test_what_never_left_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
