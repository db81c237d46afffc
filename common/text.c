/* Bytes that have an owner. */
#include "common/text.h"

#include "common/memory.h"

struct text text_copy(struct bytes bytes)
{
    void *copy = bytes.size == 0 ? memory_copy_string("") : memory_copy(bytes.data, bytes.size);
    return text_take(copy, bytes.size);
}

struct text text_copy_string(const char *string)
{
    return text_copy(bytes_of_string(string));
}

struct text text_take(void *memory, size_t size)
{
    return (struct text){.bytes = bytes_of(memory, size)};
}

void text_finish(struct text *text)
{
    /* Nobody writes to it but its owner, here. */
    memory_free((uint8_t *)(uintptr_t)text->bytes.data);
    *text = (struct text){0};
}
