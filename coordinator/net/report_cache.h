/* The latest report of each campaign, so that many who ask within a second cost one to be built. Knows no
 * clock. */
#pragma once
#include "coordinator/core/report_view/report_view.h"

/* A report is rebuilt when it is this old. */
#define REPORT_CACHE_NS 1000000000ULL

struct cached_report {
    struct report_view *view;
    uint64_t built_ns;
};

/* Zeroed, it is empty. Owns the reports. */
struct report_cache {
    struct cached_report *items;
    size_t count;
    size_t capacity;
    uint64_t built; /* reports that were put in, since the beginning */
};

void report_cache_finish(struct report_cache *cache);
/* Borrowed until the next report of this campaign is put in, or it is dropped. NULL: none, one that is too
 * old, or one of a time when the campaign was in another state. */
MUST_CHECK const struct report_view *report_cache_find(const struct report_cache *cache, uint64_t campaign,
                                                       enum campaign_state state, uint64_t now_ns);
/* Takes the report, and gives it back borrowed. */
const struct report_view *report_cache_put(struct report_cache *cache, struct report_view **view,
                                           uint64_t now_ns);
/* The next report of the campaign will be a new one. */
void report_cache_drop(struct report_cache *cache, uint64_t campaign);
/* Drops the campaigns that are not `is_known`. */
void report_cache_prune(struct report_cache *cache, bool (*is_known)(const void *context, uint64_t campaign),
                        const void *context);
