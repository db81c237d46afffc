/* Counts of the checks of one campaign on one shard, by name. */
#pragma once
#include "common/map.h"
#include "proto/message/message.h"
#include "proto/message/tags.h"

struct check_sample {
    struct bytes name;
    bool is_passed;
    struct bytes text; /* why it failed */
    uint32_t worker;
    uint64_t step;
    struct tag_set tags;
};

/* The map has what is counted: name → entry. */
void check_meter_add(struct map *checks, const struct check_sample *sample);
/* Fills the counts since the last time into memory of their own, whose texts are those of the entries;
 * afterwards check_meter_clear. */
void check_meter_take(struct map *checks, struct statistics *statistics);
void check_meter_clear(struct map *checks);
void check_meter_free(struct map **checks);
