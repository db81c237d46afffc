/* Cells in columns as wide as their widest cell. */
#include "cli/base/table.h"
#include "cli/base/format.h"
#include "common/escape.h"
#include "common/memory.h"

#include <assert.h>
#include <string.h>

#define CELL_MAX_BYTES 1024u
#define GAP 2u
/* What the first column and others of text keep at least, where there is not room for all of them. */
#define FIRST_LEAST_COLUMNS 12u
#define TEXT_LEAST_COLUMNS 28u

void table_init(struct table *table, const char *const *headings)
{
    *table = (struct table){.headings = headings, .limit = TABLE_COLUMNS, .least_text = TEXT_LEAST_COLUMNS};
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

/* The columns that are printed side by side: the first of the table, and from…to. */
struct band {
    size_t from;
    size_t to;
    size_t widths[TABLE_MAX_COLUMNS];
};

static size_t band_width(const struct band *band)
{
    size_t width = GAP + band->widths[0];
    for (size_t column = band->from; column < band->to; column++) {
        width += GAP + band->widths[column];
    }
    return width;
}

/* Texts can be cut, numbers cannot. */
static size_t least_width(const struct table *table, const struct band *band, size_t column)
{
    size_t least = column == 0 ? FIRST_LEAST_COLUMNS : table->least_text;
    least = larger(least, format_columns(bytes_of_string(heading(table, column))));
    return is_left(table, column) && band->widths[column] > least ? least : band->widths[column];
}

/* As many columns as fit, and at least one. */
static void band_choose(const struct table *table, struct band *band)
{
    size_t width = GAP + least_width(table, band, 0);
    band->to = band->from;
    while (band->to < table->column_count) {
        width += GAP + least_width(table, band, band->to);
        if (table->limit > 0 && width > table->limit && band->to > band->from) {
            return;
        }
        band->to++;
    }
}

static void band_shrink(const struct table *table, struct band *band, size_t column)
{
    size_t width = band_width(band);
    size_t excess = table->limit > 0 && width > table->limit ? width - table->limit : 0;
    size_t most = band->widths[column] - least_width(table, band, column);
    band->widths[column] -= excess < most ? excess : most;
}

/* Names that are longer than the first column have a line of their own, so nothing of them is lost. */
static void band_fit(const struct table *table, struct band *band)
{
    size_t first = band->widths[0];
    band_shrink(table, band, 0);
    if (table->limit == 0 || band_width(band) <= table->limit) {
        return;
    }
    band->widths[0] = first;
    for (size_t column = band->to; column-- > band->from;) {
        band_shrink(table, band, column);
    }
    band_shrink(table, band, 0);
}

static void print_name(const struct table *table, const char *text, size_t width, struct buffer *out)
{
    size_t columns = format_columns(bytes_of_string(text));
    if (columns <= width) {
        buffer_append_string(out, text);
        append_spaces(out, table->column_count > 1 ? width - columns : 0);
        return;
    }
    format_cut(bytes_of_string(text), table->limit > 0 ? table->limit - GAP : columns, out);
    buffer_append_string(out, "\n  ");
    append_spaces(out, width);
}

static void print_cell(const struct table *table, size_t column, const char *text, size_t width,
                       struct buffer *out)
{
    size_t columns = format_columns(bytes_of_string(text));
    size_t room = columns < width ? width - columns : 0;
    append_spaces(out, is_left(table, column) ? 0 : room);
    format_cut(bytes_of_string(text), width, out);
    append_spaces(out, is_left(table, column) && column + 1 < table->column_count ? room : 0);
}

static void band_print(const struct table *table, const struct band *band, bool has_bold_headings,
                       struct buffer *out)
{
    for (size_t row = 0; row <= table_rows(table); row++) {
        bool is_bold = row == 0 && has_bold_headings;
        char *const *cells = row > 0 ? table->cells + (row - 1) * table->column_count : NULL;
        buffer_append_string(out, is_bold ? TABLE_BOLD "  " : "  ");
        print_name(table, cells != NULL ? cells[0] : heading(table, 0), band->widths[0], out);
        for (size_t column = band->from; column < band->to; column++) {
            buffer_append_string(out, "  ");
            print_cell(table, column, cells != NULL ? cells[column] : heading(table, column),
                       band->widths[column], out);
        }
        buffer_append_string(out, is_bold ? TABLE_PLAIN "\n" : "\n");
    }
}

void table_print(const struct table *table, size_t first_columns, bool has_bold_headings, struct buffer *out)
{
    size_t widths[TABLE_MAX_COLUMNS] = {0};
    size_t next = 1;
    measure(table, first_columns, widths);
    do {
        struct band band = {.from = next};
        memcpy(band.widths, widths, sizeof widths);
        band_choose(table, &band);
        band_fit(table, &band);
        band_print(table, &band, has_bold_headings, out);
        next = band.to;
    } while (next < table->column_count);
}
