/* Counts of the checks of one campaign on one shard. */
#include "agent/shard/check_meter.h"

#include "common/memory.h"
#include "common/text.h"
#include "proto/message/limits.h"

#define OTHER_CHECKS "(other)"

struct check_entry {
    struct text name;
    struct text text;
    struct check_statistics counts;
};

static struct check_entry *check_meter_need(struct map *checks, struct bytes name)
{
    if (name.size > LIMIT_NAME_BYTES) {
        name.size = LIMIT_NAME_BYTES;
    }
    struct check_entry *entry = map_get(checks, name);
    if (entry == NULL && map_size(checks) >= LIMIT_REQUEST_NAMES - 1) {
        name = bytes_of_string(OTHER_CHECKS);
        entry = map_get(checks, name);
    }
    if (entry == NULL) {
        entry = MEMORY_NEW(struct check_entry);
        entry->name = text_copy(name);
        entry->counts.name = entry->name.bytes;
        (void)map_put(checks, name, entry);
    }
    return entry;
}

void check_meter_add(struct map *checks, const struct check_sample *sample)
{
    struct check_entry *entry = check_meter_need(checks, sample->name);
    struct check_statistics *counts = &entry->counts;
    if (sample->is_passed) {
        counts->passed++;
        return;
    }
    if (counts->failed++ == 0) {
        size_t size = sample->text.size < LIMIT_TEXT_BYTES ? sample->text.size : LIMIT_TEXT_BYTES;
        text_finish(&entry->text);
        entry->text = text_copy(bytes_of(sample->text.data, size));
        counts->text = entry->text.bytes;
        counts->worker = sample->worker;
        counts->step = sample->step;
    }
}

void check_meter_take(struct map *checks, struct statistics *statistics)
{
    struct map_cursor cursor = {0};
    statistics->checks = memory_new(map_size(checks) + 1, sizeof *statistics->checks);
    while (map_next(checks, &cursor)) {
        const struct check_statistics *counts = &((const struct check_entry *)cursor.value)->counts;
        if (counts->passed + counts->failed > 0) {
            statistics->checks[statistics->check_count++] = *counts;
        }
    }
}

void check_meter_clear(struct map *checks)
{
    struct map_cursor cursor = {0};
    while (map_next(checks, &cursor)) {
        struct check_entry *entry = cursor.value;
        text_finish(&entry->text);
        entry->counts = (struct check_statistics){.name = entry->name.bytes};
    }
}

void check_meter_free(struct map **checks)
{
    struct map_cursor cursor = {0};
    while (map_next(*checks, &cursor)) {
        struct check_entry *entry = cursor.value;
        text_finish(&entry->name);
        text_finish(&entry->text);
        memory_free(entry);
    }
    map_free(checks);
}
