/* The latest report of each campaign, so that many who ask within a second cost one to be built. */
#include "coordinator/net/report_cache.h"

#include "common/memory.h"

void report_cache_finish(struct report_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++) {
        report_view_free(&cache->items[i].view);
    }
    memory_free(cache->items);
    *cache = (struct report_cache){0};
}

static struct cached_report *find_cached(const struct report_cache *cache, uint64_t campaign)
{
    for (size_t i = 0; i < cache->count; i++) {
        if (cache->items[i].view->campaign == campaign) {
            return &cache->items[i];
        }
    }
    return NULL;
}

const struct report_view *report_cache_find(const struct report_cache *cache, uint64_t campaign,
                                            enum campaign_state state, uint64_t now_ns)
{
    const struct cached_report *found = find_cached(cache, campaign);
    bool is_good = found != NULL && found->view->state == state && now_ns - found->built_ns < REPORT_CACHE_NS;
    return is_good ? found->view : NULL;
}

const struct report_view *report_cache_put(struct report_cache *cache, struct report_view **view,
                                           uint64_t now_ns)
{
    struct cached_report *place = find_cached(cache, (*view)->campaign);
    if (place != NULL) {
        report_view_free(&place->view);
    } else {
        cache->items = memory_reserve(cache->items, &cache->capacity, cache->count + 1, sizeof *cache->items);
        place = &cache->items[cache->count++];
    }
    *place = (struct cached_report){.view = *view, .built_ns = now_ns};
    *view = NULL;
    cache->built++;
    return place->view;
}

static void drop_cached(struct report_cache *cache, struct cached_report *cached)
{
    report_view_free(&cached->view);
    *cached = cache->items[--cache->count];
}

void report_cache_drop(struct report_cache *cache, uint64_t campaign)
{
    struct cached_report *found = find_cached(cache, campaign);
    if (found != NULL) {
        drop_cached(cache, found);
    }
}

void report_cache_prune(struct report_cache *cache, bool (*is_known)(const void *context, uint64_t campaign),
                        const void *context)
{
    for (size_t i = cache->count; i > 0; i--) {
        if (!is_known(context, cache->items[i - 1].view->campaign)) {
            drop_cached(cache, &cache->items[i - 1]);
        }
    }
}
