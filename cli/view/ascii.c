/* Texts for terminals that do not show UTF-8. */
#include "cli/view/ascii.h"
#include "cli/base/format.h"

#include <stddef.h>

#define FIRST_BAR 0x2581u
#define LAST_BAR 0x2588u

static const struct {
    uint32_t character;
    char like;
} LIKES[] = {{0xb5, 'u'},   {0x3bc, 'u'}, {0x2013, '-'}, {0x2212, '-'},
             {0x2026, '~'}, {0xb7, '|'},  {0xa0, ' '}};

static char ascii_like(uint32_t character)
{
    if (character >= FIRST_BAR && character <= LAST_BAR) {
        return "_.:-=+*#"[character - FIRST_BAR];
    }
    for (size_t i = 0; i < sizeof LIKES / sizeof LIKES[0]; i++) {
        if (LIKES[i].character == character) {
            return LIKES[i].like;
        }
    }
    return '?';
}

void ascii_append(struct bytes text, struct buffer *into)
{
    size_t at = 0;
    while (at < text.size) {
        uint32_t character = 0;
        size_t size = bytes_character(bytes_of(text.data + at, text.size - at), &character);
        bool is_good = size > 0;
        size = is_good ? size : 1;
        if (is_good && character < 0x80) {
            buffer_append(into, text.data + at, 1);
        } else {
            char like = is_good ? ascii_like(character) : '?';
            size_t columns = is_good ? format_columns(bytes_of(text.data + at, size)) : 1;
            for (size_t i = 0; i < columns; i++) {
                buffer_append(into, &like, 1);
            }
        }
        at += size;
    }
}
