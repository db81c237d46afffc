/* The fields of an HTTP message (RFC 9110 section 5): their names, their values, and finding them. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether it is a token (RFC 9110 section 5.6.2): a method, or the name of a field. */
bool field_is_token(struct bytes text);
/* The token that it begins with; empty for none. Borrows. */
struct bytes field_token(struct bytes text);
/* Whether it may be the value of a field: no line break, no zero byte. */
bool field_is_value(struct bytes text);
static inline bool field_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}
/* Without the white space around it; borrows. */
static inline struct bytes field_trim(struct bytes text)
{
    while (text.size > 0 && field_is_space(text.data[0])) {
        text = (struct bytes){.data = text.data + 1, .size = text.size - 1};
    }
    while (text.size > 0 && field_is_space(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}
/* Whether the token is this name in any case of letters; `lower` has letters and hyphens, and `size` of them,
 * 8 or more. */
bool field_is_name(struct bytes token, const char *lower, size_t size);
#define FIELD_IS_NAME(token, lower) field_is_name((token), (lower), sizeof(lower) - 1)
/* Whether both are the same word, in any case of letters. */
bool field_is_word(struct bytes text, const char *word);
/* Whether the comma-separated list holds the word, in any case of letters. */
bool field_has_word(struct bytes list, const char *word);
/* "Name: value" taken apart; false without a colon. Both borrow. The name may be anything. */
MUST_CHECK bool field_split(struct bytes line, struct bytes *name, struct bytes *value);

/* A whole line as nearly all are at the start of the input: a token, colon, one space, a value without white
 * space around it, CR LF. Gives the size of the line; 0 for anything else, which may be right or wrong. */
size_t field_read_usual(struct bytes input, struct bytes *name, struct bytes *value);

/* Iterates over lines "Name: value\r\n": false after the last. `at` begins at 0. */
bool fields_next(struct bytes lines, size_t *at, struct bytes *name, struct bytes *value);
/* The first field of this name, in any case of letters; false if there is none. */
bool fields_find(struct bytes lines, const char *name, struct bytes *value);
