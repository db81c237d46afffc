/* Connections and datagrams that a worker speaks over by itself. They are the script's, in an object of its
 * own, and may outlive a step, but not the worker's session. */
#pragma once
#include "agent/http/engine.h"
#include "agent/shard/alarms.h"
#include "common/buffer.h"

#include <stdbool.h>

struct datagrams;
struct stream;
struct vu;
struct vu_socket_plan;

/* So much of what has come waits unread, and more only for a reader that wants more; the rest stays in the
 * kernel. */
#define VU_SOCKET_HELD_BYTES (256u * 1024u)
/* Of one worker, open at the same time: a script could else use up the descriptors of its agent. */
#define VU_SOCKETS_MAX 256u
/* What a reader can ask for at once. */
#define VU_SOCKET_MAX_BYTES (64u * 1024u * 1024u)

enum vu_socket_state {
    VU_SOCKET_CLOSED,
    VU_SOCKET_CONNECTING,
    VU_SOCKET_OPEN,
    VU_SOCKET_ENDED, /* by the other side; what has come may be left to read */
    VU_SOCKET_FAILED /* likewise */
};

/* In the caller's memory; zeroed is closed. */
struct vu_socket {
    struct vu *vu; /* NULL: it is closed */
    struct vu_socket *next;
    struct vu_socket **at;
    struct stream *stream;       /* one of the two */
    struct datagrams *datagrams; /* what comes is kept with its size before it, as uint32_t */
    struct vu_socket_plan *plan; /* until it is connected */
    struct buffer input;
    size_t taken; /* from the start of the input */
    size_t wanted;
    size_t counted_bytes; /* of the memory of the shard */
    struct alarm alarm;
    uint64_t began_ns;
    uint64_t sent_bytes;
    uint64_t received_bytes;
    enum http_failure failure;
    char *text; /* why it has failed */
    uint8_t state;
    bool is_due; /* the wait has ended because its time was over */
    bool is_paused;
    bool is_tls;
};

/* Borrowed for the call. */
struct vu_socket_target {
    const char *host;
    uint16_t port;
    bool is_tls;
    bool is_datagrams;
    const char *path; /* of a local socket, in place of host and port; NULL: none */
    struct http_tls tls;
};

/* The worker is woken, where it awaits the socket, when it is open, when something has come, when all that
 * was sent has left, and when it has ended. */
void vu_socket_open(struct vu *vu, struct vu_socket *socket, const struct vu_socket_target *target);
/* The worker waits for it from now on until this instant (0: without end); or until it is woken, or waits for
 * something else. */
void vu_socket_await(struct vu_socket *socket, uint64_t due_ns);
/* The memory is not enough, it takes too long, …: it is over. */
void vu_socket_fail(struct vu_socket *socket, enum http_failure failure, const char *text);
/* What has come and was not taken. Borrowed until the loop runs. */
struct bytes vu_socket_unread(const struct vu_socket *socket);
void vu_socket_take(struct vu_socket *socket, size_t size);
/* The reader waits until so much has come. */
void vu_socket_want(struct vu_socket *socket, size_t size);
/* Takes the next datagram, borrowed until the loop runs; false if none has come. */
bool vu_socket_take_datagram(struct vu_socket *socket, struct bytes *datagram);
/* False if there is no memory for what the kernel does not take at once. Of an open one. */
bool vu_socket_send(struct vu_socket *socket, struct bytes data);
/* HTTP_OK, or why the kernel has not taken it, with a text. Of open datagrams, with a lease. */
enum http_failure vu_socket_send_datagram(struct vu_socket *socket, struct bytes data, char *text,
                                          size_t size);
/* Whether some of what was sent has not left yet. */
bool vu_socket_is_sending(const struct vu_socket *socket);
/* "127.0.0.1:80"; "": not connected. */
const char *vu_socket_address(const struct vu_socket *socket);
/* How long each part of the connecting has taken, with 0 for the others. */
void vu_socket_phases(const struct vu_socket *socket, uint64_t phase_us[REQUEST_PHASE_COUNT]);
void vu_socket_close(struct vu_socket *socket);
/* How many the worker has. */
size_t vu_sockets_count(const struct vu *vu);
/* Closes all of the worker. */
void vu_sockets_drop(struct vu *vu);
