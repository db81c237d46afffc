/* The only allocator of our own structures: running out of memory ends the process, so callers need not
 * check. */
#pragma once
#include "common/attributes.h"

#include <stddef.h>

/* Exit status of a process that ran out of memory; it has printed one line. */
#define MEMORY_EXIT_CODE 3

/* Zeroed memory for `count` items of `size` bytes; ends the process if there is none or the product
 * overflows. Free with memory_free. The caller must have bounded any size that comes from outside. */
MUST_CHECK void *memory_new(size_t count, size_t size);
MUST_CHECK void *memory_resize(void *memory, size_t count, size_t size);
/* A copy of `size` bytes, followed by a zero byte that is not counted. NULL for NULL. */
MUST_CHECK void *memory_copy(const void *bytes, size_t size);
MUST_CHECK char *memory_copy_string(const char *string);
/* A formatted string, for messages and names. */
MUST_CHECK char *memory_format(const char *format, ...) PRINTF_LIKE(1, 2);
void memory_free(void *memory);
/* For SCOPED on a `char *` or another plain pointer: frees *pointer. */
void memory_free_at(void *pointer);

#define MEMORY_NEW(type) ((type *)memory_new(1, sizeof(type)))

/* Grows the array `items` (of size_t `*capacity` items) so that it holds at least `needed` items; doubles
 * it. */
MUST_CHECK void *memory_reserve(void *items, size_t *capacity, size_t needed, size_t item_size);
