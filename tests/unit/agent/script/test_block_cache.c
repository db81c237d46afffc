/* Blocks that are used again. */
#include "agent/script/block_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool is_filled(const char *block, size_t size, char with)
{
    for (size_t i = 0; i < size; i++) {
        if (block[i] != with) {
            return false;
        }
    }
    return true;
}

/* From any size to any other: within a class, to another one, and across the border to what malloc has alone.
 */
static void a_block_keeps_its_content_when_it_is_resized(void **state)
{
    static const size_t sizes[] = {1, 15, 16, 17, 100, 1151, 1152, 1153, 5000};
    struct block_cache cache = {0};

    (void)state;
    for (size_t from = 0; from < sizeof sizes / sizeof *sizes; from++) {
        for (size_t to = 0; to < sizeof sizes / sizeof *sizes; to++) {
            size_t common = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
            char *block = block_cache_resize(&cache, NULL, 0, sizes[from]);
            memset(block, (int)('a' + from), sizes[from]);
            block = block_cache_resize(&cache, block, sizes[from], sizes[to]);
            assert_true(is_filled(block, common, (char)('a' + from)));
            memset(block, 'z', sizes[to]); /* all of it is there */
            block_cache_free(&cache, block, sizes[to]);
        }
    }
    block_cache_finish(&cache);
    assert_int_equal(cache.kept_bytes, 0);
}

static void two_blocks_in_use_are_never_one(void **state)
{
    struct block_cache cache = {0};
    char *blocks[200];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++) {
            size_t size = (size_t)(i % 70) * 20 + 1;
            blocks[i] = block_cache_resize(&cache, NULL, 0, size);
            memset(blocks[i], i, size);
        }
        for (int i = 0; i < 200; i++) {
            size_t size = (size_t)(i % 70) * 20 + 1;
            assert_true(is_filled(blocks[i], size, (char)i));
            block_cache_free(&cache, blocks[i], size);
        }
    }
    block_cache_finish(&cache);
}

static void keeps_no_more_than_it_may(void **state)
{
    enum { COUNT = 2 * BLOCK_CACHE_KEPT_BYTES / BLOCK_CACHE_MAX_BYTES };
    struct block_cache cache = {0};
    void *blocks[COUNT];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = block_cache_resize(&cache, NULL, 0, BLOCK_CACHE_MAX_BYTES);
    }
    for (int i = 0; i < COUNT; i++) {
        block_cache_free(&cache, blocks[i], BLOCK_CACHE_MAX_BYTES);
        assert_true(cache.kept_bytes <= BLOCK_CACHE_KEPT_BYTES);
    }
    block_cache_finish(&cache);
    block_cache_free(&cache, NULL, 0);
    assert_int_equal(cache.kept_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_keeps_its_content_when_it_is_resized),
        cmocka_unit_test(two_blocks_in_use_are_never_one),
        cmocka_unit_test(keeps_no_more_than_it_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
