/* Formats numbers for people, for the live line and the report. */
#pragma once
#include "common/buffer.h"

#include <stdint.h>

#define FORMAT_BYTES 32

/* "1,234,567" */
void format_count(uint64_t count, char text[FORMAT_BYTES]);
/* "850 µs", "1.23 ms", "2.50 s", "3 m 20 s": three significant digits. */
void format_us(uint64_t microseconds, char text[FORMAT_BYTES]);
/* "12.3 steps/s", "4,321 requests/s": `unit` is what is counted; "4,321/s" where it is empty, in a column of
 * a table that says it. */
void format_rate(double per_second, const char *unit, char text[FORMAT_BYTES]);
/* How many terminal columns the text takes. */
size_t format_columns(struct bytes text);
