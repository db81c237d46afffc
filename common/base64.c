/* Base64 with the alphabet of RFC 4648 §4: checked strictly here, then decoded by libcrypto. */
#include "common/base64.h"
#include "common/memory.h"

#include <openssl/evp.h>

/* How much libcrypto is given per call: its sizes are of type int; a multiple of four characters. */
#define BASE64_PIECE_BYTES ((size_t)1 << 20)
#define BASE64_INVALID 64u

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t base64_value_of(uint8_t letter)
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
    return letter == '+' ? 62 : letter == '/' ? 63 : BASE64_INVALID;
}

/* Whether every character except the padding is in the alphabet: libcrypto would skip spaces and dashes. */
static bool base64_has_letters_only(struct bytes text, size_t padding)
{
    bool is_letter[UINT8_MAX + 1];
    bool is_good = true;
    for (unsigned i = 0; i <= UINT8_MAX; i++) {
        is_letter[i] = base64_value_of((uint8_t)i) != BASE64_INVALID;
    }
    for (size_t i = 0; i < text.size - padding; i++) {
        is_good = is_good && is_letter[text.data[i]];
    }
    return is_good;
}

/* The unused bits of the last character must be zero. */
static bool base64_ends_well(struct bytes text, size_t padding)
{
    static const uint32_t left_over[] = {0, 0x3, 0xf};
    return padding == 0 || (base64_value_of(text.data[text.size - 1 - padding]) & left_over[padding]) == 0;
}

static size_t base64_padding_of(struct bytes text)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=') {
        padding++;
    }
    return padding;
}

/* libcrypto always writes three bytes per group, even where fewer of them count. */
size_t base64_decoded_room(struct bytes text)
{
    return text.size / 4 * 3;
}

bool base64_decode_to(uint8_t *into, struct bytes text, size_t *size)
{
    size_t padding = base64_padding_of(text);
    if (text.size % 4 != 0 || !base64_has_letters_only(text, padding) || !base64_ends_well(text, padding)) {
        return false;
    }
    for (size_t at = 0; at < text.size; at += BASE64_PIECE_BYTES) {
        size_t left = text.size - at;
        int piece = (int)(left < BASE64_PIECE_BYTES ? left : BASE64_PIECE_BYTES);
        if (EVP_DecodeBlock(into + at / 4 * 3, text.data + at, piece) != piece / 4 * 3) {
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
