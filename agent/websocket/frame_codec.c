/* The frames of a WebSocket client as bytes. */
#include "agent/websocket/frame_codec.h"

#include "common/buffer.h"
#include "common/memory.h"

#include <assert.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#define OUT_MAX_BYTES (256u * 1024u * 1024u)
/* What is kept of the memory of what was written last. */
#define OUT_KEPT_BYTES (64u * 1024u)
#define RANDOM_BYTES 1024u

struct frame_codec {
    struct wslay_frame_context *spare; /* a reader's, between two frames */
    struct wslay_frame_context *writer;
    struct bytes *input; /* of the reader that reads */
    uint64_t taken_bytes;
    struct buffer out;
    size_t random_used;
    uint8_t random[RANDOM_BYTES];
};

static ssize_t frame_codec_on_send(const uint8_t *data, size_t size, int flags, void *context)
{
    struct frame_codec *codec = context;

    (void)flags;
    return buffer_append(&codec->out, data, size) ? (ssize_t)size : -1;
}

static ssize_t frame_codec_on_receive(uint8_t *into, size_t size, int flags, void *context)
{
    struct frame_codec *codec = context;
    struct bytes *input = codec->input;
    size_t taken = input->size < size ? input->size : size;

    (void)flags;
    if (taken == 0) {
        return -1;
    }
    memcpy(into, input->data, taken);
    *input = bytes_of(input->data + taken, input->size - taken);
    codec->taken_bytes += taken;
    return (ssize_t)taken;
}

void frame_codec_random(struct frame_codec *codec, void *bytes, size_t size)
{
    assert(size <= 64);
    if (codec->random_used + size > RANDOM_BYTES) {
        int result = RAND_bytes(codec->random, RANDOM_BYTES);
        assert(result == 1);
        (void)result;
        codec->random_used = 0;
    }
    memcpy(bytes, codec->random + codec->random_used, size);
    codec->random_used += size;
}

static int frame_codec_on_mask(uint8_t *mask, size_t size, void *context)
{
    frame_codec_random(context, mask, size);
    return 0;
}

/* wslay allocates by malloc: running out of memory ends the process here as elsewhere. */
static struct wslay_frame_context *frame_codec_context(struct frame_codec *codec)
{
    static const struct wslay_frame_callbacks callbacks = {.send_callback = frame_codec_on_send,
                                                           .recv_callback = frame_codec_on_receive,
                                                           .genmask_callback = frame_codec_on_mask};
    struct wslay_frame_context *context = NULL;

    if (wslay_frame_context_init(&context, &callbacks, codec) != 0) {
        abort();
    }
    return context;
}

struct frame_codec *frame_codec_new(void)
{
    struct frame_codec *codec = MEMORY_NEW(struct frame_codec);

    codec->writer = frame_codec_context(codec);
    codec->random_used = RANDOM_BYTES;
    buffer_init(&codec->out, OUT_MAX_BYTES);
    return codec;
}

void frame_codec_free(struct frame_codec **pointer)
{
    struct frame_codec *codec = *pointer;

    *pointer = NULL;
    if (codec == NULL) {
        return;
    }
    wslay_frame_context_free(codec->writer);
    if (codec->spare != NULL) {
        wslay_frame_context_free(codec->spare);
    }
    buffer_finish(&codec->out);
    memory_free(codec);
}

void frame_reader_finish(struct frame_reader *reader)
{
    if (reader->context != NULL) {
        wslay_frame_context_free(reader->context);
        reader->context = NULL;
    }
}

static void frame_reader_need_context(struct frame_codec *codec, struct frame_reader *reader)
{
    if (reader->context != NULL) {
        return;
    }
    reader->context = codec->spare != NULL ? codec->spare : frame_codec_context(codec);
    codec->spare = NULL;
}

/* Between two frames a context holds nothing: another connection may go on with it. */
static void frame_reader_lend_back(struct frame_codec *codec, struct frame_reader *reader)
{
    if (reader->is_within || reader->taken_bytes != reader->framed_bytes) {
        return;
    }
    if (codec->spare == NULL) {
        codec->spare = reader->context;
    } else {
        wslay_frame_context_free(reader->context);
    }
    reader->context = NULL;
}

/* Without a mask, which servers do not use. */
static uint64_t frame_header_bytes(uint64_t payload_bytes)
{
    return payload_bytes <= FRAME_CONTROL_MAX_BYTES ? 2 : payload_bytes <= UINT16_MAX ? 4 : 10;
}

enum frame_result frame_next(struct frame_codec *codec, struct frame_reader *reader, struct bytes *input,
                             struct frame_part *part)
{
    struct wslay_frame_iocb frame = {0};

    if (input->size == 0 && reader->context == NULL) {
        return FRAME_MORE;
    }
    frame_reader_need_context(codec, reader);
    codec->input = input;
    codec->taken_bytes = 0;
    ssize_t result = wslay_frame_recv(reader->context, &frame);
    reader->taken_bytes += codec->taken_bytes;
    if (result == WSLAY_ERR_WANT_READ) {
        frame_reader_lend_back(codec, reader);
        return FRAME_MORE;
    }
    bool is_odd = (frame.rsv & ~WSLAY_RSV1_BIT) != 0 || frame.mask != 0;
    if (result < 0 || is_odd) {
        return FRAME_BROKEN;
    }
    *part = (struct frame_part){.opcode = frame.opcode,
                                .is_final = frame.fin != 0,
                                .is_compressed = wslay_get_rsv1(frame.rsv) != 0,
                                .is_first = !reader->is_within,
                                .frame_bytes = frame.payload_length,
                                .data = bytes_of(frame.data, frame.data_length)};
    if (part->is_first) {
        reader->left_bytes = frame.payload_length;
        reader->is_within = true;
    }
    reader->left_bytes -= frame.data_length;
    if (reader->left_bytes == 0) {
        part->is_last = true;
        reader->is_within = false;
        reader->framed_bytes += frame_header_bytes(frame.payload_length) + frame.payload_length;
    }
    return FRAME_PART;
}

struct bytes frame_write(struct frame_codec *codec, enum frame_opcode opcode, bool is_compressed,
                         struct bytes data)
{
    struct wslay_frame_iocb frame = {.fin = 1,
                                     .rsv = is_compressed ? WSLAY_RSV1_BIT : WSLAY_RSV_NONE,
                                     .opcode = (uint8_t)opcode,
                                     .payload_length = data.size,
                                     .mask = 1,
                                     .data = data.data,
                                     .data_length = data.size};

    if (codec->out.capacity > OUT_KEPT_BYTES) {
        buffer_finish(&codec->out);
    }
    buffer_clear(&codec->out);
    ssize_t result = wslay_frame_send(codec->writer, &frame);
    assert(result >= 0 && (size_t)result == data.size);
    (void)result;
    return buffer_bytes(&codec->out);
}
