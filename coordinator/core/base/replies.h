/* The replies of a turn, and the memory that they refer to. */
#pragma once
#include "common/attributes.h"
#include "common/shared.h"
#include "proto/message/operation.h"

struct kept;

/* Replies stay until the first one is added after they were sent. */
struct replies {
    struct reply *items;
    size_t count;
    size_t ready; /* items whose sets are initialised, and reused */
    size_t capacity;
    struct kept *kept;
    struct shared **values; /* shared values that are held */
    size_t value_count;
    size_t value_capacity;
    size_t bytes; /* approximate size on the wire, with replies that are certain to follow */
    bool are_told;
};

void replies_finish(struct replies *replies);
/* Drops the replies that were sent. */
void replies_begin(struct replies *replies);
/* A new reply like `like`, but with empty sets. Valid until the next one is added. */
struct reply *replies_add(struct replies *replies, const struct reply *like);
/* Removes these workers (bitset.h), and the replies that are left without any. */
void replies_drop(struct replies *replies, const uint64_t *workers);
/* A copy that lives as long as the replies. */
struct bytes replies_keep(struct replies *replies, struct bytes bytes);
/* The bytes of a shared value, held as long as the replies. NULL: empty. */
struct bytes replies_hold(struct replies *replies, struct shared *value);
/* Replies of this many bytes will be added when the rooms are settled. */
void replies_expect(struct replies *replies, size_t bytes);
