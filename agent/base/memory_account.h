/* How much memory the scripts and the answers of one shard hold, and may hold. One thread's. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>

/* Shared by all scripts of a shard and by its HTTP clients. */
struct memory_account {
    size_t used_bytes; /* of all, the bodies included */
    size_t body_bytes; /* of requests and responses that are under way */
    size_t limit_bytes;
};

/* Bodies may have half of the limit: whatever targets send, the scripts keep the other half. False if it
 * would be more; nothing is taken then. */
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
