/* Internals of the sightings, for their source files. */
#pragma once
#include "common/map.h"
#include "common/text.h"
#include "coordinator/core/rooms/sightings.h"

/* The sightings of one kind of browser. */
struct seen_part {
    struct text browser;
    uint64_t seen_count;
    uint64_t at_once;
    struct histogram *seen_us;
};

struct seen_total {
    struct text name;
    struct seen_report report; /* without its lists; the name is a view of the one above */
    struct histogram *seen_us;
    struct histogram *spread_us;
    struct map *last; /* worker → times */
    struct last_seen *last_list;
    size_t last_capacity;
    struct divergence examples[SIGHTINGS_EXAMPLES];
    struct seen_part parts[SIGHTINGS_PARTS];
    struct seen_part_report part_reports[SIGHTINGS_PARTS];
    uint32_t part_count;
};

struct sightings {
    struct map *totals; /* by name */
    struct seen_total *first_diverged;
    uint64_t diverged;
    struct seen_note *notes; /* that were not taken yet: none between two messages */
    size_t note_count;
    size_t note_capacity;
    struct seen_report *reports;
    size_t report_capacity;
};

/* The one with this name, created if there is none; that of STATISTICS_OTHER if there are too many. */
struct seen_total *sightings_need_total(struct sightings *sightings, struct bytes name);
/* The part of this browser, counted from 1, created if there is none; 0: it is not counted apart. */
uint32_t sightings_need_part(struct seen_total *total, struct bytes browser);
