/* What scripts have judged, summed up by name. */
#include "coordinator/core/report/statistics_inside.h"

#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>

static_assert(sizeof(struct check_report) == 64, "what is packed here has to know each field");

void statistics_merge_check(struct campaign_statistics *statistics, const struct check_statistics *from,
                            struct buffer *key)
{
    struct bytes name = from->name;
    struct check_total *total = statistics_find_entry(statistics->checks, 0, &name, key);
    if (total == NULL) {
        total = MEMORY_NEW(struct check_total);
        total->name = text_copy(name);
        total->report.name = total->name.bytes;
        (void)map_put(statistics->checks, buffer_bytes(key), total);
    }
    if (from->failed > 0 && total->report.failed == 0) {
        total->text = text_copy(from->text);
        total->report.text = total->text.bytes;
        total->report.worker = from->worker;
        total->report.step = from->step;
    }
    total->report.passed += from->passed;
    total->report.failed += from->failed;
}

static int compare_checks(const void *left, const void *right)
{
    const struct check_report *a = left;
    const struct check_report *b = right;
    return bytes_compare(a->name, b->name);
}

void statistics_report_checks(struct campaign_statistics *statistics, struct campaign_report *report)
{
    const struct check_report *check;
    struct map_cursor cursor = {0};
    statistics->check_reports =
        memory_reserve(statistics->check_reports, &statistics->check_capacity, map_size(statistics->checks),
                       sizeof *statistics->check_reports);
    report->check_count = 0;
    while ((check = campaign_statistics_next_check(statistics, &cursor)) != NULL) {
        statistics->check_reports[report->check_count++] = *check;
    }
    report->checks = statistics->check_reports;
    if (report->check_count > 0) {
        qsort(statistics->check_reports, report->check_count, sizeof *report->checks, compare_checks);
    }
}

void statistics_free_checks(struct campaign_statistics *statistics)
{
    struct map_cursor cursor = {0};
    while (map_next(statistics->checks, &cursor)) {
        struct check_total *total = cursor.value;
        text_finish(&total->name);
        text_finish(&total->text);
        memory_free(total);
    }
    map_free(&statistics->checks);
}

void statistics_pack_checks(const struct campaign_statistics *statistics, struct buffer *into)
{
    const struct check_report *check;
    struct map_cursor cursor = {0};
    pack_number(into, map_size(statistics->checks));
    while ((check = campaign_statistics_next_check(statistics, &cursor)) != NULL) {
        pack_bytes(into, check->name);
        pack_number(into, check->passed);
        pack_number(into, check->failed);
        pack_bytes(into, check->text);
        pack_number(into, check->worker);
        pack_number(into, check->step);
    }
}

void statistics_unpack_checks(struct campaign_statistics *statistics, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, 2 * STATISTICS_NAMES);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct check_statistics check = {.name = unpack_bytes(from)};
        check.passed = unpack_number(from);
        check.failed = unpack_number(from);
        check.text = unpack_bytes(from);
        check.worker = (uint32_t)unpack_bounded(from, UINT32_MAX);
        check.step = unpack_number(from);
        if (!from->is_broken) {
            campaign_statistics_merge(statistics, &(struct statistics){.checks = &check, .check_count = 1});
        }
    }
}
