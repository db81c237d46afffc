/* What the kinds of what is counted by tag are called. */
#include "proto/message/slice.h"

#include <assert.h>

const char *slice_kind_name(enum slice_kind kind)
{
    static const char *const names[] = {
        [SLICE_REQUEST] = "request", [SLICE_TIMING] = "timing",       [SLICE_CHECK] = "check",
        [SLICE_GROUP] = "group",     [SLICE_WEBSOCKET] = "websocket",
    };
    static_assert(sizeof names / sizeof *names == SLICE_KINDS, "each kind has a name");

    return names[kind];
}
