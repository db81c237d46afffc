/* How a campaign's plan was kept, for a person. */
#include "cli/view/load_text.h"

#include "cli/base/format.h"

static void append_arrivals(const struct report_view *report, struct buffer *text)
{
    char arrivals[FORMAT_BYTES];
    char dropped[FORMAT_BYTES];
    if (!report->has_rate) {
        return;
    }
    format_count(report->arrivals, arrivals);
    format_count(report->dropped, dropped);
    buffer_append_format(text, "%s arrivals, %s dropped; ", arrivals, dropped);
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

void load_text(const struct report_view *report, struct buffer *text)
{
    char middle[FORMAT_BYTES];
    char high[FORMAT_BYTES];
    char most[FORMAT_BYTES];
    if (report->goal.text.size > 0) {
        append_goal(&report->goal, text);
    }
    if (!report->has_plan) {
        return;
    }
    format_us(report->late.p50_us, middle);
    format_us(report->late.p99_us, high);
    format_us(report->late.maximum_us, most);
    buffer_append_string(text, "  load    ");
    append_arrivals(report, text);
    buffer_append_format(text, "steps began late by p50 %s, p99 %s, max %s\n", middle, high, most);
    bool has_requests = report->request.maximum_us > 0;
    format_us(has_requests ? report->request_response.p99_us : report->response.p99_us, high);
    format_us(has_requests ? report->request.p99_us : report->step.p99_us, most);
    buffer_append_format(text,
                         "  p99     of %s: response time %s (since the intended start), service time %s\n",
                         has_requests ? "requests" : "steps", high, most);
}
