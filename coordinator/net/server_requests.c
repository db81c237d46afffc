/* What others on the loop want of the server: the API, and what looks at it. */
#include "coordinator/net/server_inside.h"

#include "common/clock.h"
#include "common/memory.h"
#include "coordinator/core/report/report.h"

#include <assert.h>

bool server_has_room(const struct server *server, const struct server_campaign *campaign, struct error *error)
{
    return coordinator_has_room(server->coordinator, campaign->options, campaign->agents, error);
}

static bool server_may_create(struct server *server, const struct server_campaign *campaign,
                              struct error *error)
{
    assert(server->recovery == NULL || campaign->upload != NULL);
    return server->recovery == NULL ||
           (recovery_allows_campaign(server->recovery, server->coordinator, error) &&
            recovery_keep_bundle(server->recovery, campaign->upload, campaign->bundle->hash, error));
}

uint64_t server_create(struct server *server, const struct server_campaign *campaign, struct error *error)
{
    struct coordinator_event event = {.kind = EVENT_CREATE,
                                      .now_ns = server_now_ns(server),
                                      .create = {.options = *campaign->options,
                                                 .bundle = *campaign->bundle,
                                                 .content = campaign->content,
                                                 .script = bytes_of_string(campaign->script),
                                                 .key = bytes_of_string(campaign->key),
                                                 .agents = campaign->agents,
                                                 .deadline_ms = campaign->deadline_ms}};
    if (!server_may_create(server, campaign, error)) {
        return 0;
    }
    server_step_now(server, &event);
    return coordinator_last_campaign(server->coordinator);
}

void server_stop(struct server *server, uint64_t campaign, bool is_at_once, const char *text)
{
    char *copy = memory_copy_string(text != NULL ? text : "");
    struct coordinator_event event = {
        .kind = EVENT_STOP,
        .now_ns = server_now_ns(server),
        .stop = {.campaign = campaign, .is_at_once = is_at_once, .text = bytes_of_string(copy)}};
    server_step_or_defer(server, &event, copy);
}

bool server_scale(struct server *server, uint64_t campaign, uint32_t workers, struct error *error)
{
    if (!coordinator_may_scale(server->coordinator, campaign, workers, error)) {
        return false;
    }
    server_step_now(server, &(struct coordinator_event){.kind = EVENT_SCALE,
                                                        .now_ns = server_now_ns(server),
                                                        .scale = {.campaign = campaign, .workers = workers}});
    report_cache_drop(&server->reports, campaign);
    return true;
}

bool server_pace(struct server *server, uint64_t campaign, enum pace_change change, double rate_per_s,
                 struct error *error)
{
    if (!coordinator_may_pace(server->coordinator, campaign, change, error)) {
        return false;
    }
    server_step_now(server, &(struct coordinator_event){
                                .kind = EVENT_PACE,
                                .now_ns = server_now_ns(server),
                                .pace = {.campaign = campaign, .change = change, .rate_per_s = rate_per_s}});
    report_cache_drop(&server->reports, campaign);
    return true;
}

bool server_delete(struct server *server, uint64_t campaign, struct error *error)
{
    if (!coordinator_may_delete(server->coordinator, campaign, error)) {
        return false;
    }
    server_step_now(server, &(struct coordinator_event){.kind = EVENT_DELETE,
                                                        .now_ns = server_now_ns(server),
                                                        .deleted = {.campaign = campaign}});
    report_cache_drop(&server->reports, campaign);
    return true;
}

void server_agent_gone(struct server *server, const char *name)
{
    char *copy = memory_copy_string(name);
    struct coordinator_event event = {
        .kind = EVENT_AGENT_GONE, .now_ns = server_now_ns(server), .gone.name = bytes_of_string(copy)};
    server_step_or_defer(server, &event, copy);
}

uint64_t server_find_key(const struct server *server, struct bytes key)
{
    return coordinator_find_key(server->coordinator, key);
}

const struct recovery *server_recovery(const struct server *server)
{
    return server->recovery;
}

struct bundle_store *server_bundles(const struct server *server)
{
    return server->recovery != NULL ? recovery_bundles(server->recovery) : NULL;
}

bool server_knows(const struct server *server, uint64_t campaign)
{
    enum campaign_state state;
    return coordinator_find(server->coordinator, campaign, &state);
}

static bool is_known_campaign(const void *context, uint64_t campaign)
{
    return server_knows(context, campaign);
}

const struct report_view *server_report_now(struct server *server, uint64_t campaign)
{
    struct clock_pair clocks = clock_pair_now();
    uint64_t now_ns = clocks.now_ns + server->offset_ns;
    const struct campaign_report *report = coordinator_report(server->coordinator, campaign, now_ns);
    if (report == NULL) {
        return NULL;
    }
    struct report_view *view = report_view_of(report, clocks.wall_ns);
    if (server->callbacks.on_report != NULL) {
        server->callbacks.on_report(server->callbacks.context, view);
    }
    report_cache_prune(&server->reports, is_known_campaign, server);
    return report_cache_put(&server->reports, &view, now_ns);
}

const struct report_view *server_report(struct server *server, uint64_t campaign)
{
    enum campaign_state state;
    if (!coordinator_find(server->coordinator, campaign, &state)) {
        return NULL;
    }
    const struct report_view *known =
        report_cache_find(&server->reports, campaign, state, server_now_ns(server));
    return known != NULL ? known : server_report_now(server, campaign);
}

struct series_view *server_series(const struct server *server, uint64_t campaign)
{
    const struct series *series = coordinator_series(server->coordinator, campaign);
    return series != NULL ? series_view_of(series) : NULL;
}

const struct series *server_series_inside(const struct server *server, uint64_t campaign)
{
    return coordinator_series(server->coordinator, campaign);
}

const struct rooms *server_rooms(const struct server *server, uint64_t campaign)
{
    return coordinator_rooms(server->coordinator, campaign);
}

struct bytes server_agent_of(const struct server *server, uint64_t campaign, uint32_t worker)
{
    return coordinator_agent_of(server->coordinator, campaign, worker);
}

uint64_t server_reports_built(const struct server *server)
{
    return server->reports.built;
}

const struct artifact *server_artifacts(const struct server *server, uint64_t campaign, size_t *count)
{
    const struct artifacts *artifacts = coordinator_artifacts(server->coordinator, campaign);
    *count = artifacts != NULL ? artifacts->count : 0;
    return artifacts != NULL ? artifacts->items : NULL;
}

const struct coordinator_overview *server_overview(struct server *server)
{
    return coordinator_overview(server->coordinator);
}

const struct refusals *server_refusals(const struct server *server)
{
    return ingress_refusals(server->ingress);
}
