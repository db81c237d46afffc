/* permessage-deflate (RFC 7692): messages compressed, and back, by zlib. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/bytes.h"

#include <stdbool.h>

struct deflater;
struct inflater;

/* Without a context between messages, so one serves all connections of a thread. */
MUST_CHECK struct deflater *deflater_new(void);
void deflater_free(struct deflater **deflater);
/* The compressed message, borrowed until the next call. */
MUST_CHECK struct bytes deflater_compress(struct deflater *deflater, struct bytes message);

/* Of one connection. `has_context`: a message may refer to those before it. */
MUST_CHECK struct inflater *inflater_new(bool has_context);
void inflater_free(struct inflater **inflater);

enum inflate_result {
    INFLATE_OK,
    INFLATE_MALFORMED,
    INFLATE_STOPPED /* by `take` */
};
/* Undoes a part of a message; hands what comes of it to `take`, which says whether it wants more: so that a
 * small message that becomes a huge one is stopped in time. `is_last`: the message ends with this part. */
MUST_CHECK enum inflate_result inflater_write(struct inflater *inflater, struct bytes part, bool is_last,
                                              bool (*take)(void *context, struct bytes plain), void *context);
