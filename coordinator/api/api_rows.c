/* Which seconds of a campaign are new, or have changed since they were last looked at. */
#include "coordinator/api/api_inside.h"

#include "common/memory.h"

struct row_watch {
    uint64_t campaign;
    uint64_t end; /* seconds before it have been looked at */
    uint64_t revisions[SERIES_OPEN_S];
    struct row_watch *next;
};

static struct row_watch **row_watch_find(struct api *api, uint64_t campaign)
{
    struct row_watch **at = &api->row_watches;
    while (*at != NULL && (*at)->campaign != campaign) {
        at = &(*at)->next;
    }
    return at;
}

static struct row_watch *row_watch_need(struct api *api, uint64_t campaign)
{
    struct row_watch **at = row_watch_find(api, campaign);
    if (*at == NULL) {
        *at = MEMORY_NEW(struct row_watch);
        (*at)->campaign = campaign;
    }
    return *at;
}

struct row_news api_rows_look(struct api *api, uint64_t campaign, bool has_ended)
{
    struct row_watch *watch = row_watch_need(api, campaign);
    const struct series *series = server_series_inside(api->server, campaign);
    const struct report_view *report = server_report(api->server, campaign);
    struct series_seconds settled =
        series_settled_seconds(series, report->begun_wall_ns > 0 ? report->running_ns : 0, has_ended);
    struct row_news news = {.changed_from = settled.end, .end = settled.end};
    for (uint64_t second = settled.end; second > settled.first; second--) {
        uint64_t *known = &watch->revisions[(second - 1) % SERIES_OPEN_S];
        uint64_t revision = series_second_revision(series, second - 1);
        if (second > watch->end || *known != revision) {
            news.changed_from = second - 1;
        }
        *known = revision;
    }
    if (news.changed_from < news.end) {
        news.changed_from = series_changed_from(series, news.changed_from, news.end);
    }
    watch->end = settled.end;
    return news;
}

void api_rows_forget(struct api *api, uint64_t campaign)
{
    struct row_watch **at = row_watch_find(api, campaign);
    struct row_watch *watch = *at;
    if (watch != NULL) {
        *at = watch->next;
        memory_free(watch);
    }
}
