/* What agents have counted by tag, and of groups, as one report. */
#include "coordinator/core/report/slices.h"
#include "coordinator/core/report/statistics.h"
#include "tests/unit/common/check.h"

#include <stdio.h>

static void count(struct campaign_statistics *statistics, enum slice_kind kind, const char *name,
                  const char *tag)
{
    struct histogram *us SCOPED(histogram_free) = histogram_new();
    histogram_add(us, 100, 3);
    struct slice_statistics slice = {.kind = kind,
                                     .name = bytes_of_string(name),
                                     .tag = bytes_of_string(tag),
                                     .count = 3,
                                     .failed = 1,
                                     .us = us};
    campaign_statistics_merge(statistics, &(struct statistics){.slices = &slice, .slice_count = 1});
}

/* "request login tier=gold 3/1 of 3" for each, in the order of the report. */
static void describe(const struct campaign_report *report, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < report->slice_count && at < size; i++) {
        const struct slice_report *slice = &report->slices[i];
        at += (size_t)snprintf(
            text + at, size - at, "%s %.*s %.*s %llu/%llu of %llu\n", slice_kind_name(slice->kind),
            BYTES_FORMAT(slice->name), BYTES_FORMAT(slice->tag), (unsigned long long)slice->count,
            (unsigned long long)slice->failed, (unsigned long long)histogram_count(slice->us));
    }
}

static void expect_report(struct campaign_statistics *statistics, const char *wanted)
{
    struct campaign_report report = {0};
    char text[2000];
    campaign_statistics_report(statistics, &report);
    describe(&report, text, sizeof text);
    assert_string_equal(text, wanted);
}

static void fill(struct campaign_statistics *statistics)
{
    count(statistics, SLICE_REQUEST, "login", "tier=gold");
    count(statistics, SLICE_REQUEST, "login", "tier=gold");
    count(statistics, SLICE_REQUEST, "home", "tier=gold");
    count(statistics, SLICE_TIMING, "login", "tier=gold");
    count(statistics, SLICE_REQUEST, "login", "app=shop");
    count(statistics, SLICE_GROUP, "pay", "app=shop");
    count(statistics, SLICE_GROUP, "pay", "");
}

#define FILLED                                                                                               \
    "group pay  3/1 of 3\n"                                                                                  \
    "request  app=shop 3/1 of 3\n"                                                                           \
    "request login app=shop 3/1 of 3\n"                                                                      \
    "group pay app=shop 3/1 of 3\n"                                                                          \
    "request  tier=gold 9/3 of 9\n"                                                                          \
    "request home tier=gold 3/1 of 3\n"                                                                      \
    "request login tier=gold 6/2 of 6\n"                                                                     \
    "timing login tier=gold 3/1 of 3\n"

static void counts_add_up_by_tag_and_name(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    expect_report(statistics, "");
    fill(statistics);
    expect_report(statistics, FILLED);
    campaign_statistics_free(&statistics);
}

static void they_survive_a_restart(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    SCOPED(buffer_finish) struct buffer packed;
    SCOPED(buffer_finish) struct buffer again;
    buffer_init(&packed, 1u << 20);
    buffer_init(&again, 1u << 20);
    fill(statistics);
    campaign_statistics_pack(statistics, &packed);
    campaign_statistics_free(&statistics);
    struct unpack from = {.left = buffer_bytes(&packed)};
    statistics = campaign_statistics_unpack(&from, bytes_of("", 0));
    assert_non_null(statistics);
    expect_report(statistics, FILLED);
    campaign_statistics_pack(statistics, &again);
    assert_true(bytes_equal(buffer_bytes(&packed), buffer_bytes(&again)));
    count(statistics, SLICE_GROUP, "pay", "");
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.slices[0].count, 6);
    campaign_statistics_free(&statistics);
}

/* An agent may send whatever it likes: only combinations that thresholds name are kept. */
static void combinations_that_thresholds_name_are_kept(void **state)
{
    (void)state;
    struct bytes thresholds = bytes_of_string("http{tier=gold,app=shop}.p95 < 1s");
    struct campaign_statistics *statistics = campaign_statistics_new();
    SCOPED(buffer_finish) struct buffer packed;
    buffer_init(&packed, 1u << 20);
    count(statistics, SLICE_REQUEST, "login", "{app=shop,tier=gold}");
    expect_report(statistics, "");
    campaign_statistics_keep_tags(statistics, thresholds);
    count(statistics, SLICE_REQUEST, "login", "{app=shop,tier=gold}");
    count(statistics, SLICE_REQUEST, "home", "{app=shop,tier=gold}");
    count(statistics, SLICE_REQUEST, "login", "{app=shop,tier=iron}");
    const char *wanted = "request  {app=shop,tier=gold} 6/2 of 6\n"
                         "request home {app=shop,tier=gold} 3/1 of 3\n"
                         "request login {app=shop,tier=gold} 3/1 of 3\n";
    expect_report(statistics, wanted);
    campaign_statistics_pack(statistics, &packed);
    campaign_statistics_free(&statistics);
    struct unpack from = {.left = buffer_bytes(&packed)};
    assert_null(campaign_statistics_unpack(&from, bytes_of("", 0)));
    from = (struct unpack){.left = buffer_bytes(&packed)};
    statistics = campaign_statistics_unpack(&from, thresholds);
    assert_non_null(statistics);
    expect_report(statistics, wanted);
    campaign_statistics_free(&statistics);
}

/* Failures that were reported may be taken back later. */
static void what_is_forgiven_was_no_failure(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    struct slice_statistics slice = {
        .kind = SLICE_GROUP, .name = bytes_of_string("a"), .count = 5, .failed = 2};
    campaign_statistics_merge(statistics, &(struct statistics){.slices = &slice, .slice_count = 1});
    slice.count = slice.failed = 0;
    slice.forgiven = 1;
    campaign_statistics_merge(statistics, &(struct statistics){.slices = &slice, .slice_count = 1});
    expect_report(statistics, "group a  5/1 of 0\n");
    slice.forgiven = 7;
    campaign_statistics_merge(statistics, &(struct statistics){.slices = &slice, .slice_count = 1});
    expect_report(statistics, "group a  5/0 of 0\n");
    campaign_statistics_free(&statistics);
}

/* Each agent may have had values of its own. */
static void values_of_all_agents_are_bounded(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    struct campaign_report report = {0};
    uint64_t all = 0;
    for (unsigned i = 0; i < 2000; i++) {
        char tag[20];
        char name[20];
        snprintf(tag, sizeof tag, "user=%u", i % 1000);
        snprintf(name, sizeof name, "name %u", i);
        for (int kind = 0; kind < SLICE_KINDS; kind++) {
            count(statistics, (enum slice_kind)kind, name, tag);
        }
    }
    campaign_statistics_report(statistics, &report);
    assert_true(report.slice_count <= LIMIT_SLICES);
    for (size_t i = 0; i < report.slice_count; i++) {
        const struct slice_report *slice = &report.slices[i];
        all += slice->kind == SLICE_REQUEST && slice->name.size == 0 ? slice->count : 0;
    }
    assert_int_equal(all, 6000);
    const struct slice_report like = {.kind = SLICE_REQUEST, .tag = bytes_of_string("user=(other)")};
    const struct slice_totals *totals = campaign_statistics_slices(statistics);
    assert_int_equal(slice_totals_find(totals, &like)->count, 6000 - 64 * 2 * 3);
    campaign_statistics_free(&statistics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_add_up_by_tag_and_name),
        cmocka_unit_test(they_survive_a_restart),
        cmocka_unit_test(combinations_that_thresholds_name_are_kept),
        cmocka_unit_test(what_is_forgiven_was_no_failure),
        cmocka_unit_test(values_of_all_agents_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
