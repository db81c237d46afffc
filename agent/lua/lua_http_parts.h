/* Text that is gone through twice: to count it, and to write it. */
#pragma once
#include <stddef.h>
#include <string.h>

struct http_parts_text {
    char *at; /* where it is written; NULL: it is only counted */
    size_t size;
};

static inline void http_parts_put(struct http_parts_text *out, const char *text, size_t size)
{
    if (out->at != NULL) {
        memcpy(out->at + out->size, text, size);
    }
    out->size += size;
}
