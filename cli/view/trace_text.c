/* The slowest traces for a person: one of each name, as the JSON report has ten. */
#include "cli/view/trace_text.h"

#include "cli/base/table.h"

#include <inttypes.h>
#include <stdio.h>

#define TRACE_ROWS_SHOWN 20u
#define TRACE_NAME_COLUMNS 40u
#define TRACE_WHERE_BYTES 64

static void add_trace(struct table *table, const struct slow_trace *trace)
{
    char id[TRACE_TEXT_BYTES];
    char where[TRACE_WHERE_BYTES];
    trace_id_to_text(trace->id, id);
    table_add_us(table, trace->latency_us);
    if (!trace->has_worker) {
        (void)snprintf(where, sizeof where, "global fixture");
    } else if (trace->step == 0) {
        (void)snprintf(where, sizeof where, "worker %" PRIu32, trace->worker);
    } else {
        (void)snprintf(where, sizeof where, "worker %" PRIu32 ", step %" PRIu64, trace->worker, trace->step);
    }
    table_add(table, bytes_of_string(where));
    table_add(table, bytes_of_string(id));
}

void trace_text(const struct report_view *report, bool has_colour, struct buffer *text)
{
    static const char *const columns[] = {"slowest traced", "took", "<by", "<trace", NULL};
    SCOPED(table_finish) struct table table;
    size_t count = 0;
    table_init(&table, columns);
    for (size_t i = 0; i < report->request_count; i++) {
        const struct request_view *request = &report->requests[i];
        if (request->slowest.size > 0 && ++count <= TRACE_ROWS_SHOWN) {
            table_add(&table, request->name);
            add_trace(&table, &request->slowest.items[0]);
        }
    }
    if (count == 0) {
        return;
    }
    buffer_append_string(text, "\n");
    table_print(&table, TRACE_NAME_COLUMNS, has_colour, text);
    if (count > TRACE_ROWS_SHOWN) {
        buffer_append_format(text, "  and of %zu more names (--json has all)\n", count - TRACE_ROWS_SHOWN);
    }
}
