/* Undoes the coding of a body: gzip, deflate, br, zstd (RFC 9110 §8.4), piece by piece. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>

/* What a request says to get coded bodies. */
#define CONTENT_DECODER_ACCEPTS "gzip, deflate, br, zstd"

struct content_decoder;

/* NULL where the field names none, one that is not known, or several: then the body stays as it is. */
MUST_CHECK struct content_decoder *content_decoder_new(struct bytes field);
void content_decoder_free(struct content_decoder **decoder);

enum content_result { CONTENT_OK, CONTENT_MALFORMED, CONTENT_STOPPED };
/* Decodes a piece; hands what comes of it to `take`, which says whether it wants more (else CONTENT_STOPPED):
 * so that a small body that becomes a huge one is stopped in time. */
MUST_CHECK enum content_result content_decoder_write(struct content_decoder *decoder, struct bytes piece,
                                                     bool (*take)(void *context, struct bytes plain),
                                                     void *context);
/* After the last piece: whether the coded body was whole. One without a byte is. */
bool content_decoder_is_whole(const struct content_decoder *decoder);
