/* Cells in columns as wide as their widest cell. */
#pragma once
#include "common/buffer.h"

#define TABLE_MAX_COLUMNS 20
/* How wide a table is at most, unless it has another limit: the width of a terminal that nobody has widened.
 */
#define TABLE_COLUMNS 80u
#define TABLE_BOLD "\033[1m"
#define TABLE_PLAIN "\033[0m"

struct table {
    const char *const
        *headings; /* terminated by NULL; the first column and those that begin with < are left-aligned */
    size_t column_count;
    size_t limit;      /* how wide it may be; 0: as wide as it is */
    size_t least_text; /* to how many columns a column of text is cut at most, after the first */
    char **cells;
    size_t cell_count;
    size_t cell_capacity;
};

/* `headings` has to outlive the table. */
void table_init(struct table *table, const char *const *headings);
void table_finish(struct table *table);
/* Adds the next cell, row by row; the text is escaped. */
void table_add(struct table *table, struct bytes text);
/* The same for a number of things, and a time in microseconds. */
void table_add_count(struct table *table, uint64_t count);
void table_add_us(struct table *table, uint64_t microseconds);
size_t table_rows(const struct table *table);
/* If the first cell is wider than `first_columns`, or than there is room for, its row continues on a line of
 * its own. Other texts that there is no room for are cut, with "…" at their end; numbers are not: columns
 * that do not fit follow below, beside the first column again. */
void table_print(const struct table *table, size_t first_columns, bool has_bold_headings, struct buffer *out);
