/* Formats text into an array of fixed size. */
#pragma once
#include "common/attributes.h"

#include <stdarg.h>
#include <stddef.h>

/* Writes what fits into `size` bytes including the zero, cut at a character boundary. `text` must not be
 * among the arguments. For text of any length, use memory_format or buffer_append_format. */
void compose(char *text, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
void compose_list(char *text, size_t size, const char *format, va_list arguments) PRINTF_LIKE(3, 0);
