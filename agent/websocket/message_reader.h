/* The messages of a server, put together from frames (RFC 6455 section 5.4), with what stands between: pings,
 * pongs, the end. Pure. What breaks a rule is named, with the code that the connection is to be closed with.
 */
#pragma once
#include "agent/websocket/deflate.h"
#include "agent/websocket/frame_codec.h"
#include "common/buffer.h"

struct memory_account;

/* Codes of the end (section 7.4.1); the middle two are never in a frame. */
#define CLOSE_NORMAL 1000u
#define CLOSE_GOING_AWAY 1001u
#define CLOSE_PROTOCOL 1002u
#define CLOSE_NO_CODE 1005u
#define CLOSE_ABNORMAL 1006u
#define CLOSE_NOT_UTF8 1007u
#define CLOSE_TOO_BIG 1009u
/* Whether it may be in a frame. */
bool close_code_is_valid(uint32_t code);

bool text_is_utf8(struct bytes text);

struct message_reader {
    struct frame_codec *codec;     /* borrowed */
    struct memory_account *memory; /* borrowed; NULL: what it holds is not counted */
    struct inflater *inflater;     /* NULL: no message may be compressed */
    struct frame_reader frames;
    struct buffer body;    /* of the message so far */
    struct buffer control; /* of the control frame so far */
    size_t counted_bytes;  /* of the body, in `memory` */
    uint8_t opcode;        /* of the message that has begun; FRAME_CONTINUATION: none */
    bool is_compressed;
    /* Of MESSAGE_CLOSE, and of MESSAGE_BROKEN. */
    uint16_t code;
    const char *error;
};

enum message_event {
    MESSAGE_MORE,   /* all of the input was taken */
    MESSAGE_TEXT,   /* a message is complete: take it with message_reader_take */
    MESSAGE_BINARY, /* likewise */
    MESSAGE_PING,   /* `data` has what came with it, borrowed until the next call */
    MESSAGE_PONG,   /* likewise */
    MESSAGE_CLOSE,  /* `code`, and its reason in `data` */
    MESSAGE_BROKEN  /* `code` and `error`; nothing more can be read */
};

/* `maximum` is of one message, as it is after it was inflated. Takes the inflater. */
void message_reader_init(struct message_reader *reader, struct frame_codec *codec, size_t maximum);
void message_reader_finish(struct message_reader *reader);
MUST_CHECK enum message_event message_next(struct message_reader *reader, struct bytes *input,
                                           struct bytes *data);
/* The message, with its memory (memory_free); its size stays counted until message_give_back. */
MUST_CHECK uint8_t *message_reader_take(struct message_reader *reader, size_t *size);
void message_give_back(struct memory_account *memory, size_t size);
