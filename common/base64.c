/* Base64 with the alphabet of RFC 4648 §4, strict. */
#include "common/base64.h"
#include "common/memory.h"

#define INVALID 64u

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t value_of(uint8_t letter)
{
    if (letter >= 'A' && letter <= 'Z') {
        return letter - (uint32_t)'A';
    }
    if (letter >= 'a' && letter <= 'z') {
        return letter - (uint32_t)'a' + 26;
    }
    if (letter >= '0' && letter <= '9') {
        return letter - (uint32_t)'0' + 52;
    }
    return letter == '+' ? 62 : letter == '/' ? 63 : INVALID;
}

/* Four letters, of which `padding` at the end are '='. The bits that they leave over have to be zero. */
static bool decode_group(const uint8_t *letters, size_t padding, uint8_t out[3])
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t value = i < 4 - padding ? value_of(letters[i]) : 0;
        if (value == INVALID) {
            return false;
        }
        bits = bits << 6 | value;
    }
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    return (padding < 1 || out[2] == 0) && (padding < 2 || out[1] == 0);
}

static size_t padding_of(struct bytes text)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=') {
        padding++;
    }
    return padding;
}

/* A group writes three bytes, also where fewer of them count. */
size_t base64_decoded_room(struct bytes text)
{
    return text.size / 4 * 3;
}

bool base64_decode_to(uint8_t *into, struct bytes text, size_t *size)
{
    if (text.size % 4 != 0) {
        return false;
    }
    size_t padding = padding_of(text);
    for (size_t i = 0; i < text.size / 4; i++) {
        bool is_last = i + 1 == text.size / 4;
        if (!decode_group(text.data + 4 * i, is_last ? padding : 0, into + 3 * i)) {
            return false;
        }
    }
    *size = text.size / 4 * 3 - padding;
    return true;
}

bool base64_decode(struct buffer *into, struct bytes text)
{
    size_t size;
    SCOPED(memory_free_at) uint8_t *decoded = memory_new(base64_decoded_room(text) + 1, 1);

    return base64_decode_to(decoded, text, &size) && buffer_append(into, decoded, size);
}

static void encode_group(const uint8_t *bytes, size_t count, char out[4])
{
    uint32_t bits = (uint32_t)bytes[0] << 16;
    bits |= count > 1 ? (uint32_t)bytes[1] << 8 : 0;
    bits |= count > 2 ? bytes[2] : 0;
    for (size_t i = 0; i < 4; i++) {
        out[i] = i <= count ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
    }
}

size_t base64_encoded_size(struct bytes bytes)
{
    return 4 * (bytes.size / 3 + (bytes.size % 3 > 0));
}

void base64_encode_to(char *into, struct bytes bytes)
{
    for (size_t i = 0; 3 * i < bytes.size; i++) {
        size_t left = bytes.size - 3 * i;
        encode_group(bytes.data + 3 * i, left < 3 ? left : 3, into + 4 * i);
    }
}

bool base64_encode(struct buffer *into, struct bytes bytes)
{
    size_t size = base64_encoded_size(bytes);
    SCOPED(memory_free_at) char *encoded = memory_new(size + 1, 1);

    base64_encode_to(encoded, bytes);
    return buffer_append(into, encoded, size);
}
