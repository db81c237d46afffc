/* Who came last to barriers and notifiers. */
#include "coordinator/core/rooms/latecomers.h"

#include "common/map.h"
#include "common/memory.h"
#include "common/text.h"
#include "common/time_units.h"
#include "coordinator/core/report/statistics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct late_total {
    struct text name;
    struct last_report report; /* without its workers; the name is a view of the one above */
    struct latecomer *workers; /* sorted by worker */
    size_t count;
    size_t capacity;
    struct latecomer *sorted; /* for a report: by how long others waited for them */
    size_t sorted_capacity;
};
static_assert(sizeof(struct last_report) == 72 && sizeof(struct latecomer) == 24,
              "packing has to cover each field");

struct latecomers {
    struct map *totals; /* kind and name → struct late_total */
    struct last_report *reports;
    size_t report_capacity;
};

struct latecomers *latecomers_new(void)
{
    struct latecomers *latecomers = MEMORY_NEW(struct latecomers);
    latecomers->totals = map_new();
    return latecomers;
}

void latecomers_free(struct latecomers **at)
{
    struct latecomers *latecomers = *at;
    struct map_cursor cursor = {0};
    if (latecomers == NULL) {
        return;
    }
    while (map_next(latecomers->totals, &cursor)) {
        struct late_total *total = cursor.value;
        text_finish(&total->name);
        memory_free(total->workers);
        memory_free(total->sorted);
        memory_free(total);
    }
    map_free(&latecomers->totals);
    memory_free(latecomers->reports);
    memory_free(latecomers);
    *at = NULL;
}

static struct late_total *late_total_of(const struct latecomers *latecomers, enum operation_kind kind,
                                        struct bytes name)
{
    uint8_t key[1 + LIMIT_NAME_BYTES];
    assert(name.size <= LIMIT_NAME_BYTES);
    key[0] = (uint8_t)kind;
    memcpy(key + 1, name.data, name.size);
    struct late_total *total = map_get(latecomers->totals, bytes_of(key, name.size + 1));
    if (total != NULL) {
        return total;
    }
    /* A place is left for the other names of each kind. */
    if (map_size(latecomers->totals) >= LATECOMERS_NAMES && !bytes_equal_string(name, STATISTICS_OTHER)) {
        return late_total_of(latecomers, kind, bytes_of_string(STATISTICS_OTHER));
    }
    total = MEMORY_NEW(struct late_total);
    total->name = text_copy(name);
    total->report = (struct last_report){.name = total->name.bytes, .kind = kind};
    (void)map_put(latecomers->totals, bytes_of(key, name.size + 1), total);
    return total;
}

static int compare_waited(const void *left, const void *right)
{
    const struct latecomer *a = left;
    const struct latecomer *b = right;
    if (a->waited_us != b->waited_us) {
        return a->waited_us > b->waited_us ? -1 : 1;
    }
    return (a->worker > b->worker) - (a->worker < b->worker);
}

static int compare_worker(const void *left, const void *right)
{
    uint32_t a = ((const struct latecomer *)left)->worker;
    uint32_t b = ((const struct latecomer *)right)->worker;
    return (a > b) - (a < b);
}

/* Those for whom others waited least make room: seldom enough to cost little for each that is added. */
static void late_total_prune(struct late_total *total)
{
    qsort(total->workers, total->count, sizeof *total->workers, compare_waited);
    while (total->count > LATECOMERS_WORKERS / 2) {
        const struct latecomer *least = &total->workers[--total->count];
        total->report.others_times += least->times;
        total->report.others_waited_us += least->waited_us;
    }
    qsort(total->workers, total->count, sizeof *total->workers, compare_worker);
}

/* Where the worker is, or would be. */
static size_t late_total_find(const struct late_total *total, uint32_t worker)
{
    size_t low = 0;
    size_t high = total->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (total->workers[middle].worker < worker) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct latecomer *late_total_need(struct late_total *total, uint32_t worker)
{
    size_t at = late_total_find(total, worker);
    if (at < total->count && total->workers[at].worker == worker) {
        return &total->workers[at];
    }
    if (total->count == LATECOMERS_WORKERS) {
        late_total_prune(total);
        at = late_total_find(total, worker);
    }
    total->workers =
        memory_reserve(total->workers, &total->capacity, total->count + 1, sizeof *total->workers);
    memmove(&total->workers[at + 1], &total->workers[at], (total->count - at) * sizeof *total->workers);
    total->count++;
    total->workers[at] = (struct latecomer){.worker = worker, .agent = LATECOMERS_NOWHERE};
    return &total->workers[at];
}

void latecomers_add(struct latecomers *latecomers, const struct late_arrival *arrival)
{
    struct late_total *total = late_total_of(latecomers, arrival->kind, arrival->name);
    struct latecomer *latecomer = late_total_need(total, arrival->worker);
    uint64_t waited_us = arrival->waited_ns / NS_PER_US;
    total->report.times++;
    total->report.waited_us += waited_us;
    latecomer->times++;
    latecomer->waited_us += waited_us;
}

void latecomers_place(struct latecomers *latecomers,
                      uint32_t (*agent_of)(const void *context, uint32_t worker), const void *context)
{
    struct map_cursor cursor = {0};
    while (map_next(latecomers->totals, &cursor)) {
        const struct late_total *total = cursor.value;
        for (size_t i = 0; i < total->count; i++) {
            total->workers[i].agent = agent_of(context, total->workers[i].worker);
        }
    }
}

static int compare_last_reports(const void *left, const void *right)
{
    const struct last_report *a = left;
    const struct last_report *b = right;
    int order = bytes_compare(a->name, b->name);
    return order != 0 ? order : (int)a->kind - (int)b->kind;
}

void latecomers_report(struct latecomers *latecomers, struct campaign_report *report)
{
    struct map_cursor cursor = {0};
    latecomers->reports = memory_reserve(latecomers->reports, &latecomers->report_capacity,
                                         map_size(latecomers->totals) + 1, sizeof *latecomers->reports);
    report->last_count = 0;
    while (map_next(latecomers->totals, &cursor)) {
        struct late_total *total = cursor.value;
        total->sorted =
            memory_reserve(total->sorted, &total->sorted_capacity, total->count + 1, sizeof *total->sorted);
        memcpy(total->sorted, total->workers, total->count * sizeof *total->sorted);
        qsort(total->sorted, total->count, sizeof *total->sorted, compare_waited);
        struct last_report *last = &latecomers->reports[report->last_count++];
        *last = total->report;
        last->workers = total->sorted;
        last->worker_count = total->count;
    }
    qsort(latecomers->reports, report->last_count, sizeof *latecomers->reports, compare_last_reports);
    report->last = latecomers->reports;
}

void latecomers_pack(const struct latecomers *latecomers, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, map_size(latecomers->totals));
    while (map_next(latecomers->totals, &cursor)) {
        const struct late_total *total = cursor.value;
        pack_number(into, total->report.kind);
        pack_bytes(into, total->report.name);
        pack_number(into, total->report.times);
        pack_number(into, total->report.waited_us);
        pack_number(into, total->report.others_times);
        pack_number(into, total->report.others_waited_us);
        pack_number(into, total->count);
        for (size_t i = 0; i < total->count; i++) { /* agents are noted when they are asked for */
            pack_number(into, total->workers[i].worker);
            pack_number(into, total->workers[i].times);
            pack_number(into, total->workers[i].waited_us);
        }
    }
}

static void late_total_unpack(struct late_total *total, struct unpack *from)
{
    total->report.times = unpack_number(from);
    total->report.waited_us = unpack_number(from);
    total->report.others_times = unpack_number(from);
    total->report.others_waited_us = unpack_number(from);
    uint64_t count = unpack_bounded(from, LATECOMERS_WORKERS);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        uint32_t worker = (uint32_t)unpack_bounded(from, UINT32_MAX);
        if (total->count > 0 && total->workers[total->count - 1].worker >= worker) {
            unpack_break(from);
            return;
        }
        struct latecomer *latecomer = late_total_need(total, worker);
        latecomer->times = unpack_number(from);
        latecomer->waited_us = unpack_number(from);
    }
}

struct latecomers *latecomers_unpack(struct unpack *from)
{
    struct latecomers *latecomers = latecomers_new();
    uint64_t count = unpack_bounded(from, LATECOMERS_NAMES + OPERATION_KIND_COUNT);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        enum operation_kind kind = (enum operation_kind)unpack_bounded(from, OPERATION_KIND_COUNT - 1);
        struct bytes name = unpack_bytes(from);
        if (from->is_broken || name.size > LIMIT_NAME_BYTES) {
            unpack_break(from);
            break;
        }
        struct late_total *total = late_total_of(latecomers, kind, name);
        if (map_size(latecomers->totals) != i + 1) {
            unpack_break(from); /* twice, or more than there is room for */
            break;
        }
        late_total_unpack(total, from);
    }
    return latecomers;
}
