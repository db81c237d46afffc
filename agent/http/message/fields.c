/* The fields of an HTTP message: their names, their values, and finding them. */
#include "agent/http/message/fields.h"

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

struct bytes field_token(struct bytes text)
{
    size_t size = 0;

    while (size < text.size && (classes[text.data[size]] & TOKEN) != 0) {
        size++;
    }
    return bytes_of(text.data, size);
}

bool field_is_token(struct bytes text)
{
    return text.size > 0 && is_all_of(text, TOKEN);
}

/* Not 0 if one of the eight bytes is 0. */
static uint64_t zero_bytes(uint64_t word)
{
    return (word - ONES) & ~word & HIGH_BITS;
}

static bool is_value_word(const uint8_t *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof word);
    return (zero_bytes(word) | zero_bytes(word ^ (ONES * '\r')) | zero_bytes(word ^ (ONES * '\n'))) == 0;
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

bool field_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

struct bytes field_trim(struct bytes text)
{
    while (text.size > 0 && field_is_space(text.data[0])) {
        text = bytes_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && field_is_space(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
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
