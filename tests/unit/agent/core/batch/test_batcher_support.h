/* A batcher as the state of a test, and short forms of what goes in and comes out. */
#pragma once
#include "agent/core/batch/batcher.h"

#define BATCHER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* cmocka's set-up and tear-down: the state of a test is a batcher for ten workers. */
int set_up(void **state);
int tear_down(void **state);

struct operation of(enum operation_kind kind, const char *name, uint64_t step);
void add(struct batcher *batcher, uint32_t worker, struct operation operation);
/* Of several workers at once: one for each digit of `workers`, in their order. */
void add_all(struct batcher *batcher, const char *workers, struct operation operation);

/* Checks that the first operation of the next batch has these workers, the first of them in this order; it is
 * dropped. */
void expect_order(struct batcher *batcher, const uint32_t *workers, size_t count);
/* Everything that is batched, as "NAME NAME@STEP:COUNT" for each operation. */
void expect(struct batcher *batcher, const char *expected);
