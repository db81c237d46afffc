/* What the streams and datagrams of a shard have in common: whether they may speak, whose turn it is to
 * connect, names, buffers. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct lease;
struct net;

/* Without `lease` (borrowed; NULL: none is needed) nothing
 * leaves: connections are not begun, and what is written waits. */
MUST_CHECK struct net *net_new(uv_loop_t *loop, struct lease *lease);
/* All streams have to be closed before; the memory goes with the loop's close callbacks. */
void net_close(struct net **net);
/* Whether something may leave at this moment. */
bool net_may_send(const struct net *net);
/* Until the next call it is now `now_ns`, by clock_now_ns, so the clock is not read again; 0: it is read. */
void net_set_now(struct net *net, uint64_t now_ns);
/* By the clock of clock_now_ns: when the loop saw that what on_data or on_end tells of had come. */
uint64_t net_ready_ns(const struct net *net);
/* While it gathers, what stream_write_soon is given waits for net_send_gathered, or for the end of this. */
void net_gather(struct net *net, bool is_gathering);
bool net_has_gathered(const struct net *net);
void net_send_gathered(struct net *net);
/* While it is held, no stream reads or writes. */
void net_hold(struct net *net);
void net_go_on(struct net *net);
/* The lease has gone: tells the owners of what is open, who may close that, and nothing else. */
void net_lose(struct net *net);

enum net_failure {
    NET_OK,
    NET_RESOLVE,     /* the name has no address */
    NET_REFUSED,     /* nobody listens there */
    NET_UNREACHABLE, /* no way leads there */
    NET_CONNECT,     /* it could not be reached for another reason */
    NET_LOCAL_LIMIT, /* this machine has no descriptor, port or memory left for it */
    NET_TLS,
    NET_PROXY, /* the proxy cannot be reached, or does not give what it is asked for */
    NET_CUT, /* the other side closed the connection without the goodbye of TLS: what it said may be cut short
              */
    NET_RESET
};
