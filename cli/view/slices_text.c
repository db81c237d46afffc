/* Groups, and what is counted by tag, for a person. */
#include "cli/view/slices_text.h"

#include "cli/base/table.h"
#include "proto/message/tags.h"

#define SLICE_ROWS_SHOWN 30u
#define SLICE_NAME_COLUMNS 40u
#define SLICE_CELL_BYTES 1024

static void slice_add_numbers(struct table *table, const struct slice_view *slice)
{
    table_add_count(table, slice->count);
    table_add_count(table, slice->failed);
    if (slice->kind == SLICE_CHECK) {
        for (int i = 0; i < 4; i++) {
            table_add(table, bytes_of_string(""));
        }
        return;
    }
    table_add_us(table, slice->took.p50_us);
    table_add_us(table, slice->took.p95_us);
    table_add_us(table, slice->took.p99_us);
    table_add_us(table, slice->took.maximum_us);
}

/* "tier=gold", and then "login", "check price is there" or "all requests". */
static void slice_add_tag(struct table *table, const struct slice_view *slice)
{
    SCOPED(buffer_finish) struct buffer cell;
    buffer_init(&cell, SLICE_CELL_BYTES);
    buffer_append_format(&cell, "%.*s%s%.*s", BYTES_FORMAT(slice->tag), slice_view_equals(slice),
                         BYTES_FORMAT(slice->value));
    table_add(table, buffer_bytes(&cell));
    buffer_clear(&cell);
    if (slice->name.size == 0) {
        buffer_append_string(&cell, "all requests");
    } else {
        buffer_append_format(&cell, "%s%s%.*s",
                             slice->kind == SLICE_REQUEST ? "" : slice_kind_name(slice->kind),
                             slice->kind == SLICE_REQUEST ? "" : " ", BYTES_FORMAT(slice->name));
    }
    table_add(table, buffer_bytes(&cell));
}

static void slices_append_table(struct buffer *text, const struct table *table, size_t count, bool has_colour)
{
    if (count == 0) {
        return;
    }
    buffer_append_string(text, "\n");
    table_print(table, SLICE_NAME_COLUMNS, has_colour, text);
    if (count > SLICE_ROWS_SHOWN) {
        buffer_append_format(text, "  and %zu more (--json has all)\n", count - SLICE_ROWS_SHOWN);
    }
}

static void slices_append_groups(struct buffer *text, const struct report_view *report, bool has_colour)
{
    static const char *const columns[] = {"groups", "count", "failed", "p50", "p95", "p99", "max", NULL};
    SCOPED(table_finish) struct table table;
    size_t count = 0;
    table_init(&table, columns);
    for (size_t i = 0; i < report->slice_count; i++) {
        if (report->slices[i].tag.size == 0 && ++count <= SLICE_ROWS_SHOWN) {
            table_add(&table, report->slices[i].name);
            slice_add_numbers(&table, &report->slices[i]);
        }
    }
    slices_append_table(text, &table, count, has_colour);
}

static void slices_append_tags(struct buffer *text, const struct report_view *report, bool has_colour)
{
    static const char *const columns[] = {"by tag", "<of", "count", "failed", "p50",
                                          "p95",    "p99", "max",   NULL};
    SCOPED(table_finish) struct table table;
    size_t count = 0;
    bool are_others = false;
    table_init(&table, columns);
    for (size_t i = 0; i < report->slice_count; i++) {
        const struct slice_view *slice = &report->slices[i];
        if (slice->tag.size > 0 && ++count <= SLICE_ROWS_SHOWN) {
            slice_add_tag(&table, slice);
            slice_add_numbers(&table, slice);
        }
        are_others = are_others || slice_view_is_other(slice);
    }
    slices_append_table(text, &table, count, has_colour);
    if (are_others) {
        buffer_append_format(text, "  more than %u tags, or %u values of one, count together as %s\n",
                             TAG_NAMES, TAG_VALUES, TAG_OTHER);
    }
}

void slices_text(const struct report_view *report, bool has_colour, struct buffer *text)
{
    slices_append_groups(text, report, has_colour);
    slices_append_tags(text, report, has_colour);
}
