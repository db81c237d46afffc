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
/* Appends the text, or as much of it as fits into `columns` with "…" at its end. */
void format_cut(struct bytes text, size_t columns, struct buffer *into);
/* Appends the text in lines of at most `columns`, broken at spaces after which `indent` columns stay empty. A
 * number stays with its unit. */
void format_wrap(struct bytes text, size_t columns, size_t indent, struct buffer *into);
/* "14:03:22", local time, of the last day; "Nov 29 14:03" before that. Both are in nanoseconds since 1970. */
void format_wall_time(uint64_t wall_ns, uint64_t now_wall_ns, char text[FORMAT_BYTES]);
/* How many terminal columns the text takes. */
size_t format_columns(struct bytes text);
