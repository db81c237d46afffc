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
bool field_is_space(uint8_t byte);
/* Without the white space around it; borrows. */
struct bytes field_trim(struct bytes text);
/* Whether both are the same word, in any case of letters. */
bool field_is_word(struct bytes text, const char *word);
/* Whether the comma-separated list holds the word, in any case of letters. */
bool field_has_word(struct bytes list, const char *word);
/* "Name: value" taken apart; false without a colon. Both borrow. The name may be anything. */
MUST_CHECK bool field_split(struct bytes line, struct bytes *name, struct bytes *value);

/* Iterates over lines "Name: value\r\n": false after the last. `at` begins at 0. */
bool fields_next(struct bytes lines, size_t *at, struct bytes *name, struct bytes *value);
/* The first field of this name, in any case of letters; false if there is none. */
bool fields_find(struct bytes lines, const char *name, struct bytes *value);
