/* How a campaign's plan was kept, for a person. */
#include "cli/view/load_text.h"

#include "cli/base/format.h"
#include "cli/base/table.h"

#define LINE_MAX_BYTES 1024u
#define TEXT_INDENT 10

static void append_arrivals(const struct report_view *report, struct buffer *text)
{
    char arrivals[FORMAT_BYTES];
    char dropped[FORMAT_BYTES];
    if (!report->has_rate) {
        return;
    }
    format_count(report->arrivals, arrivals);
    format_count(report->dropped, dropped);
    buffer_append_format(text, "%s %s, %s dropped; ", arrivals,
                         report->arrivals == 1 ? "arrival" : "arrivals", dropped);
    if (report->may_grow) {
        format_count(report->workers_grown, arrivals);
        buffer_append_format(text, "%s workers more than at the beginning; ", arrivals);
    }
}

static void append_goal(const struct goal_view *goal, struct buffer *text)
{
    bool is_missed = bytes_equal_string(goal->state, "missed");
    buffer_append_format(text, "  goal    %.*s: %s with %u worker%s%s%.*s%s\n", BYTES_FORMAT(goal->text),
                         bytes_equal_string(goal->state, "held") ? "held"
                         : is_missed                             ? "not reached"
                                                                 : "still searching",
                         goal->workers, goal->workers == 1 ? "" : "s", goal->has_value ? " (" : "",
                         BYTES_FORMAT(goal->reached), goal->has_value ? ")" : "");
}

static void append_sizing(const struct sizing_view *sizing, struct buffer *text)
{
    const char *s = sizing->workers == 1 ? "" : "s";
    buffer_append_string(text, "  sizing  ");
    if (bytes_equal_string(sizing->state, "searching")) {
        buffer_append_format(text, "not finished: %u worker%s so far", sizing->workers, s);
    } else if (bytes_equal_string(sizing->state, "all")) {
        buffer_append_format(text, "at least %u worker%s", sizing->workers, s);
    } else {
        buffer_append_format(text, "%u worker%s", sizing->workers, s);
    }
    if (sizing->too_many > 0) {
        buffer_append_format(text, "; with %u, %.3g %% of the steps failed", sizing->too_many,
                             sizing->failed_percent);
        if (sizing->p95_ms > 0) {
            buffer_append_format(text, ", and p95 was %.3g ms", sizing->p95_ms);
        }
    }
    buffer_append_string(text, "\n");
}

void load_text(const struct report_view *report, struct buffer *text)
{
    char middle[FORMAT_BYTES];
    char high[FORMAT_BYTES];
    char most[FORMAT_BYTES];
    if (report->goal.text.size > 0) {
        append_goal(&report->goal, text);
    }
    if (report->sizing.state.size > 0) {
        append_sizing(&report->sizing, text);
    }
    if (!report->has_plan) {
        return;
    }
    format_us(report->late.p50_us, middle);
    format_us(report->late.p99_us, high);
    format_us(report->late.maximum_us, most);
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, LINE_MAX_BYTES);
    buffer_append_string(&line, "  load    ");
    append_arrivals(report, &line);
    buffer_append_format(&line, "steps began late by p50 %s, p99 %s, max %s", middle, high, most);
    format_wrap(buffer_bytes(&line), TABLE_COLUMNS, TEXT_INDENT, text);
    buffer_clear(&line);
    bool has_requests = report->request.maximum_us > 0;
    format_us(has_requests ? report->request_response.p99_us : report->response.p99_us, high);
    format_us(has_requests ? report->request.p99_us : report->step.p99_us, most);
    buffer_append_format(&line,
                         "  p99     of %s: response time %s (since the intended start), service time %s",
                         has_requests ? "requests" : "steps", high, most);
    buffer_append_string(text, "\n");
    format_wrap(buffer_bytes(&line), TABLE_COLUMNS, TEXT_INDENT, text);
    buffer_append_string(text, "\n");
}
