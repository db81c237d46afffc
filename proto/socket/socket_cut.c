/* Tells connections that ZeroMQ has cut from those that the other side has ended. */
#include "proto/socket/socket_cut.h"

#include "common/compose.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST_BYTES 48u
#define PORT_BYTES 8u

/* Of the descriptor that we know of a connection, and of what stands under its number now. */
static bool socket_cut_is_same(const struct cut_connection *connection)
{
    struct stat theirs;
    struct stat ours;
    return fstat(connection->descriptor, &theirs) == 0 && fstat(connection->watched_by, &ours) == 0 &&
           theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

static void socket_cut_drop_undecided(struct socket_cut *cut)
{
    if (cut->is_undecided) {
        (void)close(cut->undecided.watched_by);
        cut->is_undecided = false;
    }
}

void socket_cut_finish(struct socket_cut *cut)
{
    for (size_t i = 0; i < cut->count; i++) {
        (void)close(cut->connections[i].watched_by);
    }
    socket_cut_drop_undecided(cut);
    memory_free(cut->connections);
    *cut = (struct socket_cut){0};
}

bool socket_cut_connected(struct socket_cut *cut, int descriptor)
{
    if (cut->is_undecided && cut->undecided.descriptor == descriptor && socket_cut_is_same(&cut->undecided)) {
        socket_cut_drop_undecided(cut); /* we were late: this one was watched instead */
    }
    int watched_by = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (watched_by < 0) {
        return false;
    }
    cut->connections =
        memory_reserve(cut->connections, &cut->capacity, cut->count + 1, sizeof *cut->connections);
    cut->connections[cut->count++] =
        (struct cut_connection){.descriptor = descriptor, .watched_by = watched_by};
    return true;
}

/* What it still has sent after that stands before the end. */
static bool has_ended_it(int watched_by)
{
    char byte;
    ssize_t size;
    do {
        size = recv(watched_by, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
    } while (size < 0 && errno == EINTR);
    return size == 0 || (size < 0 && errno != EAGAIN);
}

static void describe_peer(int watched_by, char address[SOCKET_CUT_ADDRESS_BYTES])
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    char host[HOST_BYTES];
    char port[PORT_BYTES];
    address[0] = '\0';
    if (getpeername(watched_by, (struct sockaddr *)&peer, &size) == 0 &&
        getnameinfo((struct sockaddr *)&peer, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        compose(address, SOCKET_CUT_ADDRESS_BYTES, peer.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
                port);
    }
}

enum socket_cut_end socket_cut_disconnected(struct socket_cut *cut, int descriptor,
                                            char address[SOCKET_CUT_ADDRESS_BYTES])
{
    size_t at = 0;
    assert(!cut->is_undecided);
    while (at < cut->count && cut->connections[at].descriptor != descriptor) {
        at++;
    }
    if (at == cut->count) {
        return SOCKET_CUT_UNKNOWN;
    }
    struct cut_connection connection = cut->connections[at];
    cut->count--;
    memmove(&cut->connections[at], &cut->connections[at + 1], (cut->count - at) * sizeof connection);
    if (has_ended_it(connection.watched_by)) {
        (void)close(connection.watched_by);
        return SOCKET_CUT_ENDED;
    }
    /* ZeroMQ tells of the end just before it closes the descriptor. If that is open, we are either quick, or
     * so late that the number was given to the next connection, of which we are about to be told. */
    cut->undecided = connection;
    cut->is_undecided = true;
    if (socket_cut_is_same(&connection)) {
        return SOCKET_CUT_UNDECIDED;
    }
    return socket_cut_decide(cut, address) ? SOCKET_CUT_BY_US : SOCKET_CUT_ENDED;
}

bool socket_cut_decide(struct socket_cut *cut, char address[SOCKET_CUT_ADDRESS_BYTES])
{
    bool is_by_us = cut->is_undecided;
    if (is_by_us) {
        describe_peer(cut->undecided.watched_by, address);
    }
    socket_cut_drop_undecided(cut);
    return is_by_us;
}
