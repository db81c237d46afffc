/* What a shard counts by tag, and of groups. */
#include "agent/shard/meter.h"
#include "proto/message/limits.h"
#include "proto/message/statistics.h"
#include "tests/unit/common/check.h"

#include <stdio.h>

static struct tag_set tagged(struct meter *meter, const char *name, const char *value)
{
    struct tag_set set = {0};
    tag_set_put(&set, tag_table_note(meter_tags(meter), bytes_of_string(name), bytes_of_string(value)));
    return set;
}

static void request(struct meter *meter, const char *name, struct tag_set tags, bool is_ok, uint64_t us)
{
    struct request_sample sample = {
        .name = bytes_of_string(name), .is_ok = is_ok, .latency_us = us, .tags = tags};
    meter_request(meter, &sample);
}

/* NULL if it is not in the report. */
static const struct slice_statistics *find(const struct statistics *statistics, enum slice_kind kind,
                                           const char *name, const char *tag)
{
    for (size_t i = 0; i < statistics->slice_count; i++) {
        const struct slice_statistics *slice = &statistics->slices[i];
        if (slice->kind == kind && bytes_equal_string(slice->name, name) &&
            bytes_equal_string(slice->tag, tag)) {
            return slice;
        }
    }
    return NULL;
}

static void each_tag_counts_by_itself(void **state)
{
    (void)state;
    struct meter *meter = meter_new();
    struct tag_set both = tagged(meter, "tier", "gold");
    struct tag_set seat = tagged(meter, "seat", "1");
    tag_set_overlay(&both, &seat);
    request(meter, "a", both, true, 10);
    request(meter, "a", both, false, 20);
    request(meter, "a", tagged(meter, "tier", "iron"), true, 30);
    request(meter, "b", (struct tag_set){0}, true, 40);
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->request_count, 2);
    assert_int_equal(statistics->slice_count, 3);
    const struct slice_statistics *gold = find(statistics, SLICE_REQUEST, "a", "tier=gold");
    const struct slice_statistics *of_seat = find(statistics, SLICE_REQUEST, "a", "seat=1");
    const struct slice_statistics *iron = find(statistics, SLICE_REQUEST, "a", "tier=iron");
    assert_true(gold->count == 2 && gold->failed == 1 && histogram_maximum(gold->us) == 20);
    assert_true(of_seat->count == 2 && of_seat->failed == 1);
    assert_true(iron->count == 1 && iron->failed == 0 && histogram_maximum(iron->us) == 30);
    statistics_free(&statistics);
    request(meter, "a", seat, true, 50);
    statistics = meter_take(meter, 0);
    assert_int_equal(statistics->slice_count, 1);
    assert_int_equal(find(statistics, SLICE_REQUEST, "a", "seat=1")->count, 1);
    statistics_free(&statistics);
    assert_null(meter_take(meter, 0));
    meter_free(&meter);
}

/* What has both tags of a combination that a threshold names counts by it as well. */
static void combinations_that_thresholds_name_are_counted(void **state)
{
    (void)state;
    struct meter *meter = meter_new();
    meter_keep_tags(meter,
                    bytes_of_string("http{tier=gold,seat=1}.p95 < 1s; http{tier=gold,seat=3}.count > 1; "
                                    "request[b]{seat=1,tier=gold}.count > 1"));
    struct tag_set both = tagged(meter, "tier", "gold");
    struct tag_set seat = tagged(meter, "seat", "1");
    struct tag_set other = tagged(meter, "seat", "2");
    struct tag_set more = tagged(meter, "more", "1");
    tag_set_overlay(&both, &seat);
    request(meter, "a", both, false, 10);
    tag_set_overlay(&both, &more);
    request(meter, "a", both, true, 20);
    tag_set_overlay(&both, &other);
    request(meter, "a", both, true, 30);
    request(meter, "a", seat, true, 40);
    tag_set_overlay(&both, &seat);
    meter_rebook(meter, bytes_of_string("a"), &both, true);
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->slice_count, 5);
    const struct slice_statistics *slice = find(statistics, SLICE_REQUEST, "a", "{seat=1,tier=gold}");
    assert_true(slice->count == 2 && slice->failed == 0 && histogram_maximum(slice->us) == 20);
    assert_int_equal(find(statistics, SLICE_REQUEST, "a", "tier=gold")->count, 3);
    assert_int_equal(find(statistics, SLICE_REQUEST, "a", "seat=1")->count, 3);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void what_never_left_has_no_latency(void **state)
{
    (void)state;
    struct meter *meter = meter_new();
    struct request_sample sample = {.name = bytes_of_string("a"),
                                    .is_unsent = true,
                                    .latency_us = 7,
                                    .tags = tagged(meter, "tier", "gold")};
    meter_request(meter, &sample);
    struct statistics *statistics = meter_take(meter, 0);
    const struct slice_statistics *gold = find(statistics, SLICE_REQUEST, "a", "tier=gold");
    assert_true(gold->count == 1 && gold->failed == 1 && gold->us == NULL);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void timings_checks_and_groups_are_told_apart(void **state)
{
    (void)state;
    struct meter *meter = meter_new();
    struct tag_set gold = tagged(meter, "tier", "gold");
    struct request_sample timing = {
        .name = bytes_of_string("a"), .is_timing = true, .is_ok = true, .latency_us = 5, .tags = gold};
    struct check_sample check = {.name = bytes_of_string("a"), .text = bytes_of_string("no"), .tags = gold};
    struct slice_sample group = {.kind = SLICE_GROUP,
                                 .name = bytes_of_string("a"),
                                 .tags = gold,
                                 .is_ok = true,
                                 .has_time = true,
                                 .us = 9};
    meter_request(meter, &timing);
    meter_check(meter, &check);
    meter_slice(meter, &group);
    group.tags = (struct tag_set){0};
    meter_slice(meter, &group);
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->slice_count, 4);
    assert_int_equal(find(statistics, SLICE_TIMING, "a", "tier=gold")->count, 1);
    assert_int_equal(find(statistics, SLICE_CHECK, "a", "tier=gold")->failed, 1);
    assert_int_equal(find(statistics, SLICE_GROUP, "a", "tier=gold")->count, 1);
    assert_int_equal(find(statistics, SLICE_GROUP, "a", "")->count, 2);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void a_tagged_request_is_booked_again(void **state)
{
    (void)state;
    struct meter *meter = meter_new();
    struct tag_set gold = tagged(meter, "tier", "gold");
    request(meter, "a", gold, false, 1);
    meter_rebook(meter, bytes_of_string("a"), &gold, true); /* it was not reported yet */
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(find(statistics, SLICE_REQUEST, "a", "tier=gold")->failed, 0);
    statistics_free(&statistics);
    meter_rebook(meter, bytes_of_string("a"), &gold, false);
    meter_rebook(meter, bytes_of_string("a"), &gold, true);
    meter_rebook(meter, bytes_of_string("a"), &gold, true); /* now it was */
    statistics = meter_take(meter, 0);
    const struct slice_statistics *slice = find(statistics, SLICE_REQUEST, "a", "tier=gold");
    assert_true(slice->count == 0 && slice->failed == 0 && slice->forgiven == 1);
    statistics_free(&statistics);
    meter_free(&meter);
}

/* However many names there are, each tag has all of its. */
static void no_count_of_a_tag_is_lost(void **state)
{
    (void)state;
    struct meter *meter = meter_new();
    char name[20];
    uint64_t count = 0;
    for (unsigned i = 0; i < 3 * LIMIT_SLICES; i++) {
        snprintf(name, sizeof name, "name %u", i % (2 * LIMIT_SLICES));
        char value[20];
        snprintf(value, sizeof value, "%u", i % 100);
        request(meter, name, tagged(meter, "user", value), true, 1);
    }
    struct statistics *statistics = meter_take(meter, 0);
    assert_true(statistics->slice_count <= LIMIT_SLICES);
    assert_non_null(find(statistics, SLICE_REQUEST, "(other)", "user=(other)"));
    assert_non_null(find(statistics, SLICE_REQUEST, "(other)", "user=7"));
    for (size_t i = 0; i < statistics->slice_count; i++) {
        count += bytes_equal_string(statistics->slices[i].tag, "user=7") ? statistics->slices[i].count : 0;
    }
    assert_int_equal(count, 3 * LIMIT_SLICES / 100);
    statistics_free(&statistics);
    meter_free(&meter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tag_counts_by_itself),
        cmocka_unit_test(combinations_that_thresholds_name_are_counted),
        cmocka_unit_test(what_never_left_has_no_latency),
        cmocka_unit_test(timings_checks_and_groups_are_told_apart),
        cmocka_unit_test(a_tagged_request_is_booked_again),
        cmocka_unit_test(no_count_of_a_tag_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
