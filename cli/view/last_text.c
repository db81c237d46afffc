/* Who came last to barriers and notifiers, for a person. */
#include "cli/view/last_text.h"

#include "cli/base/format.h"
#include "cli/base/table.h"

#include <inttypes.h>

#define LAST_ROWS_SHOWN 20u
#define LAST_WORKERS_SHOWN 2u
#define LAST_NAME_COLUMNS 40u
/* So many that the first worker is there with its time: half of a number would be read as one. */
#define LAST_WORKER_COLUMNS 40u
#define LAST_CELL_BYTES 1024

static void last_append_numbers(struct buffer *text, const struct latecomer_view *latecomer, uint64_t all)
{
    char times[FORMAT_BYTES];
    char of[FORMAT_BYTES];
    char waited[FORMAT_BYTES];
    format_count(latecomer->times, times);
    format_count(all, of);
    format_us(latecomer->waited_us, waited);
    if (latecomer->times == all) { /* then the column beside it says how long */
        buffer_append_format(text, "%s of %s)", times, of);
    } else {
        buffer_append_format(text, "%s of %s, %s)", times, of, waited);
    }
}

void last_text_workers(const struct last_view *last, size_t shown, struct buffer *text)
{
    for (size_t i = 0; i < last->worker_count && i < shown; i++) {
        const struct latecomer_view *worker = &last->workers[i];
        buffer_append_format(text, "%sworker %" PRIu32 " (", i > 0 ? ", " : "", worker->worker);
        if (worker->agent.size > 0) {
            buffer_append_format(text, "%.*s, ", BYTES_FORMAT(worker->agent));
        }
        last_append_numbers(text, worker, last->times);
    }
}

static void last_add_row(struct table *table, const struct last_view *last)
{
    SCOPED(buffer_finish) struct buffer cell;
    buffer_init(&cell, LAST_CELL_BYTES);
    buffer_append_format(&cell, "%.*s.%s", BYTES_FORMAT(last->name), operation_name(last->kind));
    table_add(table, buffer_bytes(&cell));
    table_add_count(table, last->times);
    table_add_us(table, last->waited_us);
    buffer_clear(&cell);
    last_text_workers(last, LAST_WORKERS_SHOWN, &cell);
    table_add(table, buffer_bytes(&cell));
}

void last_text(const struct report_view *report, bool has_colour, struct buffer *text)
{
    static const char *const columns[] = {"last to come", "times", "others waited", "<longest for", NULL};
    if (report->last_count == 0) {
        return;
    }
    SCOPED(table_finish) struct table table;
    table_init(&table, columns);
    table.least_text = LAST_WORKER_COLUMNS;
    for (size_t i = 0; i < report->last_count && i < LAST_ROWS_SHOWN; i++) {
        last_add_row(&table, &report->last[i]);
    }
    buffer_append_string(text, "\n");
    table_print(&table, LAST_NAME_COLUMNS, has_colour, text);
    if (report->last_count > LAST_ROWS_SHOWN) {
        buffer_append_format(text, "  and %zu more (--json has all)\n", report->last_count - LAST_ROWS_SHOWN);
    }
}
