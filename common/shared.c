/* Reference-counted bytes that nobody changes. */
#include "common/shared.h"

#include "common/memory.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

struct shared {
    atomic_size_t holders;
    size_t size;
    uint8_t *data; /* `own`, or memory that was taken */
    uint8_t own[];
};

struct shared *shared_new(struct bytes bytes)
{
    struct shared *shared = memory_new(1, sizeof *shared + bytes.size);
    atomic_init(&shared->holders, 1);
    shared->size = bytes.size;
    shared->data = shared->own;
    if (bytes.size > 0) {
        memcpy(shared->data, bytes.data, bytes.size);
    }
    return shared;
}

struct shared *shared_take(struct buffer *buffer)
{
    struct shared *shared = MEMORY_NEW(struct shared);
    atomic_init(&shared->holders, 1);
    shared->data = buffer_take(buffer, &shared->size);
    return shared;
}

struct shared *shared_hold(struct shared *shared)
{
    if (shared != NULL) {
        size_t before = atomic_fetch_add_explicit(&shared->holders, 1, memory_order_relaxed);
        assert(before > 0);
        (void)before;
    }
    return shared;
}

void shared_release(struct shared **at)
{
    struct shared *shared = *at;
    *at = NULL;
    if (shared == NULL) {
        return;
    }
    /* The last holder must see everything that the others did before they released it. */
    size_t before = atomic_fetch_sub_explicit(&shared->holders, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1) {
        if (shared->data != shared->own) {
            memory_free(shared->data);
        }
        memory_free(shared);
    }
}

struct bytes shared_bytes(const struct shared *shared)
{
    return shared == NULL ? bytes_of(NULL, 0) : bytes_of(shared->data, shared->size);
}
