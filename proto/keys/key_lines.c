/* The lines of key files. */
#include "proto/keys/key_lines.h"

#include <string.h>

static struct bytes take_line(struct bytes *rest)
{
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;
    struct bytes line = bytes_of(rest->data, size);
    size_t used = end != NULL ? size + 1 : size;
    *rest = bytes_of(rest->data + used, rest->size - used);
    return line;
}

bool key_lines_next(struct key_lines *lines, struct error *error)
{
    while (lines->rest.size > 0) {
        struct bytes line = take_line(&lines->rest);
        lines->number++;
        if (line.size == 0 || line.data[0] == '#') {
            continue;
        }
        const uint8_t *space = memchr(line.data, ' ', line.size);
        size_t word = space != NULL ? (size_t)(space - line.data) : 0;
        if (word == 0 || word + 1 == line.size || !bytes_is_printable(line)) {
            lines->is_broken = true;
            return error_set(error, "line %u is not of the form WORD VALUE", lines->number);
        }
        lines->word = bytes_of(line.data, word);
        lines->value = bytes_of(space + 1, line.size - word - 1);
        return true;
    }
    return false;
}
