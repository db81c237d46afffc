/* Looks one name up as the system does, in a thread of its own: where no name server answers, that takes up
 * to a minute, and nothing can end it. */
#pragma once
#include "common/address.h"
#include "common/attributes.h"

#include <stdbool.h>
#include <uv.h>

#define NAME_LOOKUP_ADDRESSES 8u
#define NAME_LOOKUP_HOST_BYTES 256u

struct name_lookup;

/* What was found: IPv4 first, in the order of the system. */
struct name_found {
    struct address addresses[NAME_LOOKUP_ADDRESSES];
    size_t count;
    const char *failure; /* a static string; NULL: there are addresses */
};

/* `on_found` comes on the loop, once for each name_lookup_start; `found` is borrowed for the call. */
MUST_CHECK struct name_lookup *
name_lookup_new(uv_loop_t *loop, void (*on_found)(void *context, const struct name_found *found),
                void *context);
/* Does nothing if one is under way, as name_lookup_is_busy says, or `host` is too long for a name. */
void name_lookup_start(struct name_lookup *lookup, const char *host);
bool name_lookup_is_busy(const struct name_lookup *lookup);
/* What is under way is abandoned: the thread ends when the system lets it. NULLs the pointer, tolerates NULL;
 * the memory goes in the loop's close callback. */
void name_lookup_close(struct name_lookup **lookup);
