/* What precedes the text of a file, and whether it is UTF-8. */
#include "agent/script/file_text.h"

#include <string.h>

struct bytes file_text_without_mark(struct bytes text)
{
    bool has_mark = text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0;

    return has_mark ? bytes_of(text.data + 3, text.size - 3) : text;
}

struct bytes file_text_of_source(struct bytes text)
{
    text = file_text_without_mark(text);
    if (text.size == 0 || text.data[0] != '#') {
        return text;
    }
    const uint8_t *end = memchr(text.data, '\n', text.size);
    size_t skipped = end != NULL ? (size_t)(end - text.data) : text.size;
    return bytes_of(text.data + skipped, text.size - skipped);
}

bool file_text_check(struct bytes text, struct error *error)
{
    unsigned long long line = 1;

    for (size_t at = 0; at < text.size;) {
        uint8_t byte = text.data[at];
        uint32_t character;
        size_t size = byte < 0x80 ? 1 : bytes_character(bytes_of(text.data + at, text.size - at), &character);
        if (size == 0) {
            return error_set(error, "%llu: the byte 0x%02X is not UTF-8; save the file as UTF-8", line, byte);
        }
        line += byte == '\n';
        at += size;
    }
    return true;
}
