/* The metrics of campaigns as text: histograms, and how many names they show. */
#include "common/memory.h"
#include "coordinator/metrics/campaign_metrics.h"
#include "coordinator/metrics/metrics_text.h"
#include "tests/unit/common/check.h"

#include <stdio.h>

#define TEXT_BYTES ((size_t)4 * 1024 * 1024)
#define NAMES 260u

static char *text_of(const struct report_view *report)
{
    struct buffer text;
    size_t size = 0;
    buffer_init(&text, TEXT_BYTES);
    const struct metric_sink sink = metrics_text_sink(&text);
    campaign_metrics_give(&report, 1, &sink);
    assert_false(text.has_overflowed);
    return (char *)buffer_take(&text, &size);
}

static unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        count++;
    }
    return count;
}

static void a_histogram_has_cumulated_buckets_a_sum_and_a_count(void **state)
{
    (void)state;
    const struct request_view request = {
        .name = TEXT("say \"a\\b\""),
        .count = 6,
        .failed = 2,
        .buckets = {.counts = {[0] = 1, [5] = 3, [LATENCY_BOUNDS] = 1}, .sum_us = 61200500}};
    const struct report_view report = {.campaign = 7, .requests = &request, .request_count = 1};
    SCOPED(memory_free_at) char *text = text_of(&report);
#define OF "{campaign=\"7\",name=\"say \\\"a\\\\b\\\"\""
    assert_non_null(strstr(text, "# TYPE tutti_campaign_request_duration_seconds histogram\n"
                                 "tutti_campaign_request_duration_seconds_bucket" OF ",le=\"0.001\"} 1\n"
                                 "tutti_campaign_request_duration_seconds_bucket" OF ",le=\"0.0025\"} 1\n"));
    assert_non_null(strstr(text, "_bucket" OF ",le=\"0.025\"} 1\n"));
    assert_non_null(strstr(text, "_bucket" OF ",le=\"0.05\"} 4\n"));
    assert_non_null(strstr(text, "_bucket" OF ",le=\"60\"} 4\n"
                                 "tutti_campaign_request_duration_seconds_bucket" OF ",le=\"+Inf\"} 5\n"
                                 "tutti_campaign_request_duration_seconds_sum" OF "} 61.2005\n"
                                 "tutti_campaign_request_duration_seconds_count" OF "} 5\n"));
    assert_non_null(strstr(text, "tutti_campaign_request_failures_total" OF "} 2\n"));
}

static void groups_and_tags_have_labels_of_their_own(void **state)
{
    (void)state;
    const struct slice_view slices[] = {
        {.kind = SLICE_GROUP, .name = TEXT("pay"), .ok = 5, .failed = 2, .took = {.p95_us = 1500}},
        {.kind = SLICE_REQUEST,
         .tag = TEXT("tier"),
         .value = TEXT("a\"b"),
         .ok = 7,
         .took = {.p95_us = 2500}},
        {.kind = SLICE_CHECK, .name = TEXT("c"), .tag = TEXT("tier"), .value = TEXT("x"), .failed = 3}};
    const struct report_view report = {.campaign = 7, .slices = slices, .slice_count = 3};
    SCOPED(memory_free_at) char *text = text_of(&report);
    assert_non_null(strstr(text,
                           "tutti_campaign_groups_total{campaign=\"7\",name=\"pay\",result=\"ok\"} 5\n"
                           "tutti_campaign_groups_total{campaign=\"7\",name=\"pay\",result=\"failed\"} 2\n"));
    assert_non_null(
        strstr(text, "tutti_campaign_group_seconds{campaign=\"7\",name=\"pay\",quantile=\"0.95\"} 0.0015\n"));
#define TAGGED(metric, kind, name, value)                                                                    \
    "tutti_campaign_tagged_" metric "{campaign=\"7\",kind=\"" kind "\",name=\"" name                         \
    "\",tag=\"tier\",value=\"" value "\","
    assert_non_null(strstr(text, TAGGED("total", "request", "", "a\\\"b") "result=\"ok\"} 7\n"));
    assert_non_null(strstr(text, TAGGED("seconds", "request", "", "a\\\"b") "quantile=\"0.95\"} 0.0025\n"));
    assert_non_null(strstr(text, TAGGED("total", "check", "c", "x") "result=\"failed\"} 3\n"));
    assert_null(strstr(text, TAGGED("seconds", "check", "c", "x"))); /* a check takes no time */
}

static void rows_by_tag_are_bounded(void **state)
{
    enum { SHOWN = 500, MORE = 7 };
    static struct slice_view slices[2 * (SHOWN + MORE)];
    (void)state;
    for (size_t i = 0; i < SHOWN + MORE; i++) {
        slices[i] = (struct slice_view){.kind = SLICE_GROUP, .name = TEXT("pay")};
        slices[SHOWN + MORE + i] =
            (struct slice_view){.kind = SLICE_TIMING, .tag = TEXT("tier"), .value = TEXT("gold")};
    }
    const struct report_view report = {
        .campaign = 7, .slices = slices, .slice_count = 2 * (SHOWN + MORE) - 1};
    SCOPED(memory_free_at) char *text = text_of(&report);
    assert_int_equal(count_of(text, "tutti_campaign_groups_total{"), 2 * SHOWN);
    assert_int_equal(count_of(text, "tutti_campaign_tagged_total{"), 2 * SHOWN);
    assert_int_equal(campaign_metrics_left_out(&report), 2 * MORE - 1);
}

/* In the report they are sorted by name; the ordinals go the other way. */
static void names_that_came_late_are_shown_together(void **state)
{
    static struct request_view requests[NAMES];
    static char names[NAMES][16];
    (void)state;
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof names[i], "n%03u", i);
        requests[i] = (struct request_view){.name = bytes_of_string(names[i]),
                                            .ordinal = NAMES - 1 - i,
                                            .failed = 1,
                                            .buckets = {.counts = {[3] = 2}, .sum_us = 10}};
    }
    const struct report_view report = {.campaign = 1, .requests = requests, .request_count = NAMES};
    SCOPED(memory_free_at) char *text = text_of(&report);
    assert_int_equal(count_of(text, "\ntutti_campaign_request_duration_seconds_count{"), METRICS_NAMES + 1);
    assert_int_equal(count_of(text, "\ntutti_campaign_request_failures_total{"), METRICS_NAMES + 1);
    assert_non_null(strstr(text, "name=\"n060\""));
    assert_null(strstr(text, "name=\"n059\""));
    assert_non_null(strstr(text, "duration_seconds_count{campaign=\"1\",name=\"(other)\"} 120\n"));
    assert_non_null(strstr(text, "failures_total{campaign=\"1\",name=\"(other)\"} 60\n"));
    assert_non_null(strstr(text, "\ntutti_metrics_dropped_series{campaign=\"1\"} 60\n"));
}

static void other_kinds_of_names_are_cut(void **state)
{
    static struct check_view checks[NAMES];
    static char names[NAMES][16];
    (void)state;
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof names[i], "n%03u", i);
        checks[i] = (struct check_view){.name = bytes_of_string(names[i]), .passed = 1};
    }
    const struct report_view report = {.campaign = 1, .checks = checks, .check_count = NAMES};
    SCOPED(memory_free_at) char *text = text_of(&report);
    assert_int_equal(count_of(text, "\ntutti_campaign_checks_total{"), 2 * METRICS_NAMES);
    assert_non_null(strstr(text, "\ntutti_metrics_dropped_series{campaign=\"1\"} 60\n"));
}

static void what_is_not_printable_is_escaped(void **state)
{
    (void)state;
    const struct check_view check = {.name = bytes_of("a\xff\nb", 4), .passed = 1};
    const struct report_view report = {.campaign = 1, .checks = &check, .check_count = 1};
    SCOPED(memory_free_at) char *text = text_of(&report);
    assert_non_null(strstr(text, "name=\"a\\\\xff\\\\nb\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_histogram_has_cumulated_buckets_a_sum_and_a_count),
        cmocka_unit_test(groups_and_tags_have_labels_of_their_own),
        cmocka_unit_test(rows_by_tag_are_bounded),
        cmocka_unit_test(names_that_came_late_are_shown_together),
        cmocka_unit_test(other_kinds_of_names_are_cut),
        cmocka_unit_test(what_is_not_printable_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
