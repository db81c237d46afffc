/* The fields of an HTTP message: their names, their values, and finding them. */
#include "agent/http/message/fields.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define ONES (UINT64_MAX / 255)
#define HIGH_BITS (ONES * 128)

enum { TOKEN = 1, VALUE = 2 };

/* What a byte may be part of: a token, the value of a field, both or neither. */
static const uint8_t classes[256] = {
    0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 0, 2, 2, /* 00 */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, /* 10 */
    2, 3, 2, 3, 3, 3, 3, 3, 2, 2, 3, 3, 2, 3, 3, 2, /* 20 */
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, /* 30 */
    2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, /* 40 */
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 3, 3, /* 50 */
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, /* 60 */
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 3, 2, 3, 2, /* 70 */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, /* 80 */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, /* 90 */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, /* a0 */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, /* b0 */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, /* c0 */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, /* d0 */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, /* e0 */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, /* f0 */
};

static bool is_all_of(struct bytes text, uint8_t class)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((classes[text.data[i]] & class) == 0) {
            return false;
        }
    }
    return true;
}

static uint64_t word_at(const uint8_t *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof word);
    return word;
}

struct bytes field_token(struct bytes text)
{
    const uint8_t *at = text.data;
    const uint8_t *end = at + text.size;

    while (at < end && (classes[*at] & TOKEN) != 0) {
        at++;
    }
    return bytes_of(text.data, (size_t)(at - text.data));
}

bool field_is_token(struct bytes text)
{
    return text.size > 0 && is_all_of(text, TOKEN);
}

/* What no value holds (zero, LF, CR) is at most CR, and little else of a head is: 0 where no byte of the word
 * is. The lowest bit that is set belongs to the first one that is, in the order of the bits. */
static uint64_t low_controls(uint64_t word)
{
    return (word - ONES * ('\r' + 1)) & ~word & HIGH_BITS;
}

static bool is_value_word(const uint8_t *data)
{
    return low_controls(word_at(data)) == 0 || is_all_of(bytes_of(data, sizeof(uint64_t)), VALUE);
}

/* Most of a head is values: they are looked at eight bytes at a time, the last ones together with some of
 * those before. */
bool field_is_value(struct bytes text)
{
    if (text.size < sizeof(uint64_t)) {
        return is_all_of(text, VALUE);
    }
    for (size_t at = 0; at + sizeof(uint64_t) < text.size; at += sizeof(uint64_t)) {
        if (!is_value_word(text.data + at)) {
            return false;
        }
    }
    return is_value_word(text.data + text.size - sizeof(uint64_t));
}

/* No other byte of a token becomes a letter, a digit or a hyphen by the bit of the lower case. */
bool field_is_name(struct bytes token, const char *lower, size_t size)
{
    const uint64_t cases = ONES * 0x20;
    size_t last = size - sizeof(uint64_t);

    if (token.size != size) {
        return false;
    }
    for (size_t at = 0; at < last; at += sizeof(uint64_t)) {
        if ((word_at(token.data + at) | cases) != word_at((const uint8_t *)lower + at)) {
            return false;
        }
    }
    return (word_at(token.data + last) | cases) == word_at((const uint8_t *)lower + last);
}

bool field_is_word(struct bytes text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

bool field_has_word(struct bytes list, const char *word)
{
    while (list.size > 0) {
        const uint8_t *comma = memchr(list.data, ',', list.size);
        size_t size = comma != NULL ? (size_t)(comma - list.data) : list.size;
        if (field_is_word(field_trim(bytes_of(list.data, size)), word)) {
            return true;
        }
        size += comma != NULL;
        list = bytes_of(list.data + size, list.size - size);
    }
    return false;
}

/* The first byte from `at` on that is at most CR; `end` if there is none. */
static const uint8_t *find_low_control(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= (ptrdiff_t)sizeof(uint64_t)) {
        uint64_t found = low_controls(le64toh(word_at(at)));
        if (found != 0) {
            return at + __builtin_ctzll(found) / 8;
        }
        at += sizeof(uint64_t);
    }
    while (at<end && * at> '\r') {
        at++;
    }
    return at;
}

size_t field_read_usual(struct bytes input, struct bytes *name, struct bytes *value)
{
    const uint8_t *end = input.data + input.size;
    struct bytes token = field_token(input);
    const uint8_t *colon = token.data + token.size;

    if (token.size == 0 || end - colon < 3 || colon[0] != ':' || colon[1] != ' ' ||
        field_is_space(colon[2])) {
        return 0;
    }
    const uint8_t *start = colon + 2;
    const uint8_t *stop = find_low_control(start, end);
    if (stop == start || end - stop < 2 || stop[0] != '\r' || stop[1] != '\n' || field_is_space(stop[-1])) {
        return 0;
    }
    *name = token;
    *value = bytes_of(start, (size_t)(stop - start));
    return (size_t)(stop + 2 - input.data);
}

bool field_split(struct bytes line, struct bytes *name, struct bytes *value)
{
    const uint8_t *colon = memchr(line.data, ':', line.size);

    if (colon == NULL) {
        return false;
    }
    size_t size = (size_t)(colon - line.data);
    *name = bytes_of(line.data, size);
    *value = field_trim(bytes_of(colon + 1, line.size - size - 1));
    return true;
}

bool fields_next(struct bytes head, size_t *at, struct bytes *name, struct bytes *value)
{
    while (*at < head.size) {
        const uint8_t *start = head.data + *at;
        const uint8_t *end = memchr(start, '\n', head.size - *at);
        size_t size = end != NULL ? (size_t)(end - start) : head.size - *at;
        *at += size + (end != NULL);
        size -= size > 0 && start[size - 1] == '\r';
        if (field_split(bytes_of(start, size), name, value)) {
            return true;
        }
    }
    return false;
}

bool fields_find(struct bytes head, const char *wanted, struct bytes *value)
{
    struct bytes name;
    size_t at = 0;

    while (fields_next(head, &at, &name, value)) {
        if (field_is_word(name, wanted)) {
            return true;
        }
    }
    return false;
}
