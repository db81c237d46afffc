/* The inside of the sightings, for the files that they are made of. */
#pragma once
#include "common/map.h"
#include "common/text.h"
#include "coordinator/core/rooms/sightings.h"

struct seen_total {
    struct text name;
    struct seen_report report; /* without its lists; the name is a view of the one above */
    struct histogram *seen_us;
    struct histogram *spread_us;
    struct map *last; /* worker → times */
    struct last_seen *last_list;
    size_t last_capacity;
    struct divergence examples[SIGHTINGS_EXAMPLES];
};

struct sightings {
    struct map *totals; /* by name */
    struct seen_total *first_diverged;
    uint64_t diverged;
    struct seen_report *reports;
    size_t report_capacity;
};

/* That of this name, made where there is none; of STATISTICS_OTHER where there are too many. */
struct seen_total *sightings_need_total(struct sightings *sightings, struct bytes name);
