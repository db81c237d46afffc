/* The WebSocket connections of workers. A connection is its worker's and lives from step to step, until it is
 * closed or the worker's session ends; what the server still has to say to its end is awaited for a while
 * then. */
#pragma once
#include "agent/http/engine.h"
#include "agent/shard/alarms.h"
#include "agent/websocket/websocket.h"
#include "proto/message/tags.h"

struct vu;
struct vu_websockets;
struct websocket_statistics;

/* How long the end of the server may take after ours. */
#define VU_WEBSOCKET_CLOSE_NS (5 * 1000000000ull)

/* What the connections of a shard share. The arguments are borrowed. */
MUST_CHECK struct vu_websockets *vu_websockets_new(struct alarms *alarms, struct memory_account *memory);
/* Those that are still being closed are ended. */
void vu_websockets_free(struct vu_websockets **websockets);

struct vu_websocket {
    struct vu *vu; /* NULL: it is closed, or its worker's session is over */
    struct vu_websockets *all;
    struct vu_websocket *next; /* of the worker, or of those that are being closed */
    struct vu_websocket **at;
    struct vu *waiting;                      /* those of the worker that wait for a change */
    struct http_exchange *exchange;          /* the handshake; NULL: it is over */
    struct websocket *socket;                /* NULL: not connected, or not any more */
    struct vu_websocket_plan *plan;          /* until it is connected */
    struct websocket_statistics *statistics; /* of its name, in the worker's meter; NULL: not looked for */
    struct websocket_counts counted;
    uint64_t counted_pongs;
    struct alarm alarm; /* of the next ping; once it is ending, of its end */
    uint64_t ping_ns;   /* between two pings of its own accord; 0: none */
    char *name;         /* in the report */
    char *protocol;     /* that was agreed; NULL: none */
    /* Why there is no connection; both NULL: there was one, or is to be. */
    const char *failure;
    char *failure_text;
    char *phase;      /* in which the handshake failed; NULL: none */
    uint32_t status;  /* of the answer that was none, or of a proxy's; 0: none */
    bool is_held;     /* by the script's object */
    bool has_counted; /* its end */
    bool is_ending;   /* the end of the server is awaited, until the alarm */
};

/* Borrowed for the call. */
struct vu_websocket_options {
    const char *name;
    const char *protocols; /* "chat, superchat"; NULL: none */
    bool is_compressed;
    size_t max_message;
    uint32_t queue;
    enum queue_policy policy;
    uint64_t ping_ms;    /* between two pings; 0: the script sends them */
    struct tag_set tags; /* over those of the worker */
};

/* Begins the handshake, by a request whose URL, headers and so on are those of `request`. The worker is
 * woken, where it awaits the connection, when that has ended, and then at each change. It is held until
 * vu_websocket_release. */
MUST_CHECK struct vu_websocket *vu_websocket_open(struct vu *vu, const struct http_request *request,
                                                  const struct vu_websocket_options *options);
/* The script knows it no more: if it is open, it is closed. */
void vu_websocket_release(struct vu_websocket **websocket);
/* Whether the handshake is under way. */
bool vu_websocket_is_connecting(const struct vu_websocket *websocket);
/* Whether the vu may use it: it is closed, or its own. */
bool vu_websocket_is_of(const struct vu_websocket *websocket, const struct vu *vu);
/* The vu waits for a change of it from now on, until `due_ns` (0: without a limit), or until
 * vu_websocket_end_wait. Several may. */
void vu_websocket_await(struct vu *vu, struct vu_websocket *websocket, uint64_t due_ns);
/* It goes on, or waits for something else. */
void vu_websocket_end_wait(struct vu *vu);
/* For what the script has asked: counts it. */
void vu_websocket_changed(struct vu_websocket *websocket);
/* Sends a close frame, and bounds the time until the server's. */
void vu_websocket_close(struct vu_websocket *websocket, uint16_t code, struct bytes reason);
/* Closes all of the worker. */
void vu_websockets_drop(struct vu *vu);
