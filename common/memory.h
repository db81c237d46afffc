/* The one allocator of our own structures: out of memory ends the process, so nobody checks. */
#pragma once
#include "common/attributes.h"

#include <stddef.h>

/* Of a process that was ended for want of memory, with one line. */
#define MEMORY_EXIT_CODE 3

/* Zeroed memory for `count` items of `size` bytes; ends the process when there is none or the product
 * overflows. Free with memory_free. Whoever calls has bounded what came from outside. */
MUST_CHECK void *memory_new(size_t count, size_t size);
MUST_CHECK void *memory_resize(void *memory, size_t count, size_t size);
/* A copy of `size` bytes, with a zero byte behind them that does not count. NULL for NULL. */
MUST_CHECK void *memory_copy(const void *bytes, size_t size);
MUST_CHECK char *memory_copy_string(const char *string);
/* A formatted string, for messages and names. */
MUST_CHECK char *memory_format(const char *format, ...) PRINTF_LIKE(1, 2);
void memory_free(void *memory);
/* For SCOPED on a `char *` or another plain pointer: frees *pointer. */
void memory_free_at(void *pointer);

#define MEMORY_NEW(type) ((type *)memory_new(1, sizeof(type)))

/* Grows the array `items` (with size_t `*capacity`) so that it holds at least `needed` items; doubles. */
MUST_CHECK void *memory_reserve(void *items, size_t *capacity, size_t needed, size_t item_size);
