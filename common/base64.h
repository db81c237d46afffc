/* Base64 with the alphabet of RFC 4648 §4, strict: no spaces, no missing padding, one spelling for each
 * value.
 */
#pragma once
#include "common/buffer.h"

/* Appends what `text` stands for. False if it is malformed or does not fit; then nothing was appended. */
MUST_CHECK bool base64_decode(struct buffer *into, struct bytes text);
/* False if it does not fit; then nothing was appended. */
MUST_CHECK bool base64_encode(struct buffer *into, struct bytes bytes);
