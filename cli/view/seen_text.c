/* What readers saw of edits, for a person. */
#include "cli/view/seen_text.h"
#include "cli/base/format.h"
#include "cli/base/table.h"
#include "common/escape.h"
#include "common/worker_set.h"

#define ROWS_SHOWN 20u
#define NAME_COLUMNS 40u
#define EXAMPLES_SHOWN 3u
#define WORKERS_BYTES 200
#define CELL_BYTES 200
#define RED "\033[31m"

static uint64_t times_in_all(const struct seen_view *seen)
{
    uint64_t times = seen->last_others;
    for (size_t i = 0; i < seen->last_count; i++) {
        times += seen->last[i].times;
    }
    return times;
}

static void add_last(struct table *table, const struct seen_view *seen)
{
    SCOPED(buffer_finish) struct buffer cell;
    buffer_init(&cell, CELL_BYTES);
    if (seen->last_count > 0) {
        char times[FORMAT_BYTES];
        char all[FORMAT_BYTES];
        format_count(seen->last[0].times, times);
        format_count(times_in_all(seen), all);
        buffer_append_format(&cell, "worker %u (%s of %s)", seen->last[0].worker, times, all);
    }
    table_add(table, buffer_bytes(&cell));
}

static void add_row(struct table *table, const struct seen_view *seen)
{
    table_add(table, seen->name);
    table_add_count(table, seen->count);
    table_add_us(table, seen->seen.p50_us);
    table_add_us(table, seen->seen.p95_us);
    table_add_us(table, seen->seen.p99_us);
    table_add_us(table, seen->seen.maximum_us);
    table_add_us(table, seen->spread.p50_us);
    add_last(table, seen);
}

static void add_part(struct table *table, struct bytes notifier, const struct seen_part_view *part)
{
    SCOPED(buffer_finish) struct buffer name;
    buffer_init(&name, CELL_BYTES);
    buffer_append_format(&name, "%.*s (%.*s)", BYTES_FORMAT(notifier), BYTES_FORMAT(part->browser));
    table_add(table, buffer_bytes(&name));
    table_add_count(table, part->count);
    table_add_us(table, part->seen.p50_us);
    table_add_us(table, part->seen.p95_us);
    table_add_us(table, part->seen.p99_us);
    table_add_us(table, part->seen.maximum_us);
}

/* Where readers have browsers of several kinds. */
static void append_parts(struct buffer *text, const struct report_view *report, bool has_colour)
{
    static const char *const columns[] = {"by browser", "count", "p50", "p95", "p99", "max", NULL};
    SCOPED(table_finish) struct table table;
    table_init(&table, columns);
    for (size_t i = 0; i < report->seen_count; i++) {
        const struct seen_view *seen = &report->seen[i];
        for (size_t j = 0; j < seen->part_count && table_rows(&table) < ROWS_SHOWN; j++) {
            if (seen->count > 0 && seen->parts[j].count > 0) {
                add_part(&table, seen->name, &seen->parts[j]);
            }
        }
    }
    if (table_rows(&table) > 0) {
        table_print(&table, NAME_COLUMNS, has_colour, text);
    }
}

static void append_counted(struct buffer *text, uint64_t count, const char *what)
{
    char number[FORMAT_BYTES];
    if (count > 0) {
        format_count(count, number);
        buffer_append_format(text, "  %s %s\n", number, what);
    }
}

static void append_times(struct buffer *text, const struct report_view *report, bool has_colour)
{
    static const char *const columns[] = {"edit → seen", "count",  "p50",         "p95", "p99",
                                          "max",         "spread", "<often last", NULL};
    SCOPED(table_finish) struct table table;
    uint64_t uncertainty_us = 0;
    uint64_t before_edit = 0;
    uint64_t at_once = 0;
    table_init(&table, columns);
    for (size_t i = 0; i < report->seen_count && table_rows(&table) < ROWS_SHOWN; i++) {
        const struct seen_view *seen = &report->seen[i];
        at_once += seen->at_once;
        if (seen->count > 0) {
            add_row(&table, seen);
            uncertainty_us = seen->uncertainty_us > uncertainty_us ? seen->uncertainty_us : uncertainty_us;
            before_edit += seen->before_edit;
        }
    }
    if (table_rows(&table) > 0) {
        char within[FORMAT_BYTES];
        format_us(uncertainty_us, within);
        buffer_append_string(text, "\n");
        table_print(&table, NAME_COLUMNS, has_colour, text);
        append_parts(text, report, has_colour);
        buffer_append_format(text, "  true to within %s, by the clocks of the hosts\n", within);
    } else if (at_once > 0) {
        buffer_append_string(text, "\n  edit → seen\n");
    }
    append_counted(text, before_edit, "seen before the edit began, and counted as 0");
    append_counted(text, at_once, "already there when the reader began to look, and in no number above");
}

static void append_example(struct buffer *text, const struct divergence *divergence)
{
    char workers[WORKERS_BYTES];
    struct worker_set set;
    worker_set_init(&set);
    for (uint32_t i = 0; i < divergence->worker_count; i++) {
        worker_set_add(&set, divergence->workers[i]);
    }
    worker_set_describe(&set, workers, sizeof workers);
    worker_set_finish(&set);
    buffer_append_format(text, "      step %llu of room %u: %s saw something else than %s\n",
                         (unsigned long long)divergence->step, divergence->room, workers,
                         divergence->is_from_written ? "what was written" : "most of the readers");
}

static void append_convergence(struct buffer *text, const struct seen_view *seen, bool has_colour)
{
    char same[FORMAT_BYTES];
    char steps[FORMAT_BYTES];
    bool is_red = has_colour && seen->steps_diverged > 0;
    format_count(seen->steps_compared - seen->steps_diverged, same);
    format_count(seen->steps_compared, steps);
    buffer_append_format(text, "%s  ", is_red ? RED : "");
    escape_text(text, seen->name);
    buffer_append_format(text, ": in %s of %s %s all readers saw the same%s\n", same, steps,
                         seen->steps_compared == 1 ? "step" : "steps", is_red ? TABLE_PLAIN : "");
    for (size_t i = 0; i < seen->example_count && i < EXAMPLES_SHOWN; i++) {
        append_example(text, &seen->examples[i]);
    }
}

void seen_text(const struct report_view *report, bool has_colour, struct buffer *text)
{
    append_times(text, report, has_colour);
    bool is_first = true;
    for (size_t i = 0; i < report->seen_count && i < ROWS_SHOWN; i++) {
        if (report->seen[i].steps_compared > 0) {
            buffer_append_string(text, is_first ? "\n" : "");
            is_first = false;
            append_convergence(text, &report->seen[i], has_colour);
        }
    }
}
