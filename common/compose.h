/* Words put together in an array that has its size already. */
#pragma once
#include "common/attributes.h"

#include <stdarg.h>
#include <stddef.h>

/* Writes what fits into `size` bytes with the zero, cut between two characters. `text` is not among the
 * arguments. For text of any length: memory_format, buffer_append_format. */
void compose(char *text, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
void compose_list(char *text, size_t size, const char *format, va_list arguments) PRINTF_LIKE(3, 0);
