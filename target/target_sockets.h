/* The WebSocket connections of the practice target: one thread that serves them all, alone or in rooms. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <microhttpd.h>
#include <stdbool.h>

struct session;
struct sessions;
struct target_socket;
struct target_sockets;

/* A larger message ends its connection with 1009. */
#define TARGET_SOCKETS_MAX_MESSAGE_BYTES (64u * 1024u * 1024u)
/* A member of a room who has not read so much of what it was sent is cut off. */
#define TARGET_SOCKETS_MAX_UNREAD_BYTES (64u * 1024u * 1024u)

/* Starts the thread, at which the hearts of the sessions beat, too. */
MUST_CHECK struct target_sockets *target_sockets_new(struct sessions *sessions, struct error *error);
/* Closes all connections, as the daemon requires before it stops, and takes no more. */
void target_sockets_stop(struct target_sockets *sockets);
/* After that, and after the daemon has ended. */
void target_sockets_free(struct target_sockets **sockets);

/* What happens with the messages of a connection. */
struct target_socket_use {
    const char *room;        /* to all that are in it, the sender too; NULL: back to the sender */
    struct session *session; /* taken; they are its packets; NULL: none */
    bool is_probe;           /* the session is polled so far, and goes on here when the client says so */
};

/* A connection whose handshake is about to be answered is in its room from now on, so that it misses nothing
 * that others say once its client knows. For target_sockets_attach or target_sockets_leave; NULL if no more
 * are taken. */
struct target_socket *target_sockets_join(struct target_sockets *sockets, const char *room);
/* What a connection is taken over with after its handshake; `extra` is what has come after that. */
struct target_socket_wire {
    struct MHD_UpgradeResponseHandle *handle;
    int fd;
    struct bytes extra;
};
/* The connection of one that has joined. */
void target_sockets_attach(struct target_sockets *sockets, struct target_socket *socket,
                           const struct target_socket_wire *wire);
/* It has ended before it was there. */
void target_sockets_leave(struct target_sockets *sockets, struct target_socket *socket);
/* One that has not joined. */
void target_sockets_add(struct target_sockets *sockets, const struct target_socket_use *use,
                        const struct target_socket_wire *wire);
