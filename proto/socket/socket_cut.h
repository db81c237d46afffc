/* Tells connections that ZeroMQ has cut from those that the other side has ended. ZeroMQ says only that one
 * is no more, whichever it was, and has closed its descriptor by then. So another descriptor of each
 * connection is kept, by which the kernel is asked: where the other side has not ended it, ZeroMQ has. Unless
 * the handshake has failed, it has one reason for that, a frame that is too large or is none. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>

#define SOCKET_CUT_ADDRESS_BYTES 64u

struct cut_connection {
    int descriptor; /* ZeroMQ's */
    int watched_by; /* ours */
};

struct socket_cut {
    struct cut_connection *connections;
    size_t count;
    size_t capacity;
    struct cut_connection undecided;
    bool is_undecided;
};

void socket_cut_finish(struct socket_cut *cut);
/* A connection has been accepted. Whether there was a descriptor to watch it by. */
bool socket_cut_connected(struct socket_cut *cut, int descriptor);

enum socket_cut_end {
    SOCKET_CUT_UNKNOWN,   /* it was not watched */
    SOCKET_CUT_ENDED,     /* by the other side, or by the line */
    SOCKET_CUT_UNDECIDED, /* socket_cut_decide says so when all events of now have been told */
    SOCKET_CUT_BY_US,     /* `address` says who was cut: "10.0.0.5:4711", empty if that is not known */
};
/* A connection is no more; none is undecided. */
enum socket_cut_end socket_cut_disconnected(struct socket_cut *cut, int descriptor,
                                            char address[SOCKET_CUT_ADDRESS_BYTES]);
/* Whether the connection that is undecided was cut by us. */
bool socket_cut_decide(struct socket_cut *cut, char address[SOCKET_CUT_ADDRESS_BYTES]);
