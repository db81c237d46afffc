/* The lines of statsd. */
#include "coordinator/live/statsd_lines.h"

#include <string.h>

/* They end a name or a part of it. */
#define NOT_IN_NAMES ".:|@#, /\\;=~*\"'"
#define PLACE "{campaign}"

static void statsd_append_prefix(struct buffer *into, const char *prefix, const struct report_view *report)
{
    const char *place = strstr(prefix, PLACE);
    if (place == NULL) {
        buffer_append_string(into, prefix);
    } else {
        buffer_append_format(into, "%.*s%llu%s", (int)(place - prefix), prefix,
                             (unsigned long long)report->campaign, place + strlen(PLACE));
    }
}

static void statsd_append_name(struct buffer *into, const struct live_second *second, const char *prefix,
                               const struct series_row_view *row)
{
    statsd_append_prefix(into, prefix, second->report);
    buffer_append_string(into, ".");
    line_append_group(into, row);
    buffer_append_string(into, ".");
    if (!row->is_total) {
        line_append_name(into, row->name.bytes, NOT_IN_NAMES);
        buffer_append_string(into, ".");
    }
}

/* A sum is sent as how much it has grown, a state only of the latest second: a gauge has no time. */
static void statsd_append_row(struct buffer *into, const struct live_second *second, const char *prefix,
                              const struct series_row_view *row, const struct series_row_view *before)
{
    for (size_t i = 0; i < series_column_count(row->group); i++) {
        struct series_column column = series_column(row->group, i);
        bool is_state = line_column_is_state(row->group, i);
        int64_t known = before != NULL && !is_state ? (int64_t)before->values[i] : 0;
        int64_t value = (int64_t)row->values[i] - known;
        if (!line_column_has_value(row, i) || (is_state ? !second->is_latest : value == 0)) {
            continue;
        }
        statsd_append_name(into, second, prefix, row);
        buffer_append_format(into, "%s:", column.key);
        line_append_value(into, column.unit, value);
        buffer_append_string(into, is_state ? "|g\n" : "|c\n");
    }
}

void statsd_lines_second(const struct live_second *second, const char *prefix, struct buffer *into)
{
    size_t from = 0;
    for (size_t i = 0; i < second->now->row_count; i++) {
        const struct series_row_view *row = &second->now->rows[i];
        statsd_append_row(into, second, prefix, row, line_find_row(second->before, row, &from));
    }
}

void statsd_lines_thresholds(const struct report_view *report, const char *prefix, struct buffer *into)
{
    for (size_t i = 0; i < report->threshold_count; i++) {
        const struct threshold_view *threshold = &report->thresholds[i];
        for (int is_value = 0; is_value <= (int)threshold->has_value; is_value++) {
            double missed = threshold->outcome == THRESHOLD_MISSED ? 1 : 0;
            statsd_append_prefix(into, prefix, report);
            buffer_append_string(into, ".thresholds.");
            line_append_name(into, threshold->text, NOT_IN_NAMES);
            buffer_append_format(into, ".%s:%.15g|g\n", is_value ? "value" : "missed",
                                 is_value ? threshold->value : missed);
        }
    }
}
