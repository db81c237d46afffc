/* What the files of a net know of it. */
#pragma once
#include "agent/net/net.h"
#include "agent/net/poller.h"
#include "agent/net/resolver.h"
#include "common/buffer.h"
#include "common/bytes.h"
#include "common/clock.h"

#define NET_READ_BYTES (64u * 1024u)
#define NET_GATHERED_MAX 64u
#define NET_GATHERED_MAX_BYTES (256u * 1024u)

struct datagrams;
struct stream;
struct tls_contexts;

/* What a stream has to say. */
struct net_gathered {
    struct stream *stream; /* NULL: it has been closed */
    size_t size;
};

struct net {
    uv_loop_t *loop;
    struct lease *lease;
    struct resolver *resolver;
    struct poller *poller;
    struct tls_contexts *contexts;
    struct stream *streams;
    struct datagrams *datagrams;
    struct stream *closed; /* their memory goes when none of their callbacks runs */
    struct stream *line;   /* that wait for their turn to connect, or to go on with a handshake */
    struct stream **last_in_line;
    uv_idle_t idle;
    bool is_held;
    uint64_t now_ns;          /* 0: the clock says it */
    uint64_t ready_ns;        /* when the loop came to the stream that it reads */
    struct clock_pair clocks; /* of a moment ago */
    uint8_t *wire;            /* NET_READ_BYTES each: what is read is used before the next */
    uint8_t *plain;
    bool is_gathering;
    size_t gathered_count;
    struct net_gathered gathered[NET_GATHERED_MAX]; /* in order; their bytes one after the other: */
    struct buffer gathered_bytes;
};

/* What is known of a host without asking a name server. False if it has to be asked for. */
bool net_look_up(struct net *net, struct bytes overrides, const char *host, uint16_t port,
                 struct address_list *list);
/* Why a connection was not made, by errno. */
enum net_failure net_failure_of_system(int number);
/* Reads the clock. False where what has come is to be left where it is: the lease is over, and the net will
 * be held or go on. */
bool net_look(struct net *net);
/* The instant of the wall clock, which is that of something that has just come, on the clock of ready_ns. */
uint64_t net_instant_ns(struct net *net, uint64_t wall_ns);
/* Handshakes cost milliseconds, their beginning too, and a connection a tenth of one: they stand in a line,
 * and give way to the loop. */
void net_join_line(struct stream *stream);
void net_leave_line(struct stream *stream);
