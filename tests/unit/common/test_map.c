/* The map keeps what it is given, in insertion order, whatever is removed meanwhile. */
#include "common/map.h"
#include "common/memory.h"
#include "common/random.h"
#include "tests/unit/common/check.h"

#define KEYS 300u

static struct bytes key_of(const uint32_t *number)
{
    return bytes_of(number, sizeof *number);
}

static void test_get_put_remove(void **state)
{
    (void)state;
    int first;
    int second;
    SCOPED(map_free) struct map *map = map_new();
    assert_null(map_get(map, TEXT("a")));
    assert_null(map_remove(map, TEXT("a")));
    assert_null(map_put(map, TEXT("a"), &first));
    assert_ptr_equal(map_get(map, TEXT("a")), &first);
    assert_ptr_equal(map_put(map, TEXT("a"), &second), &first);
    assert_int_equal(map_size(map), 1);
    assert_ptr_equal(map_remove(map, TEXT("a")), &second);
    assert_null(map_get(map, TEXT("a")));
    assert_null(map_remove(map, TEXT("a")));
    assert_int_equal(map_size(map), 0);
}

static void test_keys_are_copied_and_may_hold_anything(void **state)
{
    (void)state;
    int values[3];
    char key[] = {'a', '\0', 'b'};
    SCOPED(map_free) struct map *map = map_new();
    map_put(map, bytes_of(key, 3), &values[0]);
    map_put(map, bytes_of(NULL, 0), &values[1]);
    map_put(map, bytes_of(key, 2), &values[2]);
    key[0] = 'x';
    assert_ptr_equal(map_get(map, bytes_of("a\0b", 3)), &values[0]);
    assert_ptr_equal(map_get(map, TEXT("")), &values[1]);
    assert_ptr_equal(map_get(map, bytes_of("a\0", 2)), &values[2]);
    assert_null(map_get(map, TEXT("a")));
    /* A removed entry has no key, which differs from the empty key. */
    assert_ptr_equal(map_remove(map, TEXT("")), &values[1]);
    assert_null(map_put(map, TEXT(""), &values[2]));
    assert_int_equal(map_size(map), 3);
}

static void test_iterates_in_order_of_insertion(void **state)
{
    (void)state;
    uint32_t numbers[KEYS];
    SCOPED(map_free) struct map *map = map_new();
    for (uint32_t i = 0; i < KEYS; i++) {
        numbers[i] = i * 2654435761u;
        map_put(map, key_of(&numbers[i]), &numbers[i]);
    }
    /* Replacing keeps the position; removing and putting moves to the end. */
    map_put(map, key_of(&numbers[5]), &numbers[5]);
    map_remove(map, key_of(&numbers[0]));
    map_put(map, key_of(&numbers[0]), &numbers[0]);
    struct map_cursor cursor = {0};
    for (uint32_t i = 1; i <= KEYS; i++) {
        assert_true(map_next(map, &cursor));
        assert_ptr_equal(cursor.value, &numbers[i % KEYS]);
        assert_true(bytes_equal(cursor.key, key_of(&numbers[i % KEYS])));
    }
    assert_false(map_next(map, &cursor));
    assert_false(map_next(map, &cursor));
}

static void test_every_entry_may_be_removed_while_iterating(void **state)
{
    (void)state;
    uint32_t numbers[KEYS];
    SCOPED(map_free) struct map *map = map_new();
    for (uint32_t i = 0; i < KEYS; i++) {
        numbers[i] = i;
        map_put(map, key_of(&i), &numbers[i]);
    }
    struct map_cursor cursor = {0};
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_true(map_next(map, &cursor));
        assert_ptr_equal(cursor.value, &numbers[i]);
        assert_ptr_equal(map_remove(map, cursor.key), &numbers[i]);
    }
    assert_false(map_next(map, &cursor));
    assert_int_equal(map_size(map), 0);
}

/* The map rebuilds itself several times under the cursor, which must neither skip nor repeat. */
static void test_a_cursor_survives_removal_and_growth_together(void **state)
{
    (void)state;
    uint32_t numbers[KEYS];
    SCOPED(map_free) struct map *map = map_new();
    uint32_t added = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        numbers[i] = i;
    }
    while (added < 7) {
        map_put(map, key_of(&numbers[added]), &numbers[added]);
        added++;
    }
    struct map_cursor cursor = {0};
    uint32_t visited = 0;
    while (map_next(map, &cursor)) {
        assert_ptr_equal(cursor.value, &numbers[visited]);
        visited++;
        if (visited % 3 != 0) {
            map_remove(map, cursor.key);
        }
        if (added < KEYS) {
            map_put(map, key_of(&numbers[added]), &numbers[added]);
            added++;
        }
    }
    assert_int_equal(visited, KEYS);
    assert_int_equal(map_size(map), KEYS / 3);
}

/* Against the simplest model: an array of what should be there. */
static void test_agrees_with_a_model(void **state)
{
    (void)state;
    uint32_t numbers[KEYS];
    bool is_there[KEYS] = {false};
    size_t size = 0;
    struct random random;
    random_seed(&random, 4);
    SCOPED(map_free) struct map *map = map_new();
    for (unsigned step = 0; step < 20000; step++) {
        /* The share of insertions varies, so that the map fills and empties. */
        uint32_t key = (uint32_t)random_below(&random, KEYS);
        bool wants_in = random_below(&random, 100) < (step / 2000 % 2 == 0 ? 70 : 30);
        void *before = wants_in ? map_put(map, key_of(&key), &numbers[key]) : map_remove(map, key_of(&key));
        assert_ptr_equal(before, is_there[key] ? &numbers[key] : NULL);
        size = size - is_there[key] + wants_in;
        is_there[key] = wants_in;
        assert_int_equal(map_size(map), size);
        uint32_t other = (uint32_t)random_below(&random, KEYS);
        assert_ptr_equal(map_get(map, key_of(&other)), is_there[other] ? &numbers[other] : NULL);
    }
}

static void test_free_nulls_and_tolerates_null(void **state)
{
    (void)state;
    struct map *map = map_new();
    map_free(&map);
    assert_null(map);
    map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_put_remove),
        cmocka_unit_test(test_keys_are_copied_and_may_hold_anything),
        cmocka_unit_test(test_iterates_in_order_of_insertion),
        cmocka_unit_test(test_every_entry_may_be_removed_while_iterating),
        cmocka_unit_test(test_a_cursor_survives_removal_and_growth_together),
        cmocka_unit_test(test_agrees_with_a_model),
        cmocka_unit_test(test_free_nulls_and_tolerates_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
