/* How much memory the scripts and the responses of one shard hold, and may hold. Used by one thread. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>

/* Shared by all scripts of a shard and by its HTTP clients. */
struct memory_account {
    size_t used_bytes; /* in total, including the bodies */
    size_t body_bytes; /* of requests and responses in progress */
    size_t limit_bytes;
};

/* Bodies may take half of the limit: whatever targets send, the other half remains for the scripts. False if
 * they would take more; then nothing is taken. */
MUST_CHECK static inline bool memory_account_take_body(struct memory_account *account, size_t size)
{
    size_t most = account->limit_bytes / 2;

    if (size > most || account->body_bytes > most - size) {
        return false;
    }
    account->body_bytes += size;
    account->used_bytes += size;
    return true;
}

static inline void memory_account_give_body(struct memory_account *account, size_t size)
{
    account->body_bytes -= size;
    account->used_bytes -= size;
}
