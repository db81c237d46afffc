/* The sessions of /socket.io/: what Engine.IO 3 and 4 have of them, whichever transport carries it. Threads
 * of HTTP and the thread of WebSockets use them; one lock guards all. What their messages say is in
 * target_socketio.h. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

struct session;
struct sessions;

#define SESSION_INTERVAL_MS 25000u
#define SESSION_TIMEOUT_MS 20000u
#define SESSION_MAX_PAYLOAD_BYTES 1000000u
/* One that has not taken so much of what it was sent is ended. */
#define SESSION_MAX_UNSENT_BYTES (16u * 1024u * 1024u)

struct session_plan {
    unsigned version; /* of Engine.IO: 3 or 4 */
    uint64_t interval_ms;
    uint64_t timeout_ms;
    bool is_websocket; /* from its beginning */
};

enum session_poll {
    SESSION_POLL_READY, /* there is a payload to take */
    SESSION_POLL_WAITS, /* the connection is suspended until there is */
    SESSION_POLL_TWICE  /* one waits already: the session is over */
};

MUST_CHECK struct sessions *sessions_new(void);
/* Resumes all polls and suspends no more. */
void sessions_stop(struct sessions *sessions);
/* When nobody holds one of them any more. */
void sessions_free(struct sessions **sessions);
/* `wake` is called, under the lock, when a session has begun, and when one that a WebSocket carries has
 * something for it. Before the first session. */
void sessions_set_wake(struct sessions *sessions, void (*wake)(void *context), void *context);
/* Sends the pings that are due, and ends those that have been silent for too long. False: there is none. */
bool sessions_tick(struct sessions *sessions, uint64_t now_ns);

/* A new one, which begins with its open packet; it is held until session_release, as those of the next. NULL
 * after sessions_stop. */
MUST_CHECK struct session *sessions_open(struct sessions *sessions, const struct session_plan *plan);
/* NULL: none of that id is alive. */
MUST_CHECK struct session *sessions_find(struct sessions *sessions, const char *sid);
void session_release(struct session **session);

unsigned session_version(const struct session *session);
/* A packet of the client, a text with its type first; false: the session is over. */
bool session_receive(struct session *session, struct bytes packet);
/* For the handler of a poll, which is called again when it was suspended. */
enum session_poll session_poll(struct session *session, struct MHD_Connection *connection);
/* Takes all packets, as a payload of the session's version. */
void session_take_payload(struct session *session, struct buffer *payload);
/* Ends the session, and tells the client if it can still be told. */
void session_end(struct session *session);

/* From now on a WebSocket, whose owner is given by sessions_take_ready, carries it. */
void session_bind(struct session *session, void *owner);
/* That goes: so does the session. */
void session_unbind(struct session *session);
/* A poll that waits is answered, so that the client can go on by WebSocket. */
void session_release_poll(struct session *session);
/* The owner of a session that has packets for its WebSocket, or is over; NULL: there is none left. */
void *sessions_take_ready(struct sessions *sessions);
/* Takes the first packet; false: there is none. */
bool session_take_packet(struct session *session, struct buffer *packet);
bool session_is_over(const struct session *session);
