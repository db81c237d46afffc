/* What the files of a stream know of each other: how it connects, and how bytes go in and out. */
#pragma once
#include "agent/net/address_list.h"
#include "agent/net/resolver.h"
#include "agent/net/stream.h"
#include "common/buffer.h"
#include "common/error.h"

#define STREAM_PEER_BYTES 56
#define NET_READ_BYTES (64u * 1024u)

enum stream_state { STREAM_RESOLVING, STREAM_CONNECTING, STREAM_HANDSHAKING, STREAM_OPEN, STREAM_ENDED };

/* A socket: one of several that race for a connection, or the one that has won. */
struct stream_socket {
    uv_poll_t poll;
    struct stream *stream;
    struct stream_socket *next;
    int fd;
    int wanted; /* events */
    struct net_address address;
};

/* What is needed until it is connected. */
struct stream_connector {
    uv_timer_t timer;
    struct stream *stream;
    struct address_list addresses;
    uint32_t tried;
    struct stream_socket *sockets;
    enum net_failure failure; /* of the first address that failed */
    char text[320];
};

struct net {
    uv_loop_t *loop;
    struct lease *lease;
    struct resolver *resolver;
    struct tls_contexts *contexts;
    struct stream *streams;
    struct stream *handshakes; /* whose turn it is to go on */
    struct stream **last_handshake;
    uv_idle_t idle;
    bool is_held;
    uint8_t *wire; /* NET_READ_BYTES each: what is read is used before the next */
    uint8_t *plain;
};

struct stream {
    struct net *net;
    struct stream *next;
    struct stream **at;
    struct stream_callbacks callbacks;
    void *context;
    struct stream_target target;
    struct stream_connector *connector;
    struct resolver_query *query;
    struct stream_socket *socket;
    struct tls_session *tls;
    struct stream *next_handshake;
    struct buffer pending;
    size_t pending_start;
    struct bytes borrowed; /* goes out after what is pending */
    struct stream_times times;
    char peer[STREAM_PEER_BYTES];
    unsigned open_handles;
    uint8_t state;
    bool is_closed;
    bool is_write_broken;
    bool is_waiting; /* among the handshakes */
    bool is_paused;
};

/* stream_connect.c: finds addresses and races them; ends in stream_connected or stream_fail. */
void stream_connect(struct stream *stream);
void stream_connect_held(struct stream *stream); /* after the net goes on */
void stream_connector_drop(struct stream *stream);
void stream_socket_drop(struct stream_socket *socket, bool is_reset);
/* stream.c */
void stream_connected(struct stream *stream, struct stream_socket *socket);
void stream_fail(struct stream *stream, enum net_failure failure, const char *text);
void stream_handle_closed(struct stream *stream);
void stream_socket_listen(struct stream_socket *socket, int events, uv_poll_cb on_ready);
