/* How long edits took until others saw them, and whether they saw the same, accumulated by name. */
#include "coordinator/core/rooms/sightings_inside.h"

#include "common/digest.h"
#include "common/memory.h"
#include "common/time_units.h"
#include "common/value.h"
#include "coordinator/core/report/statistics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* An agent may claim any instant: a longer time is an error, and is counted as this. */
#define LONGEST_US (3600ull * 1000000)

struct sightings *sightings_new(void)
{
    struct sightings *sightings = MEMORY_NEW(struct sightings);
    sightings->totals = map_new();
    return sightings;
}

static void free_total(struct seen_total *total)
{
    text_finish(&total->name);
    histogram_free(&total->seen_us);
    histogram_free(&total->spread_us);
    map_free(&total->last);
    memory_free(total->last_list);
    for (uint32_t i = 0; i < total->part_count; i++) {
        text_finish(&total->parts[i].browser);
        histogram_free(&total->parts[i].seen_us);
    }
    memory_free(total);
}

void sightings_free(struct sightings **sightings)
{
    if (*sightings == NULL) {
        return;
    }
    struct map_cursor cursor = {0};
    while (map_next((*sightings)->totals, &cursor)) {
        free_total((struct seen_total *)cursor.value);
    }
    map_free(&(*sightings)->totals);
    memory_free((*sightings)->notes);
    memory_free((*sightings)->reports);
    memory_free(*sightings);
    *sightings = NULL;
}

struct seen_total *sightings_need_total(struct sightings *sightings, struct bytes name)
{
    struct seen_total *total = (struct seen_total *)map_get(sightings->totals, name);
    if (total == NULL && map_size(sightings->totals) >= SIGHTINGS_NAMES - 1) {
        name = bytes_of_string(STATISTICS_OTHER);
        total = (struct seen_total *)map_get(sightings->totals, name);
    }
    if (total == NULL) {
        total = MEMORY_NEW(struct seen_total);
        total->name = text_copy(name);
        total->report.name = total->name.bytes;
        total->report.seen_us = total->seen_us = histogram_new();
        total->report.spread_us = total->spread_us = histogram_new();
        total->report.examples = total->examples;
        total->last = map_new();
        (void)map_put(sightings->totals, name, total);
    }
    return total;
}

uint32_t sightings_need_part(struct seen_total *total, struct bytes browser)
{
    if (browser.size == 0 || browser.size > SIGHTINGS_BROWSER_BYTES || !bytes_is_printable(browser)) {
        return 0;
    }
    for (uint32_t i = 0; i < total->part_count; i++) {
        if (bytes_equal(total->parts[i].browser.bytes, browser)) {
            return i + 1;
        }
    }
    if (total->part_count == SIGHTINGS_PARTS) {
        return 0;
    }
    total->parts[total->part_count++] =
        (struct seen_part){.browser = text_copy(browser), .seen_us = histogram_new()};
    return total->part_count;
}

static struct seen_total *total_of(struct sightings *sightings, struct sighting *sighting, struct bytes name)
{
    if (sighting->total == NULL) {
        sighting->total = sightings_need_total(sightings, name);
    }
    return sighting->total;
}

/* Never below 0. */
static uint64_t between_us(int64_t first_ns, int64_t last_ns)
{
    if (last_ns <= first_ns) {
        return 0;
    }
    uint64_t us = ((uint64_t)last_ns - (uint64_t)first_ns) / NS_PER_US;
    return us < LONGEST_US ? us : LONGEST_US;
}

static void sightings_note(struct sightings *sightings, const struct instant *seen, uint64_t seen_us)
{
    sightings->notes = memory_reserve(sightings->notes, &sightings->note_capacity, sightings->note_count + 1,
                                      sizeof *sightings->notes);
    sightings->notes[sightings->note_count++] = (struct seen_note){.at_ns = seen->at_ns, .seen_us = seen_us};
}

const struct seen_note *sightings_take_notes(struct sightings *sightings, size_t *count)
{
    *count = sightings->note_count;
    sightings->note_count = 0;
    return sightings->notes;
}

static void record(struct sightings *sightings, struct seen_total *total, const struct instant *edit,
                   const struct early_sighting *sight)
{
    const struct instant *seen = &sight->instant;
    uint64_t uncertainty_us = (uint64_t)edit->uncertainty_us + seen->uncertainty_us;
    total->report.seen_count++;
    uint64_t seen_us = between_us(edit->at_ns, seen->at_ns);
    histogram_record(total->seen_us, seen_us);
    if (sight->part > 0) {
        total->parts[sight->part - 1].seen_count++;
        histogram_record(total->parts[sight->part - 1].seen_us, seen_us);
    }
    sightings_note(sightings, seen, seen_us);
    if (between_us(seen->at_ns, edit->at_ns) > uncertainty_us) {
        total->report.before_edit++;
    }
    if (uncertainty_us > total->report.uncertainty_us) {
        total->report.uncertainty_us = uncertainty_us;
    }
}

void sightings_edit(struct sightings *sightings, struct sighting *sighting, struct bytes name,
                    const struct instant *instant, struct quota *quota)
{
    if (sighting->edit.at_ns != 0 || instant->at_ns == 0) {
        return;
    }
    sighting->edit = *instant;
    struct seen_total *total = total_of(sightings, sighting, name);
    for (size_t i = 0; i < sighting->early_count; i++) {
        record(sightings, total, instant, &sighting->early[i]);
    }
    size_t kept = sighting->early_count * sizeof *sighting->early;
    memory_free(sighting->early);
    sighting->early = NULL;
    sighting->early_count = sighting->early_capacity = 0;
    sighting->charge -= kept;
    quota_give(quota, kept);
}

void sightings_seen(struct sightings *sightings, struct sighting *sighting, struct bytes name,
                    const struct seen *seen, struct quota *quota)
{
    if (seen->is_at_once) {
        struct seen_total *total = total_of(sightings, sighting, name);
        uint32_t part = sightings_need_part(total, seen->browser);
        total->report.at_once++;
        if (part > 0) {
            total->parts[part - 1].at_once++;
        }
        return;
    }
    if (seen->instant.at_ns == 0) {
        return;
    }
    struct early_sighting sight = {.instant = seen->instant};
    if (seen->browser.size > 0) {
        sight.part = sightings_need_part(total_of(sightings, sighting, name), seen->browser);
    }
    sighting_note(sighting, seen->worker, &seen->instant);
    if (sighting->edit.at_ns == 0) {
        sighting_keep(sighting, &sight, quota);
    } else {
        record(sightings, total_of(sightings, sighting, name), &sighting->edit, &sight);
    }
}

void sightings_compare(struct sightings *sightings, struct sighting *sighting, struct bytes name,
                       uint32_t worker, struct bytes digest, struct quota *quota)
{
    if (digest.size == OPERATION_DIGEST_BYTES) {
        (void)total_of(sightings, sighting, name);
        sighting_compare(sighting, worker, digest, quota);
    }
}

static void count_last(struct seen_total *total, uint32_t worker)
{
    struct bytes key = bytes_of(&worker, sizeof worker);
    uintptr_t times = (uintptr_t)map_get(total->last, key);
    if (times == 0 && map_size(total->last) >= SIGHTINGS_LAST) {
        total->report.last_others++;
        return;
    }
    (void)map_put(total->last, key, (void *)(times + 1));
}

/* Of a text that was written; a value of another type cannot have been seen by a reader. */
static struct bytes digest_of(struct bytes payload, uint8_t sum[OPERATION_DIGEST_BYTES])
{
    struct value_item item;
    if (payload.size == 0 || !value_read(&payload, &item) || item.kind != 's') {
        return bytes_of(NULL, 0);
    }
    digest_start_of(item.string, sum, OPERATION_DIGEST_BYTES);
    return bytes_of(sum, OPERATION_DIGEST_BYTES);
}

static void sightings_judge(struct sightings *sightings, const struct sighting *sighting, uint32_t room,
                            uint64_t step, struct bytes payload)
{
    uint8_t sum[OPERATION_DIGEST_BYTES];
    struct seen_total *total = sighting->total;
    struct divergence divergence;
    sighting_judge(sighting, digest_of(payload, sum), &divergence);
    total->report.steps_compared++;
    total->report.reads_compared += divergence.compared;
    total->report.reads_differed += divergence.differed;
    if (divergence.differed == 0) {
        return;
    }
    divergence.room = room;
    divergence.step = step;
    if (total->report.steps_diverged++ < SIGHTINGS_EXAMPLES) {
        total->examples[total->report.example_count++] = divergence;
    }
    if (sightings->diverged++ == 0) {
        sightings->first_diverged = total;
    }
}

void sightings_close(struct sightings *sightings, const struct sighting *sighting, uint32_t room,
                     uint64_t step, struct bytes payload)
{
    if (sighting->total == NULL) {
        return;
    }
    if (sighting->seen > 0 && sighting->edit.at_ns != 0) {
        histogram_record(sighting->total->spread_us, between_us(sighting->first_ns, sighting->last_ns));
        count_last(sighting->total, sighting->last_worker);
    }
    if (sighting->text_count + sighting->others > 0) {
        sightings_judge(sightings, sighting, room, step, payload);
    }
}

uint64_t sightings_diverged(const struct sightings *sightings, struct bytes *name,
                            const struct divergence **first)
{
    if (sightings->diverged > 0) {
        *name = sightings->first_diverged->report.name;
        *first = &sightings->first_diverged->examples[0];
    }
    return sightings->diverged;
}

static int compare_last(const void *left, const void *right)
{
    const struct last_seen *a = (const struct last_seen *)left;
    const struct last_seen *b = (const struct last_seen *)right;
    if (a->times != b->times) {
        return a->times > b->times ? -1 : 1;
    }
    return (a->worker > b->worker) - (a->worker < b->worker);
}

static void list_last(struct seen_total *total, struct seen_report *report)
{
    total->last_list = memory_reserve(total->last_list, &total->last_capacity, map_size(total->last) + 1,
                                      sizeof *total->last_list);
    report->last = total->last_list;
    report->last_count = 0;
    struct map_cursor cursor = {0};
    while (map_next(total->last, &cursor)) {
        struct last_seen *last = &total->last_list[report->last_count++];
        assert(cursor.key.size == sizeof last->worker);
        memcpy(&last->worker, cursor.key.data, sizeof last->worker);
        last->times = (uintptr_t)cursor.value;
    }
    qsort(total->last_list, report->last_count, sizeof *total->last_list, compare_last);
}

/* Where all were seen with one kind of browser, its numbers are those of the whole. */
static void list_parts(struct seen_total *total, struct seen_report *report)
{
    report->parts = total->part_reports;
    report->part_count = total->part_count;
    for (uint32_t i = 0; i < total->part_count; i++) {
        const struct seen_part *part = &total->parts[i];
        total->part_reports[i] = (struct seen_part_report){.browser = part->browser.bytes,
                                                           .seen_count = part->seen_count,
                                                           .at_once = part->at_once,
                                                           .seen_us = part->seen_us};
    }
    if (total->part_count == 1 && total->parts[0].seen_count == report->seen_count &&
        total->parts[0].at_once == report->at_once) {
        report->part_count = 0;
    }
}

static int sightings_compare_names(const void *left, const void *right)
{
    return bytes_compare(((const struct seen_report *)left)->name, ((const struct seen_report *)right)->name);
}

void sightings_report(struct sightings *sightings, struct campaign_report *report)
{
    sightings->reports = memory_reserve(sightings->reports, &sightings->report_capacity,
                                        map_size(sightings->totals) + 1, sizeof *sightings->reports);
    report->seen_count = 0;
    struct map_cursor cursor = {0};
    while (map_next(sightings->totals, &cursor)) {
        struct seen_total *total = (struct seen_total *)cursor.value;
        if (total->report.seen_count + total->report.at_once + total->report.steps_compared == 0) {
            continue;
        }
        struct seen_report *seen = &sightings->reports[report->seen_count++];
        *seen = total->report;
        list_last(total, seen);
        list_parts(total, seen);
    }
    report->seen = sightings->reports;
    qsort(sightings->reports, report->seen_count, sizeof *sightings->reports, sightings_compare_names);
}
