/* A comparison as Markdown. */
#include "cli/compare/comparison_view.h"
#include "cli/view/report_markdown.h"

#define MARKDOWN_NUMBERS 200u

static void comparison_markdown_row(struct buffer *text, const struct compared_row *row,
                                    enum measure_number number)
{
    const struct compared *compared = &row->numbers[number];
    bool has_both = compared->has_base && compared->has_new;
    bool is_marked = compared->change == CHANGE_WORSE || compared->change == CHANGE_BETTER;
    char cells[4][COMPARISON_CELL_BYTES];
    SCOPED(buffer_finish) struct buffer name;
    buffer_init(&name, FAIL_IF_MAX_BYTES);
    comparison_append_name(&name, row, number);
    comparison_value(compared->base, number, cells[0]);
    comparison_value(compared->new, number, cells[1]);
    comparison_change(has_both ? compared_change(compared, number) : 0, number, cells[2]);
    comparison_noise(compared, number, cells[3]);
    buffer_append_string(text, "| ");
    report_markdown_text(text, buffer_bytes(&name));
    buffer_append_format(text, " | %s | %s | %s | %s | %s%s%s |\n", compared->has_base ? cells[0] : "",
                         compared->has_new ? cells[1] : "", has_both ? cells[2] : "",
                         has_both && compared->change != CHANGE_NONE ? cells[3] : "", is_marked ? "**" : "",
                         change_name(compared->change), is_marked ? "**" : "");
}

static void comparison_markdown_table(struct buffer *text, const struct comparison *comparison)
{
    size_t count = 0;
    buffer_append_string(text, "\n| | base | new | change | noise | |\n|:--|--:|--:|--:|--:|:--|\n");
    for (size_t i = 0; i < comparison->count; i++) {
        const struct compared_row *row = &comparison->rows[i];
        for (int number = 0; number < MEASURE_NUMBERS; number++) {
            if ((row->numbers[number].has_base || row->numbers[number].has_new) &&
                ++count <= MARKDOWN_NUMBERS) {
                comparison_markdown_row(text, row, (enum measure_number)number);
            }
        }
    }
    if (count > MARKDOWN_NUMBERS) {
        buffer_append_format(text, "\nand %zu more\n", count - MARKDOWN_NUMBERS);
    }
}

static void comparison_markdown_side(struct buffer *text, const char *word, const struct compared_run *runs,
                                     size_t count)
{
    buffer_append_string(text, word);
    for (size_t i = 0; i < count; i++) {
        buffer_append_string(text, i > 0 ? ", " : " ");
        report_markdown_text(text, runs[i].name);
    }
}

/* Each line as an item. */
static void comparison_markdown_lines(struct buffer *text, struct bytes lines)
{
    size_t start = 0;
    for (size_t i = 0; i < lines.size; i++) {
        if (lines.data[i] == '\n') {
            buffer_append_string(text, "* ");
            report_markdown_text(text, bytes_of(lines.data + start, i - start));
            buffer_append_string(text, "\n");
            start = i + 1;
        }
    }
}

void comparison_markdown(const struct comparison_view *view, struct buffer *text)
{
    SCOPED(buffer_finish) struct buffer words;
    buffer_init(&words, text->maximum);
    comparison_append_verdict(&words, view);
    buffer_append_string(text, "## ");
    report_markdown_text(text, buffer_bytes(&words));
    buffer_append_string(text, "\n\n");
    comparison_markdown_side(text, "base:", view->base, view->base_count);
    comparison_markdown_side(text, "; new:", view->new, view->new_count);
    buffer_append_string(text, "\n");
    if (view->fail_if_count > 0) {
        buffer_append_string(text, "\n| fail if | |\n|:--|:--|\n");
    }
    for (size_t i = 0; i < view->fail_if_count; i++) {
        const struct judged_fail_if *judged = &view->fail_ifs[i];
        buffer_append_string(text, "| ");
        report_markdown_text(text, judged->condition.text);
        buffer_append_format(text, " | %s |\n", fail_if_outcome_name(judged->outcome));
    }
    comparison_markdown_table(text, view->comparison);
    buffer_clear(&words);
    comparison_append_notes(&words, view);
    buffer_append_string(text, "\n");
    comparison_markdown_lines(text, buffer_bytes(&words));
}
