/* What a client holds of its request and of the answer: the head, the body, and the copy of the request's
 * body that curl keeps. It counts in an account shared with others, but for the little that each client
 * keeps. */
#pragma once
#include "agent/base/memory_account.h"
#include "common/attributes.h"
#include "common/buffer.h"

struct http_bodies {
    struct memory_account *account; /* of this request; NULL: nothing is counted */
    struct buffer head;
    struct buffer body;
    size_t sent_bytes;     /* of the request's body, beyond what each client keeps */
    size_t counted_bytes;  /* in the account */
    size_t kept_bytes;     /* of each buffer, which are not counted and stay from one request to the next */
    bool is_out_of_memory; /* the account had no room: the request fails */
};

void http_bodies_init(struct http_bodies *bodies);
void http_bodies_finish(struct http_bodies *bodies);
/* Before http_bodies_drop: whether it is one of those that keep a little. They do at first. */
void http_bodies_keep(struct http_bodies *bodies, bool is_keeping);
/* After http_bodies_drop, for a request with a body of `sent_bytes`: empties head and body, which may have
 * `body_maximum` bytes, and counts in `account` (borrowed) from now on. False if that has no room. */
MUST_CHECK bool http_bodies_begin(struct http_bodies *bodies, struct memory_account *account,
                                  size_t sent_bytes, uint64_t body_maximum);
/* Appends to the head or the body. False if it would be longer than its maximum, or is_out_of_memory. */
MUST_CHECK bool http_bodies_append(struct http_bodies *bodies, struct buffer *buffer, const char *data,
                                   size_t size);
/* Gives back everything but what each client keeps. True if curl still has the copy of the request's body,
 * which the caller takes from it. */
MUST_CHECK bool http_bodies_drop(struct http_bodies *bodies);
