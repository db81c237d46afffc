/* Datagrams to and from one address of a host, over UDP, on the loop of a shard. */
#pragma once
#include "agent/net/stream.h"

struct datagrams;

/* The datagrams may not be closed from within on_data. */
struct datagrams_callbacks {
    /* They can be sent and come from now on. */
    void (*on_open)(void *context);
    /* One has come; borrowed for the call. */
    void (*on_data)(void *context, struct bytes data);
    /* One that was sent has not reached anybody, or the name has no address: nothing comes after that. */
    void (*on_end)(void *context, enum net_failure failure, const char *text);
};

/* Borrowed for the call, but for `overrides`, which live as long as the datagrams. */
struct datagrams_target {
    const char *host;
    uint16_t port;
    struct bytes overrides;
    const struct address *source; /* of this machine; NULL: as the system has it */
};

/* The largest that UDP can carry over IPv4. */
#define DATAGRAM_MAX_BYTES 65507u

/* Never calls back from within. */
MUST_CHECK struct datagrams *datagrams_open(struct net *net, const struct datagrams_target *target,
                                            const struct datagrams_callbacks *callbacks, void *context);
/* NET_OK if the kernel has taken it; what happens to it then is not known. Only after on_open, and with a
 * lease. */
enum net_failure datagrams_send(struct datagrams *datagrams, struct bytes data, char *text, size_t size);
/* While it is paused, what comes stays in the kernel, which drops what is too much. */
void datagrams_pause(struct datagrams *datagrams, bool is_paused);
const char *datagrams_peer(const struct datagrams *datagrams);
void datagrams_close(struct datagrams **datagrams);
