/* The only allocator of our own structures: running out of memory ends the process, so callers need not
 * check. */
#include "common/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's calloc bypasses the thread's cache of small chunks, and decoding and encoding messages spends its
 * time there. */
#define SMALL_BYTES 1024u
/* Else the compiler would merge malloc and memset into calloc. */
#define HIDE_ORIGIN(pointer) __asm__ volatile("" : "+r"(pointer))

/* Reports it without allocating, since an allocation has just failed. */
static NORETURN void give_up(void)
{
    static const char TEXT[] = "tutti: out of memory\n";
    (void)!write(STDERR_FILENO, TEXT, sizeof TEXT - 1);
    _exit(MEMORY_EXIT_CODE);
}

/* At least one byte, so that NULL always means that there is no block. */
static size_t product(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        give_up();
    }
    return bytes > 0 ? bytes : 1;
}

void *memory_new(size_t count, size_t size)
{
    size_t bytes = product(count, size);
    void *memory = bytes <= SMALL_BYTES ? malloc(bytes) : calloc(1, bytes);
    if (memory == NULL) {
        give_up();
    }
    if (bytes <= SMALL_BYTES) {
        HIDE_ORIGIN(memory);
        memset(memory, 0, bytes);
    }
    return memory;
}

void *memory_resize(void *memory, size_t count, size_t size)
{
    void *resized = realloc(memory, product(count, size));
    if (resized == NULL) {
        give_up();
    }
    return resized;
}

void *memory_copy(const void *bytes, size_t size)
{
    if (bytes == NULL) {
        return NULL;
    }
    if (size == SIZE_MAX) {
        give_up();
    }
    char *copy = memory_resize(NULL, size + 1, 1);
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

char *memory_copy_string(const char *string)
{
    return string == NULL ? NULL : memory_copy(string, strlen(string));
}

char *memory_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        give_up();
    }
    return text;
}

void memory_free(void *memory)
{
    free(memory);
}

void memory_free_at(void *pointer)
{
    void *memory;
    void *none = NULL;
    memcpy(&memory, pointer, sizeof memory);
    memcpy(pointer, &none, sizeof none);
    free(memory);
}

void *memory_reserve(void *items, size_t *capacity, size_t needed, size_t item_size)
{
    if (needed <= *capacity) {
        return items;
    }
    size_t grown = *capacity > 0 ? *capacity : 4;
    while (grown < needed) {
        grown = grown > SIZE_MAX / 2 ? needed : grown * 2;
    }
    items = memory_resize(items, grown, item_size);
    *capacity = grown;
    return items;
}
