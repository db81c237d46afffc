/* What the files of a stream know of each other: how it connects, and how bytes go in and out. */
#pragma once
#include "agent/net/address_list.h"
#include "agent/net/net_inside.h"
#include "agent/net/poller.h"
#include "agent/net/stream.h"
#include "agent/net/tunnel.h"
#include "common/buffer.h"
#include "common/error.h"

#define STREAM_PEER_BYTES 56

enum stream_state {
    STREAM_RESOLVING,
    STREAM_CONNECTING,
    STREAM_TUNNELLING, /* through a proxy */
    STREAM_HANDSHAKING,
    STREAM_OPEN,
    STREAM_ENDED
};

/* A socket: one of several that race for a connection, or the one that has won. */
struct stream_socket {
    struct poller_socket polled;
    struct stream *stream;
    struct stream_socket *next;
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

struct stream {
    struct net *net;
    struct stream *next;
    struct stream **at;
    struct stream_callbacks callbacks;
    void *context;
    struct stream_target target;
    struct stream_connector *connector;
    struct resolver_query *query;
    struct tunnel *tunnel; /* while it is made */
    struct stream_socket *socket;
    struct tls_session *tls;
    struct stream *next_in_line;
    struct buffer pending;
    size_t pending_start;
    struct bytes borrowed; /* goes out after what is pending */
    size_t gathered_size;  /* goes out before it; while it is not 0, nothing else is there */
    uint64_t taken_bytes;  /* by the kernel */
    uint64_t received_ns;  /* the last of what was read */
    struct stream_times times;
    char peer[STREAM_PEER_BYTES];
    uint16_t proxy_status;
    uint8_t state;
    bool has_timer; /* a handle of the loop that is not closed yet */
    bool is_closed;
    bool is_write_broken;
    bool has_input_ended; /* the other side's direction is closed; bytes of it may be left to read */
    bool is_waiting;      /* in the line */
    bool is_paused;
    bool is_stamped; /* the kernel dates what it receives */
    bool is_patient; /* what is being written may wait for others */
};

/* stream_connect.c: finds addresses and races them; ends in stream_connected or stream_fail. */
void stream_connect(struct stream *stream);
void stream_begin_attempts(struct stream *stream); /* when its turn has come */
void stream_connect_held(struct stream *stream);   /* after the net goes on */
void stream_connector_drop(struct stream *stream);
void stream_socket_drop(struct stream_socket *socket, bool is_reset);
/* stream_tunnel.c: asks the proxy, and reads its answer; ends in stream_begin or stream_fail. */
void stream_tunnel_begin(struct stream *stream);
void stream_tunnel_read(struct stream *stream);
void stream_tunnel_drop(struct stream *stream);
/* stream_gather.c */
/* Keeps it for net_send_gathered. False if it is to leave at once. */
MUST_CHECK bool stream_gather(struct stream *stream, struct bytes data);
void stream_forget_gathered(struct stream *stream);
/* stream_write.c */
void stream_send_gathered(struct stream *stream, struct bytes data);
/* What its TLS has for the wire. */
MUST_CHECK bool stream_take_from_tls(void *context, struct bytes data);
/* The kernel takes more. */
void stream_go_on_writing(struct stream *stream);
/* stream.c */
void stream_listen(struct stream *stream);    /* tells the poller what it waits for */
void stream_begin(struct stream *stream);     /* with TLS, or what is said */
void stream_take_turn(struct stream *stream); /* in the line */
void stream_go_on(struct stream *stream);     /* after the net was held */
void stream_write_wire(struct stream *stream, struct bytes data);
void stream_connected(struct stream *stream, struct stream_socket *socket);
void stream_fail(struct stream *stream, enum net_failure failure, const char *text);
