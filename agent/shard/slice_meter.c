/* Counts by tag, and of groups, of one campaign on one shard. */
#include "agent/shard/slice_meter.h"

#include "common/histogram.h"
#include "common/map.h"
#include "common/memory.h"
#include "common/text.h"
#include "proto/message/limits.h"
#include "proto/message/tag_combinations.h"

#include <assert.h>
#include <string.h>

/* The slot of combinations, whose number stands in place of a value. */
#define SLOT_OF_COMBINATIONS (TAG_NAMES + 1u)

/* Names that have no place of their own count under this one, so that each tag still has all of its. */
#define OTHER_NAMES "(other)"
#define SLICE_NAMES_MAX (LIMIT_SLICES - SLICE_KINDS * (TAGS_MAX + TAG_COMBINATIONS_MAX + 1u))
static_assert(SLICE_NAMES_MAX > 3000, "there is a place for other names of each kind and tag");

struct slice_entry {
    struct text name;
    struct slice_statistics counts;
};

struct slice_meter {
    struct tag_table *tags;
    struct tag_combinations *combinations; /* NULL: there are none */
    struct tag_set sets[TAG_COMBINATIONS_MAX];
    struct map *entries; /* kind, tag and name → struct slice_entry */
};

struct slice_meter *slice_meter_new(void)
{
    struct slice_meter *meter = MEMORY_NEW(struct slice_meter);

    meter->tags = tag_table_new();
    meter->entries = map_new();
    return meter;
}

void slice_meter_keep(struct slice_meter *meter, struct bytes thresholds)
{
    meter->combinations = tag_combinations_new(thresholds);
    tag_combinations_note(meter->combinations, meter->tags);
    for (size_t i = 0; i < tag_combinations_count(meter->combinations); i++) {
        meter->sets[i] = tag_combinations_set(meter->combinations, i, meter->tags);
    }
}

void slice_meter_free(struct slice_meter **pointer)
{
    struct slice_meter *meter = *pointer;
    struct map_cursor cursor = {0};

    if (meter == NULL) {
        return;
    }
    while (map_next(meter->entries, &cursor)) {
        struct slice_entry *entry = cursor.value;
        text_finish(&entry->name);
        histogram_free(&entry->counts.us);
        memory_free(entry);
    }
    map_free(&meter->entries);
    tag_combinations_free(&meter->combinations);
    tag_table_free(&meter->tags);
    memory_free(meter);
    *pointer = NULL;
}

struct tag_table *slice_meter_tags(struct slice_meter *meter)
{
    return meter->tags;
}

static struct bytes slice_meter_text(const struct slice_meter *meter, struct tag_id tag)
{
    return tag.slot == SLOT_OF_COMBINATIONS ? tag_combinations_text(meter->combinations, tag.value - 1u)
                                            : tag_table_text(meter->tags, tag);
}

/* The tags of a sample, and then the combinations that it has all tags of. False after the last. */
static bool slice_meter_next(const struct slice_meter *meter, const struct tag_set *tags, struct tag_id *tag)
{
    if (tag->slot < SLOT_OF_COMBINATIONS) {
        if (tag_set_next(tags, tag)) {
            return true;
        }
        *tag = (struct tag_id){.slot = SLOT_OF_COMBINATIONS};
    }
    size_t count = meter->combinations != NULL ? tag_combinations_count(meter->combinations) : 0;
    while (tag->value < count) {
        if (tag_set_has_all(tags, &meter->sets[tag->value++])) {
            return true;
        }
    }
    return false;
}

/* A tag of value 0 is none. */
static struct slice_statistics *slice_meter_need(struct slice_meter *meter, enum slice_kind kind,
                                                 struct tag_id tag, struct bytes name)
{
    uint8_t key[3 + LIMIT_NAME_BYTES];

    if (name.size > LIMIT_NAME_BYTES) {
        name.size = LIMIT_NAME_BYTES;
    }
    key[0] = (uint8_t)kind;
    key[1] = tag.slot;
    key[2] = tag.value;
    memcpy(key + 3, name.data, name.size);
    struct bytes whole = bytes_of(key, name.size + 3);
    struct slice_entry *entry = map_get(meter->entries, whole);
    if (entry != NULL) {
        return &entry->counts;
    }
    if (map_size(meter->entries) >= SLICE_NAMES_MAX && !bytes_equal_string(name, OTHER_NAMES)) {
        return slice_meter_need(meter, kind, tag, bytes_of_string(OTHER_NAMES));
    }
    entry = MEMORY_NEW(struct slice_entry);
    entry->name = text_copy(name);
    entry->counts = (struct slice_statistics){.kind = kind, .name = entry->name.bytes};
    if (tag.value != 0) {
        entry->counts.tag = slice_meter_text(meter, tag);
    }
    map_put(meter->entries, whole, entry);
    return &entry->counts;
}

static void slice_count(struct slice_statistics *counts, const struct slice_sample *sample)
{
    counts->count++;
    counts->failed += !sample->is_ok;
    if (!sample->has_time) {
        return;
    }
    if (counts->us == NULL) {
        counts->us = histogram_new();
    }
    histogram_record(counts->us, sample->us);
}

void slice_meter_add(struct slice_meter *meter, const struct slice_sample *sample)
{
    struct tag_id tag = {0};

    if (sample->kind == SLICE_GROUP) {
        slice_count(slice_meter_need(meter, sample->kind, tag, sample->name), sample);
    }
    while (slice_meter_next(meter, &sample->tags, &tag)) {
        slice_count(slice_meter_need(meter, sample->kind, tag, sample->name), sample);
    }
}

void slice_meter_rebook(struct slice_meter *meter, const struct slice_sample *sample)
{
    struct tag_id tag = {0};

    while (slice_meter_next(meter, &sample->tags, &tag)) {
        struct slice_statistics *counts = slice_meter_need(meter, sample->kind, tag, sample->name);
        if (!sample->is_ok) {
            counts->failed++;
        } else if (counts->failed > 0) {
            counts->failed--;
        } else {
            counts->forgiven++; /* of those that were reported already */
        }
    }
}

void slice_meter_take(struct slice_meter *meter, struct statistics *statistics)
{
    struct map_cursor cursor = {0};

    statistics->slices = memory_new(map_size(meter->entries) + 1, sizeof *statistics->slices);
    while (map_next(meter->entries, &cursor)) {
        struct slice_statistics *counts = &((struct slice_entry *)cursor.value)->counts;
        if (counts->count + counts->failed + counts->forgiven == 0) {
            continue;
        }
        statistics->slices[statistics->slice_count++] = *counts;
        counts->us = NULL; /* that one is the report's now */
        counts->count = counts->failed = counts->forgiven = 0;
    }
}
