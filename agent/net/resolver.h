/* Names of hosts, looked up by c-ares on the loop of a shard: each once for all who ask, and kept for as long
 * as its records may be (their TTL). */
#pragma once
#include "agent/net/address_list.h"
#include "common/attributes.h"

#include <uv.h>

struct resolver;
struct resolver_query;

/* How long an answer is used at most and at least, and one that a name does not exist. */
#define RESOLVER_MAX_TTL_S 300u
#define RESOLVER_LEAST_TTL_S 1u
#define RESOLVER_FAILED_TTL_S 1u

/* NULL, or zeroed: those of the machine. */
struct resolver_options {
    const char *servers; /* "127.0.0.1:53,[::1]:53" in place of those of resolv.conf; borrowed */
    int timeout_ms;      /* of the first try; the next one has twice as long */
    int tries;
};

/* Why there is no address. */
struct resolver_failure {
    const char *text;
    bool is_local; /* this machine is to blame: it had no descriptor left to ask with */
};

MUST_CHECK struct resolver *resolver_new(uv_loop_t *loop, const struct resolver_options *options);
/* Queries under way have to be cancelled before; the memory goes with the loop's close callbacks. */
void resolver_close(struct resolver **resolver);

/* What is known without asking: a literal address, or a name that was looked up a moment ago; false if it has
 * to be asked for. `list` is as the name server has it, ports 0. */
bool resolver_look(struct resolver *resolver, const char *host, struct address_list *list);
/* Asks. `on_done` comes once, never from within this call, unless it is cancelled: with no address and
 * a failure, else NULL. Both are borrowed for the call. */
MUST_CHECK struct resolver_query *resolver_ask(struct resolver *resolver, const char *host,
                                               void (*on_done)(void *context, const struct address_list *list,
                                                               const struct resolver_failure *failure),
                                               void *context);
void resolver_cancel(struct resolver_query **query);
