/* What an agent's workers did, gathered into few operations: those of one kind and key become one operation
 * of many workers. What one worker did keeps its order. */
#pragma once
#include "common/attributes.h"
#include "proto/message/message.h"

struct batcher;

/* For workers 0…workers-1. */
MUST_CHECK struct batcher *batcher_new(uint32_t workers);
/* For so many from now on; never fewer than before. */
void batcher_extend(struct batcher *batcher, uint32_t workers);
void batcher_free(struct batcher **batcher);

/* Takes an operation (operation_copy). */
void batcher_add(struct batcher *batcher, struct operation **operation);
/* The same for one that is only lent: copied where it joins no other. */
void batcher_put(struct batcher *batcher, const struct operation *operation);
/* Whether there is anything that is of one worker alone, and so has nothing to wait for. */
bool batcher_is_urgent(const struct batcher *batcher);
/* Operations that have gathered; a thousand workers who do the same count as one. */
size_t batcher_count(const struct batcher *batcher);

/* Takes the first operation out, with all its workers, so that another gathering may take it; NULL if there
 * is none. */
MUST_CHECK struct operation *batcher_take(struct batcher *batcher);

/* Fills `message` with the first operations, as many as one batch holds; false if there are none. Borrowed
 * until batcher_drop, which takes them out. Nothing may be added in between. */
MUST_CHECK bool batcher_batch(struct batcher *batcher, struct message *message);
void batcher_drop(struct batcher *batcher);
