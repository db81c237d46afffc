/* The steps of a campaign by scenario. */
#include "coordinator/core/report/scenarios.h"

#include "common/histogram_pack.h"
#include "common/map.h"
#include "common/memory.h"
#include "common/text.h"
#include "coordinator/core/report/statistics.h"

#include <assert.h>
#include <stdlib.h>

struct scenario_total {
    struct text name;
    struct scenario_report report;
    struct histogram *step_us;
};
static_assert(sizeof(struct scenario_report) == 56, "what is packed here has to know each field");

struct scenario_totals {
    struct map *by_name; /* → struct scenario_total */
    struct scenario_report *reports;
    size_t report_capacity;
};

struct scenario_totals *scenario_totals_new(void)
{
    struct scenario_totals *totals = MEMORY_NEW(struct scenario_totals);
    totals->by_name = map_new();
    return totals;
}

void scenario_totals_free(struct scenario_totals **at)
{
    struct scenario_totals *totals = *at;
    struct map_cursor cursor = {0};
    if (totals == NULL) {
        return;
    }
    while (map_next(totals->by_name, &cursor)) {
        struct scenario_total *total = cursor.value;
        text_finish(&total->name);
        histogram_free(&total->step_us);
        memory_free(total);
    }
    map_free(&totals->by_name);
    memory_free(totals->reports);
    memory_free(totals);
    *at = NULL;
}

static struct scenario_total *scenario_total_of(const struct scenario_totals *totals, struct bytes name)
{
    struct scenario_total *total = map_get(totals->by_name, name);
    if (total == NULL && map_size(totals->by_name) >= STATISTICS_NAMES) {
        name = bytes_of_string(STATISTICS_OTHER);
        total = map_get(totals->by_name, name);
    }
    if (total == NULL) {
        total = MEMORY_NEW(struct scenario_total);
        total->name = text_copy(name);
        total->step_us = histogram_new();
        total->report = (struct scenario_report){.name = total->name.bytes, .step_us = total->step_us};
        (void)map_put(totals->by_name, name, total);
    }
    return total;
}

void scenario_totals_merge(struct scenario_totals *totals, const struct scenario_statistics *from,
                           size_t *left_bytes)
{
    struct scenario_total *total = scenario_total_of(totals, from->name);
    total->report.weight_milli = from->weight_milli;
    total->report.steps_ok += from->steps[0];
    total->report.steps_failed += from->steps[1];
    total->report.steps_stopped += from->steps[2];
    if (from->step_us != NULL) {
        histogram_merge_within(total->step_us, from->step_us, left_bytes);
    }
}

static int compare_scenarios(const void *left, const void *right)
{
    const struct scenario_report *a = left;
    const struct scenario_report *b = right;
    return bytes_compare(a->name, b->name);
}

void scenario_totals_report(struct scenario_totals *totals, struct campaign_report *report)
{
    struct map_cursor cursor = {0};
    totals->reports = memory_reserve(totals->reports, &totals->report_capacity, map_size(totals->by_name) + 1,
                                     sizeof *totals->reports);
    report->scenario_count = 0;
    while (map_next(totals->by_name, &cursor)) {
        totals->reports[report->scenario_count++] = ((const struct scenario_total *)cursor.value)->report;
    }
    qsort(totals->reports, report->scenario_count, sizeof *totals->reports, compare_scenarios);
    report->scenarios = totals->reports;
}

void scenario_totals_pack(const struct scenario_totals *totals, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, map_size(totals->by_name));
    while (map_next(totals->by_name, &cursor)) {
        const struct scenario_total *total = cursor.value;
        pack_bytes(into, total->report.name);
        pack_number(into, total->report.weight_milli);
        pack_number(into, total->report.steps_ok);
        pack_number(into, total->report.steps_failed);
        pack_number(into, total->report.steps_stopped);
        histogram_pack(total->step_us, into);
    }
}

void scenario_totals_unpack(struct scenario_totals *totals, struct unpack *from)
{
    size_t unbounded = SIZE_MAX; /* so that nothing is clipped that was not before */
    uint64_t count = unpack_bounded(from, STATISTICS_NAMES + 1u);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct scenario_statistics scenario = {.name = unpack_bytes(from)};
        scenario.weight_milli = unpack_number(from);
        scenario.steps[0] = unpack_number(from);
        scenario.steps[1] = unpack_number(from);
        scenario.steps[2] = unpack_number(from);
        scenario.step_us = histogram_unpack(from);
        if (!from->is_broken) {
            scenario_totals_merge(totals, &scenario, &unbounded);
        }
        histogram_free(&scenario.step_us);
    }
}
