/* How much memory clients may make us hold. */
#pragma once
#include "common/attributes.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

struct quota {
    size_t used;
    size_t maximum;
};

/* False, and nothing is taken, if that would exceed the maximum. */
MUST_CHECK static inline bool quota_take(struct quota *quota, size_t size)
{
    if (size > quota->maximum - quota->used) {
        return false;
    }
    quota->used += size;
    return true;
}

static inline void quota_give(struct quota *quota, size_t size)
{
    assert(size <= quota->used);
    quota->used -= size;
}
