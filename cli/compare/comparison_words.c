/* The words and numbers of a comparison that text and Markdown share. */
#include "cli/compare/comparison_view.h"

#include "cli/base/format.h"
#include "proto/message/tag_combinations.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHANGES_NAMED 6u
#define LARGEST_PERCENT 99999.0

void comparison_append_name(struct buffer *text, const struct compared_row *row, enum measure_number number)
{
    buffer_append_string(text, measure_kind_name(row->kind));
    bool is_tag = measure_form(row->kind) == MEASURE_TAGGED && !tag_text_is_combination(row->name);
    bool is_name = measure_form(row->kind) == MEASURE_NAMED;
    buffer_append_format(text, "%s%.*s%s",
                         is_name  ? "["
                         : is_tag ? "{"
                                  : "",
                         BYTES_FORMAT(row->name),
                         is_name  ? "]"
                         : is_tag ? "}"
                                  : "");
    buffer_append_format(text, ".%s", measure_number_name(number));
}

void comparison_value(double value, enum measure_number number, char text[COMPARISON_CELL_BYTES])
{
    char cell[FORMAT_BYTES];
    if (measure_is_time(number)) {
        format_us((uint64_t)(value + 0.5), cell);
    } else if (number == MEASURE_RATE) {
        format_rate(value, "", cell);
    } else if (number == MEASURE_COUNT) {
        format_count((uint64_t)(value + 0.5), cell);
    } else {
        (void)snprintf(cell, sizeof cell, "%.*f %%", value > 0 && value < 0.01 ? 3 : 2, value * 100);
    }
    (void)snprintf(text, COMPARISON_CELL_BYTES, "%s", cell);
}

/* One decimal, or two where that would be 0.0. */
static int percent_decimals(double percent)
{
    return fabs(percent) < 0.1 ? 2 : 1;
}

void comparison_change(double change, enum measure_number number, char text[COMPARISON_CELL_BYTES])
{
    double percent = change * 100;
    const char *sign = percent > 0 ? "+" : percent < 0 ? "−" : "±";
    if (number == MEASURE_FAILED) {
        (void)snprintf(text, COMPARISON_CELL_BYTES, "%s%.2f points", sign, fabs(percent));
    } else if (fabs(percent) > LARGEST_PERCENT) {
        (void)snprintf(text, COMPARISON_CELL_BYTES, "%smuch", sign);
    } else {
        (void)snprintf(text, COMPARISON_CELL_BYTES, "%s%.*f %%", sign, percent_decimals(percent),
                       fabs(percent));
    }
}

void comparison_noise(const struct compared *compared, enum measure_number number,
                      char text[COMPARISON_CELL_BYTES])
{
    if (!compared->has_noise) {
        (void)snprintf(text, COMPARISON_CELL_BYTES, "?");
        return;
    }
    double percent = compared_noise(compared, number) * 100;
    if (percent > LARGEST_PERCENT) {
        (void)snprintf(text, COMPARISON_CELL_BYTES, "±much");
    } else {
        (void)snprintf(text, COMPARISON_CELL_BYTES, number == MEASURE_FAILED ? "±%.2f points" : "±%.1f %%",
                       percent);
    }
}

static void append_changed(struct buffer *text, const struct compared_row *row, enum measure_number number)
{
    char change[COMPARISON_CELL_BYTES];
    comparison_append_name(text, row, number);
    comparison_change(compared_change(&row->numbers[number], number), number, change);
    buffer_append_format(text, " %s", change);
}

/* "worse: http.p95 +12 %, and 3 more" */
static void append_changes(struct buffer *text, const struct comparison *comparison, enum change wanted)
{
    size_t count = 0;
    buffer_append_format(text, "%s: ", change_name(wanted));
    for (size_t i = 0; i < comparison->count; i++) {
        for (int number = 0; number < MEASURE_NUMBERS; number++) {
            if (comparison->rows[i].numbers[number].change == wanted && ++count <= CHANGES_NAMED) {
                buffer_append_string(text, count > 1 ? ", " : "");
                append_changed(text, &comparison->rows[i], (enum measure_number)number);
            }
        }
    }
    if (count > CHANGES_NAMED) {
        buffer_append_format(text, " and %zu more", count - CHANGES_NAMED);
    }
}

void comparison_append_verdict(struct buffer *text, const struct comparison_view *view)
{
    const size_t *changes = view->comparison->changes;
    if (view->comparison->change == CHANGE_SAME) {
        buffer_append_format(text, "same: all %zu numbers within noise", changes[CHANGE_SAME]);
        return;
    }
    if (view->comparison->change == CHANGE_UNKNOWN) {
        buffer_append_string(text, "unknown: too short, or without a series, to tell changes from noise");
        return;
    }
    if (changes[CHANGE_WORSE] > 0) {
        append_changes(text, view->comparison, CHANGE_WORSE);
    }
    if (changes[CHANGE_BETTER] > 0) {
        buffer_append_string(text, changes[CHANGE_WORSE] > 0 ? "; " : "");
        append_changes(text, view->comparison, CHANGE_BETTER);
    }
    buffer_append_format(text, "; %zu same", changes[CHANGE_SAME]);
}

static void note_runs(struct buffer *text, const struct compared_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct report_view *report = runs[i].report;
        if (report->verdict != VERDICT_PASSED && report->verdict != VERDICT_FAILED) {
            buffer_append_format(text, "%.*s is of a run that was %s\n", BYTES_FORMAT(runs[i].name),
                                 verdict_name(report->verdict));
        }
    }
}

/* What all of them have to agree on to be comparable. */
static void note_differences(struct buffer *text, const struct comparison_view *view)
{
    const struct compared_run *first = &view->base[0];
    for (size_t i = 1; i < view->base_count + view->new_count; i++) {
        const struct compared_run *run =
            i < view->base_count ? &view->base[i] : &view->new[i - view->base_count];
        if (!bytes_equal(run->report->script, first->report->script)) {
            buffer_append_format(text, "%.*s ran another script than %.*s: %.*s, not %.*s\n",
                                 BYTES_FORMAT(run->name), BYTES_FORMAT(first->name),
                                 BYTES_FORMAT(run->report->script), BYTES_FORMAT(first->report->script));
        }
        if (run->report->workers != first->report->workers) {
            buffer_append_format(text, "%.*s had %" PRIu32 " workers, %.*s had %" PRIu32 "\n",
                                 BYTES_FORMAT(run->name), run->report->workers, BYTES_FORMAT(first->name),
                                 first->report->workers);
        }
    }
}

void comparison_append_notes(struct buffer *text, const struct comparison_view *view)
{
    bool has_several = view->base_count + view->new_count >= COMPARISON_RUNS_FOR_NOISE;
    buffer_append_format(text,
                         "noise is what chance exceeds in %.3g %% of comparisons (--level), by %s; changes "
                         "below %.3g %% are same (--tolerance)\n",
                         (1 - view->settings.level) * 100,
                         has_several ? "the runs and the spread within each" : "the spread within each run",
                         view->settings.tolerance * 100);
    if (!has_several) {
        buffer_append_string(text, "what differs from one run to the next, only several runs of each show: "
                                   "tutti compare A*.json : B*.json\n");
    }
    note_runs(text, view->base, view->base_count);
    note_runs(text, view->new, view->new_count);
    note_differences(text, view);
}

void comparison_append_fail_if(struct buffer *text, const struct judged_fail_if *judged)
{
    buffer_append_format(text, "%.*s: %s", BYTES_FORMAT(judged->condition.text),
                         fail_if_outcome_name(judged->outcome));
    if (judged->row != NULL && judged->outcome != FAIL_IF_NOT_MEASURED) {
        buffer_append_string(text, ": ");
        append_changed(text, judged->row, judged->condition.number);
    }
}
