/* A WebSocket connection of a client after its handshake (RFC 6455), on a stream. It answers pings by itself,
 * also while its worker does something else. Timeouts are its owner's. */
#pragma once
#include "agent/websocket/deflate.h"
#include "agent/websocket/message_queue.h"
#include "agent/websocket/message_reader.h"
#include "agent/websocket/send_queue.h"

struct stream;
struct websocket;

#define WEBSOCKET_DEFAULT_MAX_MESSAGE_BYTES (1024u * 1024u)
#define WEBSOCKET_MAX_MESSAGE_BYTES (64u * 1024u * 1024u)
#define WEBSOCKET_DEFAULT_QUEUE 1000u
/* Who has more than this unsent waits before it sends more. */
#define WEBSOCKET_UNSENT_BYTES (256u * 1024u)
/* Of pongs that wait, where a server sends pings and reads nothing: further pings are not answered. */
#define WEBSOCKET_UNSENT_PONG_BYTES (1024u * 1024u)
#define WEBSOCKET_REASON_MAX_BYTES (FRAME_CONTROL_MAX_BYTES - 2)

enum websocket_state {
    WEBSOCKET_OPEN,
    WEBSOCKET_CLOSING, /* our close frame is out, theirs has not come */
    WEBSOCKET_CLOSED   /* nothing more comes but what waits in the queue */
};

/* Who has ended it. */
enum websocket_ending {
    WEBSOCKET_ALIVE,
    WEBSOCKET_BY_US,
    WEBSOCKET_BY_PEER,
    WEBSOCKET_LOST /* the connection broke, without a close frame */
};

/* So far. */
struct websocket_counts {
    uint64_t messages_in;
    uint64_t messages_out;
    uint64_t bytes_in; /* of messages, as they are after they were inflated */
    uint64_t bytes_out;
    uint64_t dropped;
};

/* Borrowed for the call, the pointers in it for as long as the connection lives. */
struct websocket_settings {
    struct frame_codec *codec;
    struct deflater *deflater;     /* NULL: no compression was agreed */
    struct memory_account *memory; /* NULL: what it holds is not counted */
    bool has_context;              /* the server's compressor has one */
    size_t max_message;
    uint32_t queue;
    enum queue_policy policy;
    /* Something has come, has gone out after it had to wait, or has ended. The connection may be freed. */
    void (*on_change)(void *context);
    /* A message has left after so long in the queue. May be NULL. */
    void (*on_left)(void *context, uint64_t queued_us);
    void *context;
};

/* Takes the stream. Then websocket_begin, with what has come behind the handshake. */
MUST_CHECK struct websocket *websocket_new(const struct websocket_settings *settings, struct stream **stream);
void websocket_begin(struct websocket *websocket, struct bytes rest);
/* Whatever its state, it is gone then; a close frame that has not left is not waited for. */
void websocket_free(struct websocket **websocket);

enum websocket_state websocket_state(const struct websocket *websocket);
enum websocket_ending websocket_ending(const struct websocket *websocket);
/* Once it is closed: the server's code if it has sent one, else that of what it did wrong, else
 * CLOSE_ABNORMAL; and a text for a person, "" for none. */
uint16_t websocket_close_code(const struct websocket *websocket);
const char *websocket_close_text(const struct websocket *websocket);
/* The code that the report has: of who has ended it. */
uint16_t websocket_ending_code(const struct websocket *websocket);
/* Whether the stream is gone too: until then its owner keeps it, for some seconds. */
bool websocket_is_gone(const struct websocket *websocket);
const struct websocket_counts *websocket_counts(const struct websocket *websocket);

/* While it is open. A text has to be UTF-8. False if there is no memory for it to wait in; then nothing is
 * sent. */
MUST_CHECK bool websocket_send(struct websocket *websocket, bool is_binary, struct bytes data);
/* Bytes that have not left: the kernel has not taken them. */
size_t websocket_unsent(const struct websocket *websocket);
/* How many messages have been sent, and how many of them have left. */
uint64_t websocket_sent(const struct websocket *websocket);
uint64_t websocket_left(const struct websocket *websocket);
/* When the last one that has left did so: its last bytes were handed to the kernel. */
uint64_t websocket_left_ns(const struct websocket *websocket);
/* The oldest message that was not received yet, borrowed until websocket_drop_first; NULL: none. */
const struct websocket_message *websocket_first(const struct websocket *websocket);
void websocket_drop_first(struct websocket *websocket);
/* While it is open: sends a ping, unless one is under way. */
void websocket_ping(struct websocket *websocket);
/* How many pongs have come that answer ours, and how long the last one took. */
uint64_t websocket_pongs(const struct websocket *websocket);
uint64_t websocket_round_trip_us(const struct websocket *websocket);
/* The server has not ended the connection in time: it is ended as it is. */
void websocket_abandon(struct websocket *websocket);
/* While it is open: sends a close frame. `reason` has at most WEBSOCKET_REASON_MAX_BYTES. */
void websocket_close(struct websocket *websocket, uint16_t code, struct bytes reason);
