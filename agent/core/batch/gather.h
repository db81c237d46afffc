/* What an agent's workers did, gathered into few operations: those of one kind and key become one operation
 * of many workers. What one worker did keeps its order. */
#pragma once
#include "common/attributes.h"
#include "proto/message/message.h"

struct gather;

/* For workers 0…workers-1. */
MUST_CHECK struct gather *gather_new(uint32_t workers);
/* For so many from now on; never fewer than before. */
void gather_extend(struct gather *gather, uint32_t workers);
void gather_free(struct gather **gather);

/* Takes an operation (operation_copy). */
void gather_add(struct gather *gather, struct operation **operation);
/* The same for one that is only lent: copied where it joins no other. */
void gather_put(struct gather *gather, const struct operation *operation);
/* Whether there is anything that is of one worker alone, and so has nothing to wait for. */
bool gather_is_urgent(const struct gather *gather);
/* Operations that have gathered; a thousand workers who do the same count as one. */
size_t gather_count(const struct gather *gather);

/* Takes the first operation out, with all its workers, so that another gathering may take it; NULL if there
 * is none. */
MUST_CHECK struct operation *gather_take(struct gather *gather);

/* Fills `message` with the first operations, as many as one batch holds; false if there are none. Borrowed
 * until gather_drop, which takes them out. Nothing may be added in between. */
MUST_CHECK bool gather_batch(struct gather *gather, struct message *message);
void gather_drop(struct gather *gather);
