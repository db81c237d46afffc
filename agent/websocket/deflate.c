/* permessage-deflate: messages compressed, and back. */
#include "agent/websocket/deflate.h"

#include "common/memory.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

/* Negative: raw deflate, without a header. */
#define WINDOW_BITS (-15)
#define MEMORY_LEVEL 8
#define COMPRESSED_MAX_BYTES (256u * 1024u * 1024u)
#define PLAIN_BYTES (16u * 1024u)

/* What ends each message, and is left out of it (RFC 7692 section 7.2.1). */
static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};

struct deflater {
    z_stream zlib;
    struct buffer out;
};

struct inflater {
    z_stream zlib;
    bool has_context;
};

struct deflater *deflater_new(void)
{
    struct deflater *deflater = MEMORY_NEW(struct deflater);
    int result = deflateInit2(&deflater->zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                              Z_DEFAULT_STRATEGY);

    assert(result == Z_OK);
    (void)result;
    buffer_init(&deflater->out, COMPRESSED_MAX_BYTES);
    return deflater;
}

void deflater_free(struct deflater **pointer)
{
    if (*pointer != NULL) {
        (void)deflateEnd(&(*pointer)->zlib);
        buffer_finish(&(*pointer)->out);
        memory_free(*pointer);
    }
    *pointer = NULL;
}

struct bytes deflater_compress(struct deflater *deflater, struct bytes message)
{
    z_stream *zlib = &deflater->zlib;
    uint8_t piece[PLAIN_BYTES];

    assert(message.size <= UINT_MAX);
    (void)deflateReset(zlib);
    buffer_clear(&deflater->out);
    zlib->next_in = (z_const Bytef *)(uintptr_t)message.data;
    zlib->avail_in = (uInt)message.size;
    do {
        zlib->next_out = piece;
        zlib->avail_out = sizeof piece;
        (void)deflate(zlib, Z_SYNC_FLUSH);
        (void)buffer_append(&deflater->out, piece, sizeof piece - zlib->avail_out);
    } while (zlib->avail_out == 0);
    struct bytes out = buffer_bytes(&deflater->out);
    assert(out.size >= sizeof tail && memcmp(out.data + out.size - sizeof tail, tail, sizeof tail) == 0);
    return bytes_of(out.data, out.size - sizeof tail);
}

struct inflater *inflater_new(bool has_context)
{
    struct inflater *inflater = MEMORY_NEW(struct inflater);
    int result = inflateInit2(&inflater->zlib, WINDOW_BITS);

    assert(result == Z_OK);
    (void)result;
    inflater->has_context = has_context;
    return inflater;
}

void inflater_free(struct inflater **pointer)
{
    if (*pointer != NULL) {
        (void)inflateEnd(&(*pointer)->zlib);
        memory_free(*pointer);
    }
    *pointer = NULL;
}

static enum inflate_result inflate_piece(struct inflater *inflater, struct bytes piece,
                                         bool (*take)(void *context, struct bytes plain), void *context)
{
    z_stream *zlib = &inflater->zlib;
    uint8_t plain[PLAIN_BYTES];

    zlib->next_in = (z_const Bytef *)(uintptr_t)piece.data;
    zlib->avail_in = (uInt)piece.size;
    do {
        zlib->next_out = plain;
        zlib->avail_out = sizeof plain;
        int result = inflate(zlib, Z_SYNC_FLUSH);
        size_t size = sizeof plain - zlib->avail_out;
        if (size > 0 && !take(context, bytes_of(plain, size))) {
            return INFLATE_STOPPED;
        }
        if (result == Z_STREAM_END) {
            /* A block that says it is the last: what follows begins a stream of its own (section 7.2.3.4). */
            (void)inflateReset(zlib);
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return INFLATE_MALFORMED;
        }
    } while (zlib->avail_in > 0 || zlib->avail_out == 0);
    return INFLATE_OK;
}

enum inflate_result inflater_write(struct inflater *inflater, struct bytes part, bool is_last,
                                   bool (*take)(void *context, struct bytes plain), void *context)
{
    enum inflate_result result = INFLATE_OK;

    assert(part.size <= UINT_MAX);
    if (part.size > 0) {
        result = inflate_piece(inflater, part, take, context);
    }
    if (result == INFLATE_OK && is_last) {
        result = inflate_piece(inflater, bytes_of(tail, sizeof tail), take, context);
        if (!inflater->has_context) {
            (void)inflateReset(&inflater->zlib);
        }
    }
    return result;
}
