/* Formats text into an array of fixed size. */
#include "common/compose.h"
#include "common/bytes.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>

#define CHARACTER_BYTES_MOST 4u

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0U) == 0x80;
}

/* Removes the rest of a character that was cut in two. */
static void drop_half_character(char *text, size_t length)
{
    uint32_t character = 0;
    size_t start = length;
    while (start > 0 && length - start < CHARACTER_BYTES_MOST - 1 && continues(text[start - 1])) {
        start--;
    }
    start -= start > 0 ? 1 : 0; /* the continuation bytes */
    if (bytes_character(bytes_of(text + start, length - start), &character) != length - start) {
        text[start] = '\0';
    }
}

void compose(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    compose_list(text, size, format, arguments);
    va_end(arguments);
}

void compose_list(char *text, size_t size, const char *format, va_list arguments)
{
    assert(size > 0);
    int length = vsnprintf(text, size, format, arguments);
    if (length < 0) {
        text[0] = '\0';
    } else if ((size_t)length >= size) {
        drop_half_character(text, size - 1);
    }
}
