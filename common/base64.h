/* Base64 with the alphabet of RFC 4648 §4, strict: no spaces, no missing padding, one spelling per value. */
#pragma once
#include "common/buffer.h"

/* Appends the bytes that `text` encodes. False if it is malformed or does not fit; then nothing was
 * appended. */
MUST_CHECK bool base64_decode(struct buffer *into, struct bytes text);
/* The same into `into`, which has room for base64_decoded_room(text) bytes; `size` is set to the number of
 * bytes written. */
size_t base64_decoded_room(struct bytes text);
MUST_CHECK bool base64_decode_to(uint8_t *into, struct bytes text, size_t *size);
/* Writes base64_encoded_size(bytes) characters, without a terminating zero. */
size_t base64_encoded_size(struct bytes bytes);
void base64_encode_to(char *into, struct bytes bytes);
/* False if it does not fit; then nothing was appended. */
MUST_CHECK bool base64_encode(struct buffer *into, struct bytes bytes);
