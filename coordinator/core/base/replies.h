/* The replies of a turn, with the memory that they point to. */
#pragma once
#include "common/attributes.h"
#include "common/shared.h"
#include "proto/message/operation.h"

struct kept;

/* Replies stay until the first one that is added after they were told. */
struct replies {
    struct reply *items;
    size_t count;
    size_t ready; /* items whose sets have been initialised, and are used again */
    size_t capacity;
    struct kept *kept;
    struct shared **values; /* that they share, and hold */
    size_t value_count;
    size_t value_capacity;
    size_t bytes; /* about what they take on the way to the agents, and what is sure to come */
    bool are_told;
};

void replies_finish(struct replies *replies);
/* Forgets those that have been told. */
void replies_begin(struct replies *replies);
/* A new one with everything but the sets from `like`, which are empty. Valid until the next one is added. */
struct reply *replies_add(struct replies *replies, const struct reply *like);
/* Takes these workers (bits.h) out, and replies with them that have no other. */
void replies_drop(struct replies *replies, const uint64_t *workers);
/* A copy that stays as long as the replies. */
struct bytes replies_keep(struct replies *replies, struct bytes bytes);
/* The same for a value that many share; gives its bytes back. NULL: it is empty. */
struct bytes replies_hold(struct replies *replies, struct shared *value);
/* Answers with so many bytes will be added when the rooms are settled. */
void replies_expect(struct replies *replies, size_t bytes);
