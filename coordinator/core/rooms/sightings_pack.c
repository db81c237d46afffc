/* The sightings of a campaign as bytes. */
#include "coordinator/core/rooms/sightings_inside.h"

#include "common/histogram_pack.h"
#include "common/memory.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct seen_report) == 152 && sizeof(struct divergence) == 160 &&
                  sizeof(struct seen_part) == 40 && sizeof(struct seen_total) == 2136,
              "packing has to cover each field");

static void divergence_pack(const struct divergence *divergence, struct buffer *into)
{
    pack_number(into, divergence->room);
    pack_number(into, divergence->step);
    pack_number(into, divergence->compared);
    pack_number(into, divergence->differed);
    pack_flag(into, divergence->is_from_written);
    pack_number(into, divergence->worker_count);
    for (uint32_t i = 0; i < divergence->worker_count; i++) {
        pack_number(into, divergence->workers[i]);
    }
}

static void divergence_unpack(struct divergence *divergence, struct unpack *from)
{
    divergence->room = (uint32_t)unpack_bounded(from, UINT32_MAX);
    divergence->step = unpack_number(from);
    divergence->compared = (uint32_t)unpack_bounded(from, UINT32_MAX);
    divergence->differed = (uint32_t)unpack_bounded(from, UINT32_MAX);
    divergence->is_from_written = unpack_flag(from);
    divergence->worker_count = (uint32_t)unpack_bounded(from, LIMIT_MISSING);
    for (uint32_t i = 0; i < divergence->worker_count; i++) {
        divergence->workers[i] = (uint32_t)unpack_bounded(from, UINT32_MAX);
    }
}

static void parts_pack(const struct seen_total *total, struct buffer *into)
{
    pack_number(into, total->part_count);
    for (uint32_t i = 0; i < total->part_count; i++) {
        pack_bytes(into, total->parts[i].browser.bytes);
        pack_number(into, total->parts[i].seen_count);
        pack_number(into, total->parts[i].at_once);
        histogram_pack(total->parts[i].seen_us, into);
    }
}

/* The lists of the report are built when it is requested. */
static void seen_total_pack(const struct seen_total *total, struct buffer *into)
{
    const struct seen_report *report = &total->report;
    pack_bytes(into, report->name);
    pack_number(into, report->seen_count);
    pack_number(into, report->uncertainty_us);
    pack_number(into, report->before_edit);
    pack_number(into, report->at_once);
    pack_number(into, report->last_others);
    pack_number(into, report->steps_compared);
    pack_number(into, report->steps_diverged);
    pack_number(into, report->reads_compared);
    pack_number(into, report->reads_differed);
    histogram_pack(total->seen_us, into);
    histogram_pack(total->spread_us, into);
    parts_pack(total, into);
    struct map_cursor cursor = {0};
    pack_number(into, map_size(total->last));
    while (map_next(total->last, &cursor)) {
        uint32_t worker = 0;
        assert(cursor.key.size == sizeof worker);
        memcpy(&worker, cursor.key.data, sizeof worker);
        pack_number(into, worker);
        pack_number(into, (uintptr_t)cursor.value);
    }
    pack_number(into, report->example_count);
    for (size_t i = 0; i < report->example_count; i++) {
        divergence_pack(&total->examples[i], into);
    }
}

static void replace_histogram(struct histogram **histogram, struct unpack *from)
{
    struct histogram *found = histogram_unpack(from);
    if (found == NULL) {
        unpack_break(from);
        return;
    }
    histogram_free(histogram);
    *histogram = found;
}

static void parts_unpack(struct seen_total *total, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, SIGHTINGS_PARTS);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        if (sightings_need_part(total, unpack_bytes(from)) != i + 1) {
            unpack_break(from);
            return;
        }
        total->parts[i].seen_count = unpack_number(from);
        total->parts[i].at_once = unpack_number(from);
        replace_histogram(&total->parts[i].seen_us, from);
    }
}

static void last_unpack(struct seen_total *total, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, SIGHTINGS_LAST);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        uint32_t worker = (uint32_t)unpack_bounded(from, UINT32_MAX);
        uint64_t times = unpack_bounded(from, UINTPTR_MAX);
        if (times == 0) {
            unpack_break(from);
            return;
        }
        (void)map_put(total->last, bytes_of(&worker, sizeof worker), (void *)(uintptr_t)times);
    }
}

static void seen_total_unpack(struct sightings *sightings, struct unpack *from)
{
    struct bytes name = unpack_bytes(from);
    if (from->is_broken || map_size(sightings->totals) >= SIGHTINGS_NAMES ||
        map_get(sightings->totals, name) != NULL) {
        unpack_break(from);
        return;
    }
    struct seen_total *total = sightings_need_total(sightings, name);
    struct seen_report *report = &total->report;
    report->seen_count = unpack_number(from);
    report->uncertainty_us = unpack_number(from);
    report->before_edit = unpack_number(from);
    report->at_once = unpack_number(from);
    report->last_others = unpack_number(from);
    report->steps_compared = unpack_number(from);
    report->steps_diverged = unpack_number(from);
    report->reads_compared = unpack_number(from);
    report->reads_differed = unpack_number(from);
    replace_histogram(&total->seen_us, from);
    replace_histogram(&total->spread_us, from);
    report->seen_us = total->seen_us;
    report->spread_us = total->spread_us;
    parts_unpack(total, from);
    last_unpack(total, from);
    report->example_count = unpack_bounded(from, SIGHTINGS_EXAMPLES);
    for (size_t i = 0; i < report->example_count; i++) {
        divergence_unpack(&total->examples[i], from);
    }
}

void sightings_pack(const struct sightings *sightings, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, map_size(sightings->totals));
    while (map_next(sightings->totals, &cursor)) {
        seen_total_pack((const struct seen_total *)cursor.value, into);
    }
    pack_number(into, sightings->diverged);
    sightings_pack_total(sightings->first_diverged, into);
}

struct sightings *sightings_unpack(struct unpack *from)
{
    struct sightings *sightings = sightings_new();
    uint64_t count = unpack_bounded(from, SIGHTINGS_NAMES);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        seen_total_unpack(sightings, from);
    }
    sightings->diverged = unpack_number(from);
    sightings->first_diverged = sightings_unpack_total(sightings, from);
    if ((sightings->diverged > 0) != (sightings->first_diverged != NULL)) {
        unpack_break(from);
    }
    return sightings;
}

void sightings_pack_total(const struct seen_total *total, struct buffer *into)
{
    pack_flag(into, total != NULL);
    if (total != NULL) {
        pack_bytes(into, total->report.name);
    }
}

struct seen_total *sightings_unpack_total(const struct sightings *sightings, struct unpack *from)
{
    if (!unpack_flag(from)) {
        return NULL;
    }
    struct seen_total *total = (struct seen_total *)map_get(sightings->totals, unpack_bytes(from));
    if (total == NULL) {
        unpack_break(from);
    }
    return total;
}

uint32_t sightings_part_count(const struct seen_total *total)
{
    return total != NULL ? total->part_count : 0;
}
