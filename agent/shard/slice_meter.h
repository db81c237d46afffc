/* Counts by tag, and of groups, of one campaign on one shard, reported as differences. */
#pragma once
#include "common/attributes.h"
#include "proto/message/message.h"
#include "proto/message/tags.h"

struct slice_meter;

MUST_CHECK struct slice_meter *slice_meter_new(void);
void slice_meter_free(struct slice_meter **meter);
/* Counts what has all tags of a combination that these thresholds name by it as well. Called once, before
 * anything is counted. */
void slice_meter_keep(struct slice_meter *meter, struct bytes thresholds);
/* The tags that it has counted, and that are to be counted. */
struct tag_table *slice_meter_tags(struct slice_meter *meter);

/* A request, check or group, which has a name. */
struct slice_sample {
    enum slice_kind kind;
    struct bytes name;
    struct tag_set tags;
    bool is_ok;
    bool has_time;
    uint64_t us;
};
/* Counts it under each of its tags, each combination of them that is kept, and a group by itself as well. */
void slice_meter_add(struct slice_meter *meter, const struct slice_sample *sample);
/* Such a one, which was counted, has failed after all, or has not: `is_ok`. */
void slice_meter_rebook(struct slice_meter *meter, const struct slice_sample *sample);

/* Fills the slices of `statistics`, in an array that the caller frees; texts belong to the meter, the
 * histograms to `statistics`. */
void slice_meter_take(struct slice_meter *meter, struct statistics *statistics);
