/* A borrowed run of bytes, and helpers for bytes that hold text. */
#include "common/bytes.h"

#include "common/memory.h"

#include <string.h>

struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){.data = data, .size = size};
}

struct bytes bytes_of_string(const char *string)
{
    return bytes_of(string, string == NULL ? 0 : strlen(string));
}

bool bytes_equal(struct bytes left, struct bytes right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

bool bytes_equal_string(struct bytes left, const char *string)
{
    return bytes_equal(left, bytes_of_string(string));
}

int bytes_compare(struct bytes left, struct bytes right)
{
    size_t common = left.size < right.size ? left.size : right.size;
    int order = common == 0 ? 0 : memcmp(left.data, right.data, common);
    if (order != 0) {
        return order;
    }
    return (left.size > right.size) - (left.size < right.size);
}

/* FNV-1a, then the finisher of MurmurHash3, since the low bits of FNV, which tables use, are too regular. */
uint64_t bytes_hash(struct bytes bytes)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < bytes.size; i++) {
        hash = (hash ^ bytes.data[i]) * 0x100000001b3U;
    }
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdU;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53U;
    return hash ^ (hash >> 33);
}

/* The length that the first byte announces, and the bits it contributes; 0 if no character starts with it. */
static size_t announced(uint8_t first, uint32_t *start)
{
    if (first < 0x80) {
        *start = first;
        return 1;
    }
    if (first >= 0xc2 && first < 0xe0) {
        *start = first & 0x1fU;
        return 2;
    }
    if (first >= 0xe0 && first < 0xf0) {
        *start = first & 0x0fU;
        return 3;
    }
    if (first >= 0xf0 && first < 0xf5) {
        *start = first & 0x07U;
        return 4;
    }
    return 0;
}

size_t bytes_character(struct bytes bytes, uint32_t *character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t read = 0;
    size_t length = bytes.size == 0 ? 0 : announced(bytes.data[0], &read);
    if (length == 0 || length > bytes.size) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((bytes.data[i] & 0xc0U) != 0x80) {
            return 0;
        }
        read = (read << 6) | (bytes.data[i] & 0x3fU);
    }
    bool is_surrogate = read >= 0xd800 && read <= 0xdfff;
    if (read < smallest[length] || read > 0x10ffff || is_surrogate) {
        return 0;
    }
    *character = read;
    return length;
}

struct character_range {
    uint32_t first;
    uint32_t last;
};

/* Characters that control a terminal, break a line for some readers, change the direction of writing, or are
 * invisible. Joiners (U+200C, U+200D) are not among them: Persian, Hindi and emoji need them. */
static const struct character_range unprintable_ranges[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x061c, 0x061c},
    {0x180e, 0x180e}, {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},
    {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
};

bool bytes_character_is_printable(uint32_t character)
{
    bool is_in_range = false;
    if (character >= 0x20 && character < 0x7f) {
        return true; /* the common case */
    }
    for (size_t i = 0; !is_in_range && i < sizeof unprintable_ranges / sizeof *unprintable_ranges; i++) {
        is_in_range = character >= unprintable_ranges[i].first && character <= unprintable_ranges[i].last;
    }
    return !is_in_range;
}

bool bytes_is_printable(struct bytes bytes)
{
    while (bytes.size > 0) {
        uint32_t character = bytes.data[0];
        if (character >= 0x20 && character < 0x7f) { /* the common case */
            bytes.data++;
            bytes.size--;
            continue;
        }
        size_t length = bytes_character(bytes, &character);
        if (length == 0 || !bytes_character_is_printable(character)) {
            return false;
        }
        bytes = bytes_of(bytes.data + length, bytes.size - length);
    }
    return true;
}

void bytes_to_text(struct bytes bytes, char *text, size_t size)
{
    if (size == 0) {
        return;
    }
    size_t length = bytes.size < size ? bytes.size : size - 1;
    if (length < bytes.size) {
        /* Not in the middle of a character: step back over continuation bytes. */
        while (length > 0 && (bytes.data[length] & 0xc0U) == 0x80) {
            length--;
        }
    }
    if (length > 0) {
        memcpy(text, bytes.data, length);
    }
    text[length] = '\0';
}
