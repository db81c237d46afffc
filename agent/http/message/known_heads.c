/* Heads of answers that have been read. */
#include "agent/http/message/known_heads.h"

#include "agent/http/message/fields.h"

#include <string.h>

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define DATE_BYTES 29u
/* The golden ratio as a fraction of 2^32: its multiples are spread evenly, whichever of them one looks at. */
#define GOLDEN 0x9e3779b9u

static bool known_head_is(const struct known_head *known, struct bytes input)
{
    size_t rest = known->date + DATE_BYTES;

    if (known->size == 0 || input.size < known->size || memcmp(known->bytes, input.data, known->date) != 0) {
        return false;
    }
    return known->date == known->size ||
           (memcmp(known->bytes + rest, input.data + rest, known->size - rest) == 0 &&
            field_is_value(bytes_of(input.data + known->date, DATE_BYTES)));
}

bool known_heads_take(const struct known_heads *heads, struct http1_parser *parser, struct bytes *input,
                      struct buffer *head)
{
    if (!http1_is_untouched(parser)) {
        return false;
    }
    for (size_t i = 0; i < KNOWN_HEADS_COUNT; i++) {
        const struct known_head *known = &heads->items[i];
        if (known->parser.request_kind == parser->request_kind && known_head_is(known, *input)) {
            buffer_clear(head);
            if (!buffer_append(head, input->data + known->fields, known->fields_size)) {
                return false;
            }
            *parser = known->parser;
            *input = bytes_of(input->data + known->size, input->size - known->size);
            return true;
        }
    }
    return false;
}

/* One of eight, in no rhythm that requests could have as well: where heads differ all the time, they are not
 * copied each time. */
static bool is_chosen(uint32_t number)
{
    return number * GOLDEN >> 29 == 0;
}

/* Where the value of the date is, if it is as usual. */
static size_t find_date(struct bytes whole)
{
    static const char name[] = "\r\nDate: ";
    const uint8_t *found = memmem(whole.data, whole.size, name, sizeof name - 1);
    size_t at = found != NULL ? (size_t)(found - whole.data) + sizeof name - 1 : whole.size;

    return whole.size - at > DATE_BYTES && memchr(whole.data + at, '\r', DATE_BYTES) == NULL &&
                   whole.data[at + DATE_BYTES] == '\r'
               ? at
               : whole.size;
}

void known_heads_keep(struct known_heads *heads, const struct http1_parser *parser, struct bytes whole,
                      struct bytes head)
{
    static const char end[] = "\r\n\r\n";

    if (parser->interim_count > 0 || whole.size < sizeof end - 1 || whole.size > KNOWN_HEADS_MAX_BYTES ||
        memcmp(whole.data + whole.size - (sizeof end - 1), end, sizeof end - 1) != 0) {
        return;
    }
    if (heads->kept >= KNOWN_HEADS_COUNT && !is_chosen(heads->unknown++)) {
        return;
    }
    struct known_head *known = &heads->items[heads->kept++ % KNOWN_HEADS_COUNT];
    known->size = (uint16_t)whole.size;
    known->fields_size = (uint16_t)head.size;
    known->fields = (uint16_t)(whole.size - 2 - head.size);
    known->date = (uint16_t)find_date(whole);
    known->parser = *parser;
    memcpy(known->bytes, whole.data, whole.size);
}
