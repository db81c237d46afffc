/* What is counted by tag, and in groups. */
#include "coordinator/core/report/slices.h"

#include "common/histogram_pack.h"
#include "common/memory.h"
#include "common/text.h"
#include "coordinator/core/report/statistics.h"
#include "proto/message/limits.h"
#include "proto/message/tag_combinations.h"

#include <assert.h>
#include <stdlib.h>

/* A kind, the size of the tag, the tag and the name. */
#define SLICE_KEY_BYTES (2u + 2u * LIMIT_NAME_BYTES)
/* Further names count under STATISTICS_OTHER, so that each tag still has all of its; requests have a row of
 * all names besides. */
#define SLICE_NAMES_MAX (LIMIT_SLICES - (SLICE_KINDS + 1u) * (TAGS_MAX + TAG_COMBINATIONS_MAX + 1u))

struct slice_total {
    struct text name;
    struct text tag;
    struct slice_report report;
    struct histogram *us;
};
static_assert(sizeof(struct slice_report) == 64, "what is packed here has to know each field");

struct slice_totals {
    struct map *by_key; /* → struct slice_total */
    struct tag_table *tags;
    struct tag_combinations *combinations; /* NULL: there are none */
    struct slice_report *reports;
    size_t report_capacity;
};

struct slice_totals *slice_totals_new(void)
{
    struct slice_totals *totals = MEMORY_NEW(struct slice_totals);
    totals->by_key = map_new();
    totals->tags = tag_table_new();
    return totals;
}

void slice_totals_keep(struct slice_totals *totals, struct bytes thresholds)
{
    totals->combinations = tag_combinations_new(thresholds);
    tag_combinations_note(totals->combinations, totals->tags);
}

void slice_totals_free(struct slice_totals **at)
{
    struct slice_totals *totals = *at;
    struct map_cursor cursor = {0};
    if (totals == NULL) {
        return;
    }
    while (map_next(totals->by_key, &cursor)) {
        struct slice_total *total = cursor.value;
        text_finish(&total->name);
        text_finish(&total->tag);
        histogram_free(&total->us);
        memory_free(total);
    }
    map_free(&totals->by_key);
    tag_table_free(&totals->tags);
    tag_combinations_free(&totals->combinations);
    memory_free(totals->reports);
    memory_free(totals);
    *at = NULL;
}

static struct bytes slice_key(const struct slice_report *like, struct buffer *key)
{
    const uint8_t begin[2] = {(uint8_t)like->kind, (uint8_t)like->tag.size};
    static_assert(LIMIT_NAME_BYTES <= UINT8_MAX, "the size of a tag is a byte of the key");
    buffer_clear(key);
    (void)buffer_append(key, begin, sizeof begin);
    (void)buffer_append(key, like->tag.data, like->tag.size);
    (void)buffer_append(key, like->name.data, like->name.size);
    return buffer_bytes(key);
}

const struct slice_report *slice_totals_find(const struct slice_totals *totals,
                                             const struct slice_report *like)
{
    SCOPED(buffer_finish) struct buffer key;
    buffer_init(&key, SLICE_KEY_BYTES);
    const struct slice_total *total = map_get(totals->by_key, slice_key(like, &key));
    return total != NULL ? &total->report : NULL;
}

const struct slice_report *slice_totals_next(const struct slice_totals *totals, struct map_cursor *cursor)
{
    return map_next(totals->by_key, cursor) ? &((const struct slice_total *)cursor->value)->report : NULL;
}

/* The total with the kind, name and tag of `like`, which may borrow them. */
static struct slice_total *slice_total_of(const struct slice_totals *totals, struct slice_report like)
{
    SCOPED(buffer_finish) struct buffer key;
    buffer_init(&key, SLICE_KEY_BYTES);
    struct slice_total *total = map_get(totals->by_key, slice_key(&like, &key));
    if (total == NULL && like.name.size > 0 && map_size(totals->by_key) >= SLICE_NAMES_MAX) {
        like.name = bytes_of_string(STATISTICS_OTHER);
        total = map_get(totals->by_key, slice_key(&like, &key));
    }
    if (total == NULL) {
        total = MEMORY_NEW(struct slice_total);
        total->name = text_copy(like.name);
        total->tag = text_copy(like.tag);
        total->us = histogram_new();
        total->report = (struct slice_report){
            .kind = like.kind, .name = total->name.bytes, .tag = total->tag.bytes, .us = total->us};
        (void)map_put(totals->by_key, buffer_bytes(&key), total);
    }
    return total;
}

/* With its own name and tag, as they are. */
static void slice_totals_add(struct slice_totals *totals, const struct slice_statistics *from,
                             size_t *left_bytes)
{
    struct slice_report like = {.kind = from->kind, .name = from->name, .tag = from->tag};
    struct slice_total *total = slice_total_of(totals, like);
    uint64_t failed = total->report.failed + from->failed;
    total->report.count += from->count;
    total->report.failed = failed - (from->forgiven < failed ? from->forgiven : failed);
    if (from->us != NULL) {
        histogram_merge_within(total->us, from->us, left_bytes);
    }
}

struct bytes slice_totals_tag(const struct slice_totals *totals, struct bytes tag)
{
    struct bytes name;
    struct bytes value;
    if (tag_text_is_combination(tag)) {
        return totals->combinations != NULL ? tag_combinations_find(totals->combinations, tag)
                                            : bytes_of("", 0);
    }
    if (!tag_split(tag, &name, &value)) {
        return bytes_of("", 0);
    }
    return tag_table_text(totals->tags, tag_table_note(totals->tags, name, value));
}

void slice_totals_merge(struct slice_totals *totals, const struct slice_statistics *from, size_t *left_bytes)
{
    struct slice_statistics slice = *from;
    slice.tag = slice_totals_tag(totals, from->tag);
    if (slice.tag.size == 0 && from->tag.size > 0) {
        return;
    }
    slice_totals_add(totals, &slice, left_bytes);
    if (slice.kind == SLICE_REQUEST) {
        slice.name = bytes_of("", 0); /* all requests with this tag */
        slice_totals_add(totals, &slice, left_bytes);
    }
}

static int compare_slices(const void *left, const void *right)
{
    const struct slice_report *a = left;
    const struct slice_report *b = right;
    int order = bytes_compare(a->tag, b->tag);
    if (order == 0) {
        order = (int)a->kind - (int)b->kind;
    }
    return order != 0 ? order : bytes_compare(a->name, b->name);
}

void slice_totals_report(struct slice_totals *totals, struct campaign_report *report)
{
    const struct slice_report *slice;
    struct map_cursor cursor = {0};
    totals->reports = memory_reserve(totals->reports, &totals->report_capacity, map_size(totals->by_key) + 1,
                                     sizeof *totals->reports);
    report->slice_count = 0;
    while ((slice = slice_totals_next(totals, &cursor)) != NULL) {
        totals->reports[report->slice_count++] = *slice;
    }
    qsort(totals->reports, report->slice_count, sizeof *totals->reports, compare_slices);
    report->slices = totals->reports;
}

void slice_totals_pack(const struct slice_totals *totals, struct buffer *into)
{
    const struct slice_report *slice;
    struct map_cursor cursor = {0};
    pack_number(into, map_size(totals->by_key));
    while ((slice = slice_totals_next(totals, &cursor)) != NULL) {
        pack_number(into, slice->kind);
        pack_bytes(into, slice->name);
        pack_bytes(into, slice->tag);
        pack_number(into, slice->count);
        pack_number(into, slice->failed);
        histogram_pack(slice->us, into);
    }
}

void slice_totals_unpack(struct slice_totals *totals, struct unpack *from)
{
    size_t unbounded = SIZE_MAX; /* so that nothing is clipped that was not before */
    uint64_t count = unpack_bounded(from, LIMIT_SLICES);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct slice_statistics slice = {.kind = (enum slice_kind)unpack_bounded(from, SLICE_KINDS - 1)};
        slice.name = unpack_bytes(from);
        slice.tag = unpack_bytes(from);
        slice.count = unpack_number(from);
        slice.failed = unpack_number(from);
        slice.us = histogram_unpack(from);
        if (slice.name.size > LIMIT_NAME_BYTES || slice.tag.size > LIMIT_NAME_BYTES) {
            unpack_break(from);
        }
        bool has_tag = slice.tag.size > 0;
        slice.tag = slice_totals_tag(totals, slice.tag);
        if (has_tag && slice.tag.size == 0) {
            unpack_break(from);
        }
        if (!from->is_broken) {
            slice_totals_add(totals, &slice, &unbounded);
        }
        histogram_free(&slice.us);
    }
}
