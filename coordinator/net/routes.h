/* Through which connection each incarnation is reached, and whose key that connection has. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "proto/socket/socket.h"

#include <stdint.h>

struct routes;

enum route_verdict {
    ROUTE_TAKEN,
    ROUTE_OF_ANOTHER_KEY, /* the incarnation belongs to an agent with another key */
    ROUTE_IN_USE,         /* another incarnation already uses this connection */
    ROUTES_FULL
};

MUST_CHECK struct routes *routes_new(void);
void routes_free(struct routes **routes);
/* A frame of this incarnation has arrived from there: from now on it is reached that way. The holder of the
 * key that it had first may move it to another connection; without keys anyone may. */
MUST_CHECK enum route_verdict routes_take(struct routes *routes, uint64_t incarnation,
                                          const struct socket_sender *from);
/* Empty if there is none. Borrowed until the next change. */
struct bytes routes_find(const struct routes *routes, uint64_t incarnation);
void routes_forget(struct routes *routes, uint64_t incarnation);
size_t routes_count(const struct routes *routes);

/* `uint64_t incarnation = 0; const char *key; while ((key = routes_next(routes, &cursor, &incarnation)))`:
 * all that have a key. The one just returned may be forgotten meanwhile. */
struct map_cursor;
const char *routes_next(const struct routes *routes, struct map_cursor *cursor, uint64_t *incarnation);
