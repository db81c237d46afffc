/* Cells in columns as wide as their widest cell. */
#include "cli/base/table.h"
#include "cli/base/format.h"
#include "common/escape.h"
#include "common/memory.h"

#include <assert.h>

#define CELL_MAX_BYTES 1024u

void table_init(struct table *table, const char *const *headings)
{
    *table = (struct table){.headings = headings};
    while (headings[table->column_count] != NULL) {
        table->column_count++;
    }
    assert(table->column_count > 0 && table->column_count <= TABLE_MAX_COLUMNS);
}

void table_finish(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        memory_free(table->cells[i]);
    }
    memory_free(table->cells);
    *table = (struct table){0};
}

void table_add(struct table *table, struct bytes text)
{
    SCOPED(buffer_finish) struct buffer cell;
    buffer_init(&cell, CELL_MAX_BYTES);
    escape_text(&cell, text);
    table->cells = memory_reserve(table->cells, &table->cell_capacity, table->cell_count + 1, sizeof(char *));
    table->cells[table->cell_count++] = memory_copy_string(buffer_string(&cell));
}

void table_add_count(struct table *table, uint64_t count)
{
    char text[FORMAT_BYTES];
    format_count(count, text);
    table_add(table, bytes_of_string(text));
}

void table_add_us(struct table *table, uint64_t microseconds)
{
    char text[FORMAT_BYTES];
    format_us(microseconds, text);
    table_add(table, bytes_of_string(text));
}

size_t table_rows(const struct table *table)
{
    assert(table->column_count > 0);
    return table->cell_count / table->column_count;
}

static bool is_left(const struct table *table, size_t column)
{
    return column == 0 || table->headings[column][0] == '<';
}

static const char *heading(const struct table *table, size_t column)
{
    return table->headings[column] + (table->headings[column][0] == '<');
}

static size_t larger(size_t left, size_t right)
{
    return left > right ? left : right;
}

static void measure(const struct table *table, size_t first_columns, size_t widths[TABLE_MAX_COLUMNS])
{
    for (size_t column = 0; column < table->column_count; column++) {
        widths[column] = format_columns(bytes_of_string(heading(table, column)));
    }
    for (size_t row = 0; row < table_rows(table); row++) {
        for (size_t column = 0; column < table->column_count; column++) {
            const char *cell = table->cells[row * table->column_count + column];
            size_t width = format_columns(bytes_of_string(cell));
            if (column > 0 || width <= first_columns) {
                widths[column] = larger(widths[column], width);
            }
        }
    }
}

static void append_spaces(struct buffer *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_append_string(out, " ");
    }
}

static void print_cell(const struct table *table, size_t column, const char *text, size_t width,
                       struct buffer *out)
{
    size_t columns = format_columns(bytes_of_string(text));
    if (column == 0 && columns > width) {
        buffer_append_format(out, "%s\n  ", text);
        append_spaces(out, width);
        return;
    }
    bool is_last = column + 1 == table->column_count;
    append_spaces(out, is_left(table, column) ? 0 : width - columns);
    buffer_append_string(out, text);
    append_spaces(out, is_left(table, column) && !is_last ? width - columns : 0);
}

void table_print(const struct table *table, size_t first_columns, bool has_bold_headings, struct buffer *out)
{
    size_t widths[TABLE_MAX_COLUMNS];
    measure(table, first_columns, widths);
    for (size_t row = 0; row <= table_rows(table); row++) {
        bool is_bold = row == 0 && has_bold_headings;
        buffer_append_string(out, is_bold ? TABLE_BOLD : "");
        for (size_t column = 0; column < table->column_count; column++) {
            const char *text =
                row == 0 ? heading(table, column) : table->cells[(row - 1) * table->column_count + column];
            buffer_append_string(out, "  ");
            print_cell(table, column, text, widths[column], out);
        }
        buffer_append_string(out, is_bold ? TABLE_PLAIN "\n" : "\n");
    }
}
