/* Parts of a series: rows, points, and the seconds that a watcher is sent. They say the same as the whole. */
#include "coordinator/core/series/series.h"
#include "coordinator/core/series/series_view.h"
#include "tests/unit/common/check.h"

#include "common/histogram.h"
#include "common/random.h"
#include "common/time_units.h"

#include <cmocka.h>

#define FAILED 1u

static void add_seconds(struct series *series, uint64_t second, const char *name, uint64_t failed,
                        uint64_t forgiven)
{
    struct request_statistics request = {.name = bytes_of_string(name),
                                         .count = failed + 1,
                                         .failed = failed,
                                         .forgiven = forgiven,
                                         .latency_us = histogram_new()};
    histogram_add(request.latency_us, 100 * (second + 1), failed + 1);
    series_add_statistics(series, second, &(struct statistics){.requests = &request, .request_count = 1});
    histogram_free(&request.latency_us);
}

static void expect_same_rows(const struct series_view *part, const struct series_view *whole)
{
    size_t skipped = (size_t)((part->since_s - whole->since_s) / whole->point_s);
    assert_int_equal(part->point_s, whole->point_s);
    for (size_t i = 0; i < part->row_count; i++) {
        const struct series_row_view *row = &part->rows[i];
        const struct series_row_view *same = NULL;
        for (size_t j = 0; j < whole->row_count; j++) {
            const struct series_row_view *other = &whole->rows[j];
            if (other->group == row->group && other->is_total == row->is_total &&
                bytes_equal(other->name.bytes, row->name.bytes)) {
                same = other;
            }
        }
        if (same == NULL) {
            fail_msg("the whole has no row %.*s", BYTES_FORMAT(row->name.bytes));
            return;
        }
        for (size_t column = 0; column < series_column_count(row->group); column++) {
            for (size_t point = 0; point < part->points; point++) {
                assert_int_equal(row->values[column * part->points + point],
                                 same->values[column * whole->points + skipped + point]);
            }
        }
    }
}

static void fill(struct series *series, uint64_t seconds)
{
    struct random random;
    random_seed(&random, 7);
    for (uint64_t second = 0; second < seconds; second++) {
        add_seconds(series, second, random_below(&random, 2) == 0 ? "a" : "b", random_below(&random, 4),
                    random_below(&random, 2));
    }
}

static void rows_are_chosen(void **state)
{
    (void)state;
    struct series *series = series_new();
    fill(series, 40);
    const struct series_choice totals = {.is_totals = true};
    const struct series_choice one = {.name = TEXT("b"), .group = SERIES_REQUESTS};
    const struct series_choice other = {.name = TEXT("b"), .group = SERIES_TIMINGS};
    SCOPED(series_view_free) struct series_view *whole = series_view_of(series);
    SCOPED(series_view_free) struct series_view *chosen = series_view_chosen(series, &one);
    SCOPED(series_view_free) struct series_view *without = series_view_chosen(series, &totals);
    SCOPED(series_view_free) struct series_view *nothing = series_view_chosen(series, &other);
    assert_int_equal(chosen->row_count, whole->row_count - 1);
    assert_int_equal(without->row_count, whole->row_count - 2);
    assert_int_equal(nothing->row_count, whole->row_count - 2);
    assert_true(bytes_equal_string(chosen->rows[chosen->row_count - 1].name.bytes, "b"));
    expect_same_rows(chosen, whole);
    expect_same_rows(without, whole);
    SCOPED(series_view_free) struct series_view *later = series_view_of(series);
    series_view_choose(later, &one);
    assert_int_equal(later->row_count, chosen->row_count);
    expect_same_rows(later, whole);
    series_free(&series);
}

static void points_are_cut_off(void **state)
{
    (void)state;
    static const struct {
        uint64_t seconds;
        uint64_t since_s;
        uint64_t first;
        size_t points;
    } rows[] = {{40, 0, 0, 40},     {40, 1, 1, 39},     {40, 39, 39, 1},
                {40, 40, 40, 0},    {40, 500, 40, 0},   {7200, 0, 0, 3600},
                {7200, 3, 2, 3599}, {7200, 4, 4, 3598}, {7200, 4001, 4000, 1600}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct series *series = series_new();
        fill(series, rows[i].seconds);
        SCOPED(series_view_free) struct series_view *whole = series_view_of(series);
        SCOPED(series_view_free) struct series_view *part = series_view_of(series);
        series_view_cut(part, rows[i].since_s);
        assert_int_equal(part->since_s, rows[i].first);
        assert_int_equal(part->points, rows[i].points);
        assert_int_equal(part->row_count, whole->row_count);
        expect_same_rows(part, whole);
        series_free(&series);
    }
}

/* Whatever was taken back, the seconds from there on are those of the whole. */
static void open_seconds_are_those_of_the_whole(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 11);
    for (int round = 0; round < 200; round++) {
        struct series *series = series_new();
        uint64_t seconds = 1 + random_below(&random, 15);
        for (uint64_t second = 0; second < seconds; second++) {
            add_seconds(series, second, "a", random_below(&random, 3), random_below(&random, 3));
        }
        uint64_t first = random_below(&random, seconds);
        uint64_t from = series_changed_from(series, first, seconds);
        assert_true(from <= first);
        SCOPED(series_view_free) struct series_view *whole = series_view_of(series);
        SCOPED(series_view_free) struct series_view *part = series_view_of_seconds(series, from, seconds);
        assert_int_equal(part->points, seconds - from);
        expect_same_rows(part, whole);
        series_free(&series);
    }
}

static void what_is_taken_back_changes_the_seconds_before(void **state)
{
    (void)state;
    struct series *series = series_new();
    add_seconds(series, 0, "a", 5, 0);
    add_seconds(series, 1, "a", 1, 0);
    add_seconds(series, 2, "a", 0, 0);
    assert_int_equal(series_changed_from(series, 2, 3), 2);
    add_seconds(series, 3, "a", 0, 1);
    assert_int_equal(series_changed_from(series, 3, 4), 1);
    add_seconds(series, 3, "a", 0, 1);
    assert_int_equal(series_changed_from(series, 3, 4), 0);
    assert_int_equal(series_changed_from(series, 0, 4), 0);
    SCOPED(series_view_free) struct series_view *view = series_view_of_seconds(series, 0, 4);
    assert_int_equal(view->rows[0].values[FAILED * view->points], 4);
    assert_int_equal(view->rows[0].values[FAILED * view->points + 1], 0);
    series_free(&series);
}

static void settled_seconds_are_those_that_all_have_reported(void **state)
{
    (void)state;
    static const struct {
        uint64_t running_ms;
        bool has_ended;
        uint64_t first;
        uint64_t end;
    } rows[] = {{0, false, 4, 4},      {5999, false, 4, 4},   {6000, false, 4, 5},   {10500, false, 4, 9},
                {20999, false, 4, 19}, {21000, false, 4, 20}, {99000, false, 4, 20}, {0, true, 4, 20}};
    struct series *series = series_new();
    for (uint64_t second = 0; second < 20; second++) {
        add_seconds(series, second, "a", 0, 0);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct series_seconds settled =
            series_settled_seconds(series, rows[i].running_ms * NS_PER_MS, rows[i].has_ended);
        assert_int_equal(settled.first, rows[i].first);
        assert_int_equal(settled.end, rows[i].end);
    }
    series_free(&series);
}

static void empty_rows_are_known(void **state)
{
    (void)state;
    struct series *series = series_new();
    add_seconds(series, 0, "a", 1, 0);
    add_seconds(series, 1, "b", 0, 0);
    SCOPED(series_view_free) struct series_view *view = series_view_of_seconds(series, 1, 2);
    size_t with = 0;
    for (size_t i = 0; i < view->row_count; i++) {
        const struct series_row_view *row = &view->rows[i];
        if (!row->is_total) {
            assert_int_equal(series_row_view_is_empty(view, row), bytes_equal_string(row->name.bytes, "a"));
            with++;
        }
    }
    assert_int_equal(with, 2);
    series_free(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_chosen),
        cmocka_unit_test(points_are_cut_off),
        cmocka_unit_test(open_seconds_are_those_of_the_whole),
        cmocka_unit_test(what_is_taken_back_changes_the_seconds_before),
        cmocka_unit_test(settled_seconds_are_those_that_all_have_reported),
        cmocka_unit_test(empty_rows_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
