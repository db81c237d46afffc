/* Bytes with many holders: copied once or taken over, gone with the last one. */
#include "common/memory.h"
#include "common/shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_copy_lives_until_its_last_holder_lets_go(void **state)
{
    (void)state;
    char *text = memory_copy_string("payload");
    struct shared *first = shared_new(bytes_of_string(text));
    memory_free(text);
    struct shared *second = shared_hold(first);
    assert_ptr_equal(first, second);
    shared_release(&first);
    assert_null(first);
    assert_true(bytes_equal_string(shared_bytes(second), "payload"));
    shared_release(&second);
    shared_release(&second);
    assert_int_equal(shared_bytes(NULL).size, 0);
    assert_null(shared_hold(NULL));
}

static void the_memory_of_a_buffer_is_taken_and_not_copied(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    buffer_append_string(&buffer, "encoded");
    const uint8_t *data = buffer.data;
    struct shared *shared = shared_take(&buffer);
    assert_int_equal(buffer.size, 0);
    assert_ptr_equal(shared_bytes(shared).data, data);
    assert_true(bytes_equal_string(shared_bytes(shared), "encoded"));
    buffer_finish(&buffer);
    shared_release(&shared); /* the leak checker judges */
}

static void nothing_can_be_shared_too(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 10);
    struct shared *taken = shared_take(&buffer);
    struct shared *copied = shared_new(bytes_of(NULL, 0));
    assert_int_equal(shared_bytes(taken).size, 0);
    assert_int_equal(shared_bytes(copied).size, 0);
    shared_release(&taken);
    shared_release(&copied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_lives_until_its_last_holder_lets_go),
        cmocka_unit_test(the_memory_of_a_buffer_is_taken_and_not_copied),
        cmocka_unit_test(nothing_can_be_shared_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
