/* Percent-encoding, and the pairs of a query. */
#include "agent/http/message/url_coding.h"

#include "common/digits.h"

#include <string.h>

static bool stays(uint8_t byte, const char *kept)
{
    uint8_t lower = byte | 0x20;

    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
           (byte != 0 && (strchr("-._~", byte) != NULL || strchr(kept, byte) != NULL));
}

size_t url_encoded_size(struct bytes text, const char *kept)
{
    size_t size = text.size;

    for (size_t i = 0; i < text.size; i++) {
        size += stays(text.data[i], kept) ? 0 : 2;
    }
    return size;
}

void url_encode_to(char *into, struct bytes text, const char *kept)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (stays(byte, kept)) {
            *into++ = (char)byte;
        } else {
            *into++ = '%';
            *into++ = digits[byte >> 4];
            *into++ = digits[byte & 15];
        }
    }
}

bool url_decode_to(char *into, struct bytes text, bool is_form, size_t *size)
{
    char *begin = into;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            int high = text.size - i > 2 ? digits_hex_value(text.data[i + 1]) : -1;
            int low = high >= 0 ? digits_hex_value(text.data[i + 2]) : -1;
            if (low < 0) {
                return false;
            }
            byte = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (byte == '+' && is_form) {
            byte = ' ';
        }
        *into++ = (char)byte;
    }
    *size = (size_t)(into - begin);
    return true;
}

/* Cuts what stands in front of `stop` off the text; all of it where there is no `stop`. */
static struct bytes cut_piece(struct bytes *text, char stop)
{
    const uint8_t *end = text->size > 0 ? memchr(text->data, stop, text->size) : NULL;
    size_t size = end != NULL ? (size_t)(end - text->data) : text->size;
    size_t taken = size + (end != NULL);
    struct bytes piece = bytes_of(text->data, size);

    *text = bytes_of(text->data + taken, text->size - taken);
    return piece;
}

bool url_query_next(struct bytes *query, struct bytes *name, struct bytes *value)
{
    while (query->size > 0) {
        struct bytes pair = cut_piece(query, '&');
        if (pair.size > 0) {
            *name = cut_piece(&pair, '=');
            *value = pair;
            return true;
        }
    }
    return false;
}
