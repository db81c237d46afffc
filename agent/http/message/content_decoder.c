/* Undoes the coding of a body. */
#include "agent/http/message/content_decoder.h"

#include "agent/http/message/fields.h"
#include "common/memory.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define PLAIN_BYTES (16u * 1024u)
#define WINDOW_OF_GZIP_OR_ZLIB (32 + 15)
#define WINDOW_OF_RAW_DEFLATE (-15)
#define ZSTD_WINDOW_LOG_MAX 23 /* 8 MiB: RFC 9659 */
#define ZSTD_HEADER_MAX_BYTES 18

enum coding { CODING_GZIP, CODING_DEFLATE, CODING_BROTLI, CODING_ZSTD };

struct content_decoder {
    enum coding coding;
    unsigned frame_bytes; /* of a frame of zstd, up to the largest header */
    bool has_begun;       /* a byte has come */
    bool has_ended;
    z_stream zlib;
    BrotliDecoderState *brotli;
    ZSTD_DCtx *zstd;
    uint8_t plain[PLAIN_BYTES];
};

static bool coding_of(struct bytes field, enum coding *coding)
{
    if (field_is_word(field, "gzip") || field_is_word(field, "x-gzip")) {
        *coding = CODING_GZIP;
    } else if (field_is_word(field, "deflate")) {
        *coding = CODING_DEFLATE;
    } else if (field_is_word(field, "br")) {
        *coding = CODING_BROTLI;
    } else if (field_is_word(field, "zstd")) {
        *coding = CODING_ZSTD;
    } else {
        return false;
    }
    return true;
}

struct content_decoder *content_decoder_new(struct bytes field)
{
    enum coding coding;
    bool is_ready = true;

    if (!coding_of(field, &coding)) {
        return NULL;
    }
    struct content_decoder *decoder = MEMORY_NEW(struct content_decoder);
    decoder->coding = coding;
    if (coding == CODING_BROTLI) {
        decoder->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        is_ready = decoder->brotli != NULL;
    } else if (coding == CODING_ZSTD) {
        decoder->zstd = ZSTD_createDCtx();
        is_ready =
            decoder->zstd != NULL &&
            !ZSTD_isError(ZSTD_DCtx_setParameter(decoder->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX));
    } else {
        is_ready = inflateInit2(&decoder->zlib, WINDOW_OF_GZIP_OR_ZLIB) == Z_OK;
    }
    if (!is_ready) {
        abort();
    }
    return decoder;
}

void content_decoder_free(struct content_decoder **pointer)
{
    struct content_decoder *decoder = *pointer;

    if (decoder == NULL) {
        return;
    }
    if (decoder->coding == CODING_BROTLI) {
        BrotliDecoderDestroyInstance(decoder->brotli);
    } else if (decoder->coding == CODING_ZSTD) {
        ZSTD_freeDCtx(decoder->zstd);
    } else {
        inflateEnd(&decoder->zlib);
    }
    memory_free(decoder);
    *pointer = NULL;
}

/* One call of the library: takes from `piece`, says how much plain text came. */
static bool inflate_some(struct content_decoder *decoder, struct bytes *piece, size_t *count)
{
    z_stream *zlib = &decoder->zlib;
    /* Some servers send deflate without the envelope of zlib that the RFC asks for. */
    if (!decoder->has_begun && decoder->coding == CODING_DEFLATE && (piece->data[0] & 0x0f) != 8) {
        (void)inflateReset2(zlib, WINDOW_OF_RAW_DEFLATE);
    }
    if (decoder->has_ended && inflateReset(zlib) != Z_OK) {
        return false; /* else another member of a gzip file follows */
    }
    decoder->has_ended = false;
    zlib->next_in = (Bytef *)(uintptr_t)piece->data;
    zlib->avail_in = piece->size < UINT32_MAX ? (uInt)piece->size : UINT32_MAX;
    zlib->next_out = decoder->plain;
    zlib->avail_out = PLAIN_BYTES;
    uInt had = zlib->avail_in;
    int status = inflate(zlib, Z_NO_FLUSH);
    *piece = bytes_of(piece->data + (had - zlib->avail_in), piece->size - (had - zlib->avail_in));
    *count = PLAIN_BYTES - zlib->avail_out;
    decoder->has_ended = status == Z_STREAM_END;
    return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
}

static bool unbrotli_some(struct content_decoder *decoder, struct bytes *piece, size_t *count)
{
    size_t left = piece->size;
    const uint8_t *next = piece->data;
    size_t room = PLAIN_BYTES;
    uint8_t *out = decoder->plain;

    if (decoder->has_ended && left > 0) {
        return false;
    }
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(decoder->brotli, &left, &next, &room, &out, NULL);
    *piece = bytes_of(next, left);
    *count = PLAIN_BYTES - room;
    decoder->has_ended = result == BROTLI_DECODER_RESULT_SUCCESS;
    return result != BROTLI_DECODER_RESULT_ERROR;
}

/* The header of a frame goes byte by byte: given more, the library takes formats from before RFC 8878 as
 * well, and reads a frame that is there as a whole in another way, which checks other things. */
static bool unzstd_some(struct content_decoder *decoder, struct bytes *piece, size_t *count)
{
    bool is_header = decoder->frame_bytes < ZSTD_HEADER_MAX_BYTES && piece->size > 0;
    ZSTD_inBuffer in = {.src = piece->data, .size = is_header ? 1 : piece->size};
    ZSTD_outBuffer out = {.dst = decoder->plain, .size = PLAIN_BYTES};
    size_t status = ZSTD_decompressStream(decoder->zstd, &out, &in);

    *piece = bytes_of(piece->data + in.pos, piece->size - in.pos);
    *count = out.pos;
    decoder->has_ended = status == 0;
    decoder->frame_bytes = decoder->has_ended ? 0 : decoder->frame_bytes + is_header;
    return !ZSTD_isError(status);
}

static bool decode_some(struct content_decoder *decoder, struct bytes *piece, size_t *count)
{
    switch (decoder->coding) {
    case CODING_BROTLI:
        return unbrotli_some(decoder, piece, count);
    case CODING_ZSTD:
        return unzstd_some(decoder, piece, count);
    default:
        return inflate_some(decoder, piece, count);
    }
}

enum content_result content_decoder_write(struct content_decoder *decoder, struct bytes piece,
                                          bool (*take)(void *context, struct bytes plain), void *context)
{
    size_t count = PLAIN_BYTES;

    /* A full output means that more may be waiting inside. */
    while (piece.size > 0 || count == PLAIN_BYTES) {
        size_t had = piece.size;
        if (piece.size == 0 && decoder->has_ended) {
            break;
        }
        count = 0;
        bool is_ok = decode_some(decoder, &piece, &count);
        decoder->has_begun |= had > 0;
        if (!is_ok) {
            return CONTENT_MALFORMED;
        }
        if (count > 0 && !take(context, bytes_of(decoder->plain, count))) {
            return CONTENT_STOPPED;
        }
        if (count == 0 && piece.size == had) {
            break;
        }
    }
    return piece.size == 0 ? CONTENT_OK : CONTENT_MALFORMED;
}

bool content_decoder_is_whole(const struct content_decoder *decoder)
{
    return decoder->has_ended || !decoder->has_begun;
}
