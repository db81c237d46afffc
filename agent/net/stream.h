/* Byte streams to hosts, plain or in TLS, on the loop of a shard. Knows nothing of what is said in them. A
 * stream may be closed from within each of its callbacks. */
#pragma once
#include "agent/net/net.h"
#include "agent/net/tls.h"
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct address;
struct stream;

/* How long an address has before the next one is tried beside it (RFC 8305 §5). */
#define STREAM_ATTEMPT_MS 250u

struct stream_callbacks {
    /* Connected, and in TLS shaken hands. */
    void (*on_open)(void *context);
    /* `data` is borrowed for the call. */
    void (*on_data)(void *context, struct bytes data);
    /* The kernel has taken some of what had to wait, perhaps all. May be NULL. */
    void (*on_progress)(void *context);
    /* All that was written has left, after some of it had to wait. May be NULL. */
    void (*on_drain)(void *context);
    /* The other side has closed its direction (NET_OK), or it has failed: the last callback. */
    void (*on_end)(void *context, enum net_failure failure, const char *text);
    /* The lease has gone while it was open: the owner closes it, or keeps it for what is to come. May be
     * NULL. */
    void (*on_lost)(void *context);
};

/* An HTTP proxy on the way to a host. */
struct stream_proxy {
    const char *host;
    bool is_literal;
    bool is_tunnel; /* CONNECT to the host; else what is said is said to the proxy */
    uint16_t port;
    const char *authorization; /* of Proxy-Authorization, for the tunnel; NULL: none */
};

/* Borrowed until on_open or on_end. */
struct stream_target {
    const char *host;
    bool is_literal;
    bool is_tls;
    uint16_t port;
    uint32_t turn;                /* which of several addresses to begin with */
    struct bytes overrides;       /* addresses of hosts (common/host_override.h); empty: none */
    const struct address *source; /* of this machine, to connect from; NULL: as the system has it */
    const struct tls_options *tls;
    const struct stream_proxy *proxy; /* NULL: none */
    const char *path;                 /* of a local socket, in place of host and port; NULL: none */
};

/* By the monotonic clock; 0: not reached. */
struct stream_times {
    uint64_t resolved_ns;
    uint64_t connected_ns;
    uint64_t open_ns;    /* TLS too */
    uint64_t drained_ns; /* when the kernel took the last of what had to wait */
};

/* Never calls back from within. */
MUST_CHECK struct stream *stream_open(struct net *net, const struct stream_target *target,
                                      const struct stream_callbacks *callbacks, void *context);
/* Hands it over to another owner, who gets what follows. */
void stream_set_context(struct stream *stream, void *context);
/* The same to an owner of another kind. */
void stream_set_owner(struct stream *stream, const struct stream_callbacks *callbacks, void *context);
/* Copies what the kernel does not take at once. A connection that is broken says so by on_end. */
void stream_write(struct stream *stream, struct bytes data);
/* The same for what may wait while the net gathers (net_gather). Then stream_pending knows of it, and
 * on_drain does not come for it alone. */
void stream_write_soon(struct stream *stream, struct bytes data);
/* The same without a copy, for what is large: borrowed until stream_pending is 0, or the stream is closed.
 * Nothing else may be written meanwhile. */
void stream_write_borrowed(struct stream *stream, struct bytes data);
/* While it is paused, what comes stays in the kernel, whose window then stops the other side; an end is not
 * noticed. On an open stream. */
void stream_pause(struct stream *stream, bool is_paused);
/* Whether nothing has come that the loop has not delivered yet: neither bytes nor an end. One system call. */
bool stream_is_quiet(const struct stream *stream);
/* Bytes that wait to be sent. */
size_t stream_pending(const struct stream *stream);
/* How many bytes the kernel has taken since it was opened, as they are on the wire. */
uint64_t stream_taken(const struct stream *stream);
/* From now on stream_received_ns is when the kernel received the bytes, where it says so. On an open stream.
 */
void stream_stamp(struct stream *stream);
/* By the clock of clock_now_ns: when the last of what on_data has told came; without stream_stamp, when the
 * loop looked for it. */
uint64_t stream_received_ns(const struct stream *stream);
/* From within a callback: when the loop came to the stream. */
uint64_t stream_ready_ns(const struct stream *stream);
const struct stream_times *stream_times(const struct stream *stream);
/* "127.0.0.1:80", once it is connected (that of a proxy, if there is one); else "". */
const char *stream_peer(const struct stream *stream);
/* What the proxy has answered to CONNECT; 0: nothing. */
unsigned stream_proxy_status(const struct stream *stream);
/* What the handshake has chosen ("h2"); empty for none. */
struct bytes stream_protocol(const struct stream *stream);
/* Ends it. Without a lease, or where `is_reset`, so that nothing in the kernel's buffers leaves any more. */
void stream_close(struct stream **stream, bool is_reset);
