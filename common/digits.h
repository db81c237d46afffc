/* Numbers as decimal digits: read without sign, space or another base, and written in groups of three.
 * Hexadecimal ones by themselves. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stdint.h>

/* Moves `*text` past the digits that it begins with. False, and nothing has changed, if there are none or the
 * number does not fit. */
MUST_CHECK bool digits_read(const char **text, uint64_t *number);
/* The whole of `text` is a number. */
MUST_CHECK bool digits_are(const char *text, uint64_t *number);

/* The same with a point among them, as "12", "0.5", ".5" or "5."; of at most 63 characters. */
MUST_CHECK bool digits_read_decimal(const char **text, double *number);
/* The whole of `text` is a percentage: "2.5%" is 2.5, at most 100. */
MUST_CHECK bool digits_are_percent(const char *text, double *percent);

/* What a hexadecimal digit stands for; -1 of another character. */
int digits_hex_value(uint8_t digit);

#define DIGITS_BYTES 32
/* "1,234,567" */
void digits_group(uint64_t number, char text[DIGITS_BYTES]);
/* "s" unless it is one: "%llu step%s". */
const char *digits_plural(uint64_t count);
