/* A comparison for a person. */
#include "cli/base/table.h"
#include "cli/compare/comparison_view.h"
#include "common/escape.h"

#define NAME_COLUMNS 40u
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"

static const char *const change_colours[CHANGE_KINDS] = {
    [CHANGE_NONE] = "",        [CHANGE_SAME] = "",  [CHANGE_BETTER] = GREEN, [CHANGE_WORSE] = RED,
    [CHANGE_UNKNOWN] = YELLOW, [CHANGE_ADDED] = "", [CHANGE_GONE] = "",
};

/* "  base  a.json, b.json" */
static void comparison_append_side(struct buffer *text, const char *word, const struct compared_run *runs,
                                   size_t count)
{
    buffer_append_format(text, "  %s  ", word);
    for (size_t i = 0; i < count; i++) {
        buffer_append_string(text, i > 0 ? ", " : "");
        escape_text(text, runs[i].name);
    }
    buffer_append_string(text, "\n");
}

/* Lines that begin with two spaces, escaped; `lines` may be of others. */
static void comparison_append_lines(struct buffer *text, struct bytes lines)
{
    size_t start = 0;
    for (size_t i = 0; i < lines.size; i++) {
        if (lines.data[i] == '\n') {
            buffer_append_string(text, i > start ? "  " : "");
            escape_text(text, bytes_of(lines.data + start, i - start));
            buffer_append_string(text, "\n");
            start = i + 1;
        }
    }
}

static void comparison_add_row(struct table *table, const struct compared_row *row,
                               enum measure_number number)
{
    const struct compared *compared = &row->numbers[number];
    SCOPED(buffer_finish) struct buffer name;
    char cell[COMPARISON_CELL_BYTES];
    buffer_init(&name, FAIL_IF_MAX_BYTES);
    comparison_append_name(&name, row, number);
    table_add(table, buffer_bytes(&name));
    const bool has[] = {compared->has_base, compared->has_new};
    const double values[] = {compared->base, compared->new};
    for (int side = 0; side < 2; side++) {
        comparison_value(values[side], number, cell);
        table_add(table, bytes_of_string(has[side] ? cell : "-"));
    }
    bool has_both = compared->has_base && compared->has_new;
    comparison_change(has_both ? compared_change(compared, number) : 0, number, cell);
    table_add(table, bytes_of_string(has_both ? cell : ""));
    comparison_noise(compared, number, cell);
    table_add(table, bytes_of_string(has_both && compared->change != CHANGE_NONE ? cell : ""));
    table_add(table, bytes_of_string(change_name(compared->change)));
}

static void comparison_append_table(struct buffer *text, const struct comparison *comparison,
                                    enum measure_kind kind, bool has_colour)
{
    static const char *const headings[] = {"", "base", "new", "change", "noise", "<", NULL};
    struct table table;
    table_init(&table, headings);
    for (size_t i = 0; i < comparison->count; i++) {
        const struct compared_row *row = &comparison->rows[i];
        for (int number = 0; row->kind == kind && number < MEASURE_NUMBERS; number++) {
            if (row->numbers[number].has_base || row->numbers[number].has_new) {
                comparison_add_row(&table, row, (enum measure_number)number);
            }
        }
    }
    if (table_rows(&table) > 0) {
        buffer_append_string(text, "\n");
        table_print(&table, NAME_COLUMNS, has_colour, text);
    }
    table_finish(&table);
}

void comparison_text(const struct comparison_view *view, bool has_colour, struct buffer *text)
{
    SCOPED(buffer_finish) struct buffer words;
    buffer_init(&words, text->maximum);
    comparison_append_verdict(&words, view);
    buffer_append_format(text, "\n%s", has_colour ? change_colours[view->comparison->change] : "");
    escape_text(text, buffer_bytes(&words));
    buffer_append_format(text, "%s\n\n", has_colour ? TABLE_PLAIN : "");
    comparison_append_side(text, "base", view->base, view->base_count);
    comparison_append_side(text, "new ", view->new, view->new_count);
    for (int kind = 0; kind < MEASURE_KINDS; kind++) {
        comparison_append_table(text, view->comparison, (enum measure_kind)kind, has_colour);
    }
    buffer_clear(&words);
    buffer_append_string(text, "\n");
    comparison_append_notes(&words, view);
    for (size_t i = 0; i < view->fail_if_count; i++) {
        buffer_append_string(&words, i == 0 ? "\n" : "");
        comparison_append_fail_if(&words, &view->fail_ifs[i]);
        buffer_append_string(&words, "\n");
    }
    comparison_append_lines(text, buffer_bytes(&words));
    buffer_append_string(text, "\n");
}
