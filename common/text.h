/* Bytes that have an owner. `struct bytes` borrows; what has to free its bytes holds a `struct text`. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

/* Memory of its own with a zero byte after it; zeroed it is empty. Code that only reads it takes `bytes`. */
struct text {
    struct bytes bytes;
};

MUST_CHECK struct text text_copy(struct bytes bytes);
MUST_CHECK struct text text_copy_string(const char *string);
/* Takes memory of memory_new or buffer_take over, of which `size` bytes count. */
MUST_CHECK struct text text_take(void *memory, size_t size);
/* Frees the bytes and leaves it empty. */
void text_finish(struct text *text);
