/* The allocator: zeroed, copied, grown, freed by scope. */
#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <sys/wait.h>
#include <unistd.h>

static void test_new_is_zeroed_and_never_null(void **state)
{
    (void)state;
    unsigned char *bytes = memory_new(100, 3);
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(bytes[i], 0);
    }
    memory_free(bytes);
    void *nothing = memory_new(0, 8);
    assert_non_null(nothing);
    memory_free(nothing);
}

static void test_copies(void **state)
{
    (void)state;
    char *copy = memory_copy("ab\0cd", 5);
    assert_memory_equal(copy, "ab\0cd\0", 6);
    memory_free(copy);
    copy = memory_copy_string("text");
    assert_string_equal(copy, "text");
    memory_free(copy);
    assert_null(memory_copy(NULL, 0));
    assert_null(memory_copy_string(NULL));
    copy = memory_format("%s-%d", "a", 1);
    assert_string_equal(copy, "a-1");
    memory_free(copy);
}

static void test_reserve_doubles_and_keeps(void **state)
{
    (void)state;
    size_t capacity = 0;
    unsigned resizes = 0;
    uint32_t *items = NULL;
    for (uint32_t i = 0; i < 1000; i++) {
        size_t before = capacity;
        items = memory_reserve(items, &capacity, i + 1, sizeof *items);
        assert_true(capacity >= i + 1);
        resizes += capacity != before;
        items[i] = i;
    }
    assert_in_range(resizes, 1, 12);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(items[i], i);
    }
    memory_free(items);
}

static void test_without_memory_the_process_ends_in_order(void **state)
{
    (void)state;
    int ends[2];
    char said[100] = "";
    int status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        void *memory = memory_new(SIZE_MAX, 2);
        _exit(memory != NULL);
    }
    (void)close(ends[1]);
    ssize_t size = read(ends[0], said, sizeof said - 1);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), MEMORY_EXIT_CODE);
    assert_true(size > 0);
    assert_string_equal(said, "tutti: out of memory\n");
}

static void test_free_at_nulls(void **state)
{
    (void)state;
    char *text = memory_copy_string("x");
    memory_free_at(&text);
    assert_null(text);
    memory_free_at(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_is_zeroed_and_never_null),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_reserve_doubles_and_keeps),
        cmocka_unit_test(test_without_memory_the_process_ends_in_order),
        cmocka_unit_test(test_free_at_nulls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
