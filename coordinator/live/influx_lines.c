/* The line protocol of InfluxDB. */
#include "coordinator/live/influx_lines.h"

/* A backslash before what is escaped would be ambiguous, so there is none in a value of ours. */
#define NOT_IN_TAGS "\\"

static void influx_append_tag(struct buffer *into, const char *name, struct bytes value)
{
    char kept[4 * 256];
    struct buffer text;
    buffer_init_within(&text, kept, sizeof kept);
    line_append_name(&text, value, NOT_IN_TAGS);
    if (text.size == 0) {
        return; /* a tag without a value is malformed */
    }
    buffer_append_format(into, ",%s=", name);
    for (size_t i = 0; i < text.size; i++) {
        if (kept[i] == ',' || kept[i] == '=' || kept[i] == ' ') {
            buffer_append_string(into, "\\");
        }
        (void)buffer_append(into, &kept[i], 1);
    }
}

static void influx_append_tags(struct buffer *into, const struct report_view *report)
{
    buffer_append_format(into, ",campaign=%llu", (unsigned long long)report->campaign);
    influx_append_tag(into, "script", report->script);
}

static void influx_append_row(struct buffer *into, const struct live_second *second,
                              const struct series_row_view *row)
{
    const char *separator = " ";
    buffer_append_string(into, "tutti_");
    line_append_group(into, row);
    influx_append_tags(into, second->report);
    if (!row->is_total) {
        influx_append_tag(into, "name", row->name.bytes);
    }
    for (size_t i = 0; i < series_column_count(row->group); i++) {
        struct series_column column = series_column(row->group, i);
        if (line_column_has_value(row, i)) {
            buffer_append_format(into, "%s%s=", separator, column.key);
            line_append_value(into, column.unit, (int64_t)row->values[i]);
            buffer_append_string(into, line_unit_is_whole(column.unit) ? "i" : "");
            separator = ",";
        }
    }
    buffer_append_format(into, " %llu\n", (unsigned long long)second->wall_ns);
}

void influx_lines_second(const struct live_second *second, struct buffer *into)
{
    size_t from = 0;
    for (size_t i = 0; i < second->now->row_count; i++) {
        const struct series_row_view *row = &second->now->rows[i];
        const struct series_row_view *before = line_find_row(second->before, row, &from);
        if (row->is_total || line_row_is_used(row) || (before != NULL && line_row_is_used(before))) {
            influx_append_row(into, second, row);
        }
    }
}

void influx_lines_thresholds(const struct report_view *report, uint64_t wall_ns, struct buffer *into)
{
    for (size_t i = 0; i < report->threshold_count; i++) {
        const struct threshold_view *threshold = &report->thresholds[i];
        buffer_append_string(into, "tutti_thresholds");
        influx_append_tags(into, report);
        influx_append_tag(into, "threshold", threshold->text);
        buffer_append_format(into, " missed=%s", threshold->outcome == THRESHOLD_MISSED ? "true" : "false");
        if (threshold->has_value) {
            buffer_append_format(into, ",value=%.15g", threshold->value);
        }
        buffer_append_format(into, " %llu\n", (unsigned long long)wall_ns);
    }
}
