/* A report as Markdown with tables. */
#include "cli/view/report_markdown.h"

#include "cli/base/format.h"
#include "cli/view/last_text.h"
#include "common/escape.h"

#include <inttypes.h>
#include <string.h>

#define MARKDOWN_ROWS 50u
#define MARKDOWN_ERRORS 10u

void report_markdown_text(struct buffer *text, struct bytes plain)
{
    SCOPED(buffer_finish) struct buffer escaped;
    buffer_init(&escaped, text->maximum);
    escape_text(&escaped, plain);
    for (size_t i = 0; i < escaped.size; i++) {
        if (strchr("\\`*_{}[]<>#|~&", escaped.data[i]) != NULL) {
            buffer_append_string(text, "\\");
        }
        (void)buffer_append(text, &escaped.data[i], 1);
    }
}

static void markdown_cell_count(struct buffer *text, uint64_t count)
{
    char cell[FORMAT_BYTES];
    format_count(count, cell);
    buffer_append_format(text, " | %s", cell);
}

static void markdown_cell_us(struct buffer *text, uint64_t us)
{
    char cell[FORMAT_BYTES];
    format_us(us, cell);
    buffer_append_format(text, " | %s", cell);
}

static void markdown_cell_rate(struct buffer *text, double per_s)
{
    char cell[FORMAT_BYTES];
    format_rate(per_s, "", cell);
    buffer_append_format(text, " | %s", cell);
}

static void markdown_rest(struct buffer *text, size_t count)
{
    if (count > MARKDOWN_ROWS) {
        buffer_append_format(text, "\nand %zu more\n", count - MARKDOWN_ROWS);
    }
}

static void markdown_head(const struct report_view *report, struct buffer *text)
{
    char count[FORMAT_BYTES];
    buffer_append_string(text, "## ");
    report_markdown_text(text, report->name.size > 0 ? report->name : report->script);
    buffer_append_format(text, ": %s\n\n", report_view_outcome(report));
    if (report->reason.size > 0) {
        report_markdown_text(text, report->reason);
        buffer_append_string(text, "\n\n");
    }
    format_us(report->running_ns / 1000, count);
    buffer_append_format(text, "%" PRIu32 " %s on %zu %s, %s", report->workers,
                         report->workers == 1 ? "worker" : "workers", report->agent_count,
                         report->agent_count == 1 ? "agent" : "agents", count);
    format_count(report->steps_ok, count);
    buffer_append_format(text, "; steps: %s ok", count);
    format_count(report->steps_failed, count);
    buffer_append_format(text, ", %s failed\n", count);
}

static void markdown_requests(const struct report_view *report, bool are_timings, struct buffer *text)
{
    size_t count = 0;
    for (size_t i = 0; i < report->request_count; i++) {
        const struct request_view *request = &report->requests[i];
        if (request->is_timing != are_timings) {
            continue;
        }
        if (count == 0) {
            buffer_append_format(text,
                                 "\n| %s | count | failed | rate | p50 | p95 | p99 | max |\n"
                                 "|:--|--:|--:|--:|--:|--:|--:|--:|\n",
                                 are_timings ? "timing" : "request");
        }
        if (++count > MARKDOWN_ROWS) {
            continue;
        }
        buffer_append_string(text, "| ");
        report_markdown_text(text, request->name);
        markdown_cell_count(text, request->count);
        markdown_cell_count(text, request->failed);
        markdown_cell_rate(text, request->per_s);
        markdown_cell_us(text, request->latency.p50_us);
        markdown_cell_us(text, request->latency.p95_us);
        markdown_cell_us(text, request->latency.p99_us);
        markdown_cell_us(text, request->latency.maximum_us);
        buffer_append_string(text, " |\n");
    }
    markdown_rest(text, count);
}

static void markdown_slice_numbers(const struct slice_view *slice, struct buffer *text)
{
    markdown_cell_count(text, slice->count);
    markdown_cell_count(text, slice->failed);
    markdown_cell_rate(text, slice->per_s);
    if (slice->kind == SLICE_CHECK) {
        buffer_append_string(text, " | | | | |\n");
        return;
    }
    markdown_cell_us(text, slice->took.p50_us);
    markdown_cell_us(text, slice->took.p95_us);
    markdown_cell_us(text, slice->took.p99_us);
    markdown_cell_us(text, slice->took.maximum_us);
    buffer_append_string(text, " |\n");
}

static void markdown_groups(const struct report_view *report, struct buffer *text)
{
    size_t count = 0;
    for (size_t i = 0; i < report->slice_count && report->slices[i].tag.size == 0; i++) {
        if (++count == 1) {
            buffer_append_string(text, "\n| group | count | failed | rate | p50 | p95 | p99 | max |\n"
                                       "|:--|--:|--:|--:|--:|--:|--:|--:|\n");
        }
        if (count <= MARKDOWN_ROWS) {
            buffer_append_string(text, "| ");
            report_markdown_text(text, report->slices[i].name);
            markdown_slice_numbers(&report->slices[i], text);
        }
    }
    markdown_rest(text, count);
}

static void markdown_tags(const struct report_view *report, struct buffer *text)
{
    size_t count = 0;
    for (size_t i = 0; i < report->slice_count; i++) {
        const struct slice_view *slice = &report->slices[i];
        if (slice->tag.size == 0) {
            continue;
        }
        if (++count == 1) {
            buffer_append_string(text,
                                 "\n| tag | of | name | count | failed | rate | p50 | p95 | p99 | max |\n"
                                 "|:--|:--|:--|--:|--:|--:|--:|--:|--:|--:|\n");
        }
        if (count <= MARKDOWN_ROWS) {
            buffer_append_string(text, "| ");
            report_markdown_text(text, slice->tag);
            buffer_append_string(text, slice_view_equals(slice));
            report_markdown_text(text, slice->value);
            buffer_append_format(text, " | %s | ", slice_kind_name(slice->kind));
            report_markdown_text(text, slice->name.size > 0 ? slice->name : bytes_of_string("(all)"));
            markdown_slice_numbers(slice, text);
        }
    }
    markdown_rest(text, count);
}

static void markdown_scenarios(const struct report_view *report, struct buffer *text)
{
    if (report->scenario_count > 1) {
        buffer_append_string(text, "\n| scenario | ok | failed | share | by weight | p50 | p95 | max |\n"
                                   "|:--|--:|--:|--:|--:|--:|--:|--:|\n");
    }
    for (size_t i = 0; report->scenario_count > 1 && i < report->scenario_count && i < MARKDOWN_ROWS; i++) {
        const struct scenario_view *scenario = &report->scenarios[i];
        buffer_append_string(text, "| ");
        report_markdown_text(text, scenario->name);
        markdown_cell_count(text, scenario->ok);
        markdown_cell_count(text, scenario->failed);
        buffer_append_format(text, " | %.1f %% | %.1f %%", scenario->share * 100,
                             scenario->weight_share * 100);
        markdown_cell_us(text, scenario->step.p50_us);
        markdown_cell_us(text, scenario->step.p95_us);
        markdown_cell_us(text, scenario->step.maximum_us);
        buffer_append_string(text, " |\n");
    }
    markdown_rest(text, report->scenario_count);
}

static void markdown_last(const struct report_view *report, struct buffer *text)
{
    if (report->last_count > 0) {
        buffer_append_string(text,
                             "\n| last to come | times | others waited | longest for |\n|:--|--:|--:|:--|\n");
    }
    for (size_t i = 0; i < report->last_count && i < MARKDOWN_ROWS; i++) {
        const struct last_view *last = &report->last[i];
        SCOPED(buffer_finish) struct buffer workers;
        buffer_init(&workers, text->maximum);
        last_text_workers(last, REPORT_VIEW_LATECOMERS, &workers);
        buffer_append_string(text, "| ");
        report_markdown_text(text, last->name);
        buffer_append_format(text, ".%s", operation_name(last->kind));
        markdown_cell_count(text, last->times);
        markdown_cell_us(text, last->waited_us);
        buffer_append_string(text, " | ");
        report_markdown_text(text, buffer_bytes(&workers));
        buffer_append_string(text, " |\n");
    }
    markdown_rest(text, report->last_count);
}

static void markdown_thresholds(const struct report_view *report, struct buffer *text)
{
    if (report->threshold_count > 0) {
        buffer_append_string(text, "\n| threshold | | value |\n|:--|:--|--:|\n");
    }
    for (size_t i = 0; i < report->threshold_count; i++) {
        const struct threshold_view *threshold = &report->thresholds[i];
        buffer_append_string(text, "| ");
        report_markdown_text(text, threshold->text);
        buffer_append_format(text, " | %s | ", threshold_outcome_name(threshold->outcome));
        report_markdown_text(text, threshold->reached);
        buffer_append_string(text, " |\n");
    }
}

static void markdown_checks(const struct report_view *report, struct buffer *text)
{
    if (report->check_count > 0) {
        buffer_append_string(text, "\n| check | passed | failed |\n|:--|--:|--:|\n");
    }
    for (size_t i = 0; i < report->check_count && i < MARKDOWN_ROWS; i++) {
        buffer_append_string(text, "| ");
        report_markdown_text(text, report->checks[i].name);
        markdown_cell_count(text, report->checks[i].passed);
        markdown_cell_count(text, report->checks[i].failed);
        buffer_append_string(text, " |\n");
    }
    markdown_rest(text, report->check_count);
}

static void markdown_errors(const struct report_view *report, struct buffer *text)
{
    if (report->error_count > 0) {
        buffer_append_string(text, "\n| times | error |\n|--:|:--|\n");
    }
    for (size_t i = 0; i < report->error_count && i < MARKDOWN_ERRORS; i++) {
        char count[FORMAT_BYTES];
        format_count(report->errors[i].count, count);
        buffer_append_format(text, "| %s | ", count);
        report_markdown_text(text, report->errors[i].text);
        buffer_append_string(text, " |\n");
    }
    if (report->error_count > MARKDOWN_ERRORS) {
        buffer_append_format(text, "\nand %zu more kinds of errors\n", report->error_count - MARKDOWN_ERRORS);
    }
}

void report_markdown(const struct report_view *report, struct buffer *text)
{
    markdown_head(report, text);
    markdown_thresholds(report, text);
    markdown_requests(report, false, text);
    markdown_requests(report, true, text);
    markdown_groups(report, text);
    markdown_tags(report, text);
    markdown_scenarios(report, text);
    markdown_checks(report, text);
    markdown_last(report, text);
    markdown_errors(report, text);
    buffer_append_string(text, "\n");
}
