/* What is kept of the readers of one step: within the quota, and all of it returned. */
#include "coordinator/core/sync/sighting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PLENTY 100000u

/* Of a text named by one letter. */
static struct bytes digest_of(char letter)
{
    static uint8_t digest[OPERATION_DIGEST_BYTES];
    memset(digest, letter, sizeof digest);
    return bytes_of(digest, sizeof digest);
}

static void what_was_taken_is_given_back(void **state)
{
    struct quota quota = {.used = 7, .maximum = PLENTY};
    struct sighting sighting = {0};
    (void)state;
    for (uint32_t worker = 0; worker < 10; worker++) {
        sighting_keep(&sighting, &(struct early_sighting){.instant = {.at_ns = 1}}, &quota);
        sighting_compare(&sighting, worker, digest_of((char)('a' + (char)worker / 2)), &quota);
    }
    assert_int_equal(sighting.early_count, 10);
    assert_int_equal(sighting.text_count, 5);
    assert_true(quota.used >= 7 + 10 * sizeof(struct early_sighting) + 5 * sizeof(struct sighting_text));
    sighting_finish(&sighting, &quota);
    assert_int_equal(quota.used, 7);
}

static void without_room_nothing_more_is_kept(void **state)
{
    struct quota quota = {.maximum = sizeof(struct early_sighting) + sizeof(struct sighting_text)};
    struct sighting sighting = {0};
    struct divergence divergence;
    (void)state;
    for (uint32_t worker = 0; worker < 3; worker++) {
        sighting_keep(&sighting, &(struct early_sighting){.instant = {.at_ns = 1}}, &quota);
        sighting_compare(&sighting, worker, digest_of((char)('a' + (char)worker)), &quota);
    }
    assert_int_equal(sighting.early_count, 1);
    assert_int_equal(sighting.text_count, 1);
    assert_int_equal(sighting.others, 2);
    sighting_judge(&sighting, bytes_of(NULL, 0), &divergence);
    assert_int_equal(divergence.compared, 3);
    assert_int_equal(divergence.differed, 2);
    sighting_finish(&sighting, &quota);
    assert_int_equal(quota.used, 0);
}

static void of_equals_the_first_is_right(void **state)
{
    struct quota quota = {.maximum = PLENTY};
    struct sighting sighting = {0};
    struct divergence divergence;
    (void)state;
    for (uint32_t worker = 0; worker < 4; worker++) {
        sighting_compare(&sighting, worker, digest_of(worker < 2 ? 'a' : 'b'), &quota);
    }
    sighting_judge(&sighting, bytes_of(NULL, 0), &divergence);
    assert_int_equal(divergence.differed, 2);
    assert_int_equal(divergence.worker_count, 2);
    assert_int_equal(divergence.workers[0], 2);
    assert_int_equal(divergence.workers[1], 3);
    sighting_finish(&sighting, &quota);
}

/* Two texts that are wrong, each with more readers than are named. */
static void so_many_are_named(void **state)
{
    struct quota quota = {.maximum = PLENTY};
    struct sighting sighting = {0};
    struct divergence divergence;
    (void)state;
    for (uint32_t worker = 0; worker < 3 * (LIMIT_MISSING + 5); worker++) {
        sighting_compare(&sighting, worker, digest_of((char)('a' + (char)(worker % 3))), &quota);
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(sighting.texts[i].count, LIMIT_MISSING + 5);
        for (uint32_t j = 0; j < LIMIT_MISSING; j++) {
            assert_int_equal(sighting.texts[i].workers[j], 3 * j + i);
        }
    }
    sighting_judge(&sighting, digest_of('c'), &divergence);
    assert_true(divergence.is_from_written);
    assert_int_equal(divergence.differed, 2 * (LIMIT_MISSING + 5));
    assert_int_equal(divergence.worker_count, LIMIT_MISSING);
    assert_int_equal(divergence.workers[LIMIT_MISSING - 1], 3 * (LIMIT_MISSING - 1));
    sighting_finish(&sighting, &quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_is_given_back),
        cmocka_unit_test(without_room_nothing_more_is_kept),
        cmocka_unit_test(of_equals_the_first_is_right),
        cmocka_unit_test(so_many_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
