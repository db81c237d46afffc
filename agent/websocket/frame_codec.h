/* The frames of a WebSocket client (RFC 6455 section 5) as bytes, by wslay: those of a server are read as
 * they come, ours are written in one piece. Knows nothing of messages. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct frame_codec;
struct wslay_frame_context;

enum frame_opcode {
    FRAME_CONTINUATION = 0x0,
    FRAME_TEXT = 0x1,
    FRAME_BINARY = 0x2,
    FRAME_CLOSE = 0x8,
    FRAME_PING = 0x9,
    FRAME_PONG = 0xa
};
#define FRAME_CONTROL_MAX_BYTES 125u

/* What the connections of a thread read and write with. */
MUST_CHECK struct frame_codec *frame_codec_new(void);
void frame_codec_free(struct frame_codec **codec);

/* Of one connection; zeroed is at its beginning. It has memory of its own only in the middle of a frame. */
struct frame_reader {
    struct wslay_frame_context *context; /* NULL: between two frames */
    uint64_t taken_bytes;                /* so far, of its input */
    uint64_t framed_bytes;               /* in frames that are complete */
    uint64_t left_bytes;                 /* of the frame that has begun */
    bool is_within;                      /* a frame has begun */
};
void frame_reader_finish(struct frame_reader *reader);

/* A frame, or the next part of one. */
struct frame_part {
    uint8_t opcode;     /* any of 16 */
    bool is_final;      /* the last of its message */
    bool is_compressed; /* the first reserved bit */
    bool is_first;      /* part of the frame */
    bool is_last;
    uint64_t frame_bytes;
    struct bytes data; /* borrowed until the next call */
};

enum frame_result {
    FRAME_MORE,  /* all of the input was taken */
    FRAME_PART,  /* there may be more in what was taken: call again */
    FRAME_BROKEN /* not a frame of a server; nothing more can be read */
};
MUST_CHECK enum frame_result frame_next(struct frame_codec *codec, struct frame_reader *reader,
                                        struct bytes *input, struct frame_part *part);

/* A whole message, or a control frame, as one masked frame; borrowed until the next call. */
MUST_CHECK struct bytes frame_write(struct frame_codec *codec, enum frame_opcode opcode, bool is_compressed,
                                    struct bytes data);
/* Bytes that nobody can foresee: for keys and masks. At most 64. */
void frame_codec_random(struct frame_codec *codec, void *bytes, size_t size);
