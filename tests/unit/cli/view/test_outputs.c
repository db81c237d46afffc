/* A report as CSV, JUnit and Markdown: complete, and whatever names contain, still well formed. */
#include "cli/view/report_csv.h"
#include "cli/view/report_junit.h"
#include "cli/view/report_markdown.h"
#include "tests/unit/cli/view/sample_report.h"

#include "common/memory.h"
#include "coordinator/core/series/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct scenario_report scenarios[2];

static int set_up_outputs(void **state)
{
    struct sample_report *sample = MEMORY_NEW(struct sample_report);
    sample_report_init(sample);
    scenarios[0] = (struct scenario_report){.name = bytes_of_string("a, \"b\" <&>|"),
                                            .weight_milli = 1,
                                            .steps_ok = 3,
                                            .steps_failed = 1,
                                            .step_us = sample->latency_us};
    scenarios[1] = (struct scenario_report){
        .name = bytes_of_string("buy"), .weight_milli = 1, .steps_ok = 4, .step_us = sample->latency_us};
    sample->requests[0].received_bytes = 77;
    close_counts_add(&sample->requests[0].statuses, 200, 1227);
    close_counts_add(&sample->requests[0].statuses, 0, 7);
    sample->report.scenarios = scenarios;
    sample->report.scenario_count = 2;
    *state = sample;
    return 0;
}

static int tear_down_outputs(void **state)
{
    sample_report_finish(*state);
    memory_free(*state);
    return 0;
}

typedef void output_function(const struct report_view *report, struct buffer *text);

static void write_output(const struct sample_report *sample, output_function *function, struct buffer *text)
{
    SCOPED(report_view_free) struct report_view *view = sample_report_view(sample);
    buffer_init(text, 100000);
    function(view, text);
}

static void expect_part(struct buffer *text, const char *part)
{
    if (strstr(buffer_string(text), part) == NULL) {
        fail_msg("%s\n--- is not in ---\n%s", part, buffer_string(text));
    }
}

static void the_summary_has_a_line_for_each_number(void **state)
{
    SCOPED(buffer_finish) struct buffer text;
    write_output(*state, report_csv_summary, &text);
    assert_int_equal(strncmp(buffer_string(&text), "key,value\ncampaign,1\nscript,pad.lua\n", 36), 0);
    expect_part(&text,
                "\nreason,12 steps failed\nduration_s,65\nworkers,6\nsteps_ok,4321\nsteps_failed,12\n");
    expect_part(&text, "\nstep_p50_ms,50.015\n");
    expect_part(&text, "\nrequests,1234\nrequests_failed,7\n");
}

static void requests_have_all_their_numbers(void **state)
{
    SCOPED(buffer_finish) struct buffer text;
    write_output(*state, report_csv_requests, &text);
    expect_part(&text, ",1234,1227,7,,18.9846154,1,50.503,50.015,90.047,95.039,99.007,100,100,28.866,77,0,"
                       "200:1227 other:7\n");
    expect_part(&text, "\ntiming,edit seen,1234,1227,7,,18.9846154,1,");
    expect_part(&text, "\nscenario,\"a, \"\"b\"\" <&>|\",4,3,1,0,0.0615384615,1,50.503,");
}

static void a_series_has_a_line_for_each_point_and_row(void **state)
{
    (void)state;
    struct series *series = series_new();
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, 100000);
    series_add_workers(series, 1, 5);
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    series_free(&series);
    report_csv_series(view, &text);
    assert_int_equal(strncmp(buffer_string(&text), "second,seconds,group,name,count,failed,", 39), 0);
    expect_part(&text, "\n0,1,requests,,0,0,0,0,,,,,");
    expect_part(&text, "\n1,1,load,,,,,,,,,,,,,,5,0,0,0,");
    size_t lines = 0;
    for (const char *at = buffer_string(&text); (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, 1 + view->row_count * view->points);
}

static void junit_has_a_case_for_each_judgement(void **state)
{
    struct sample_report *sample = *state;
    struct check_report check = {.name = bytes_of_string("status is 200"),
                                 .passed = 5,
                                 .failed = 2,
                                 .text = bytes_of_string("it was 503"),
                                 .worker = 4,
                                 .step = 9};
    SCOPED(buffer_finish) struct buffer text;
    sample->report.state = CAMPAIGN_ENDED;
    sample->report.checks = &check;
    sample->report.check_count = 1;
    write_output(sample, report_junit, &text);
    expect_part(&text,
                "<testsuite name=\"pad.lua\" package=\"tutti\" id=\"0\" timestamp=\"2023-11-14T22:13:20\" "
                "hostname=\"here\" tests=\"4\" failures=\"3\" errors=\"0\" skipped=\"0\" time=\"65.000\">");
    expect_part(&text, "<property name=\"seed\" value=\"42\"/>");
    expect_part(&text,
                "name=\"verdict\" time=\"65.000000\">\n      <failure message=\"failed: 12 steps failed\"");
    expect_part(&text, "<testcase classname=\"tutti.scenario\" name=\"a, &quot;b&quot; &lt;&amp;&gt;|\"");
    expect_part(&text, "<failure message=\"1 of 4 steps failed\" type=\"scenario\"/>");
    expect_part(&text, "<testcase classname=\"tutti.scenario\" name=\"buy\" time=\"0.050503\"/>");
    expect_part(&text, "<failure message=\"failed 2 of 7 times, first in step 9 of worker 4: it was 503\"");
}

static void a_campaign_that_has_passed_has_no_failure(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer text;
    sample->report.verdict = VERDICT_PASSED;
    sample->report.reason = bytes_of_string("");
    sample->report.scenarios = &scenarios[1];
    sample->report.scenario_count = 1;
    write_output(sample, report_junit, &text);
    expect_part(&text, "hostname=\"here\" tests=\"2\" failures=\"0\"");
    assert_null(strstr(buffer_string(&text), "<failure"));
}

static void markdown_is_no_markup_of_names(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer text;
    sample->requests[0].name = bytes_of_string("GET /a|b_<c>\n");
    write_output(sample, report_markdown, &text);
    expect_part(&text, "## pad.lua: failed\n\n12 steps failed\n\n6 workers on 2 agents, ");
    expect_part(&text, "\n| GET /a\\|b\\_\\<c\\>\\\\n | 1,234 | 7 | 19.0/s | 50.0 ms | 95.0 ms | ");
    expect_part(&text, "\n| a, \"b\" \\<\\&\\>\\| | 3 | 1 | 50.0 % | 50.0 % | ");
    expect_part(&text, "\n| times | error |\n|--:|:--|\n| 12 | pad.lua:7: \\\\x1b\\[31mno\\\\xff |\n");
}

int main(void)
{
#define OUTPUT_STORY(name) cmocka_unit_test_setup_teardown(name, set_up_outputs, tear_down_outputs)
    const struct CMUnitTest tests[] = {
        OUTPUT_STORY(the_summary_has_a_line_for_each_number),
        OUTPUT_STORY(requests_have_all_their_numbers),
        OUTPUT_STORY(a_series_has_a_line_for_each_point_and_row),
        OUTPUT_STORY(junit_has_a_case_for_each_judgement),
        OUTPUT_STORY(a_campaign_that_has_passed_has_no_failure),
        OUTPUT_STORY(markdown_is_no_markup_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
