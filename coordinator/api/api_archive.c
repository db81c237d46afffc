/* Campaigns in the archive: written while they live, shown once the server has forgotten them. */
#include "coordinator/api/api_inside.h"

#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/report_json.h"

#define WHO "coordinator"

/* Those that are new since the last call. */
static bool keep_artifacts(const struct api *api, uint64_t campaign, struct error *error)
{
    size_t count = 0;
    const struct artifact *artifacts = server_artifacts(api->server, campaign, &count);
    size_t kept = api->artifacts == NULL ? SIZE_MAX : artifact_store_last(api->artifacts, campaign);
    bool is_kept = true;
    for (size_t i = kept; is_kept && i < count; i++) {
        is_kept = artifact_store_put(api->artifacts, campaign, (uint32_t)i + 1, &artifacts[i], error);
    }
    return is_kept;
}

/* Once it has ended: while it runs, the journal has it. */
static bool keep_series(const struct api *api, const struct report_view *report, struct error *error)
{
    if (report->state != CAMPAIGN_ENDED) {
        return true;
    }
    SCOPED(memory_free_at) char *text = api_series_text(api, report->campaign);
    return text == NULL || archive_put_series(api->archive, report->campaign, text, error);
}

void api_keep(struct api *api, uint64_t campaign)
{
    if (api->archive == NULL) {
        return;
    }
    const struct report_view *report = server_report(api->server, campaign);
    SCOPED(memory_free_at) char *key = memory_format("%.*s", BYTES_FORMAT(report->key));
    json_t *live = report_json_live(report);
    json_t *whole = report_json_object(report);
    const struct archived archived = {.campaign = campaign,
                                      .live = live,
                                      .report = whole,
                                      .key = report->key.size > 0 ? key : NULL,
                                      .has_ended = report->state == CAMPAIGN_ENDED};
    struct error error;
    if (archive_put(api->archive, &archived, &error) && keep_artifacts(api, campaign, &error) &&
        keep_series(api, report, &error)) {
        api->has_complained = false;
    } else if (!api->has_complained) {
        api->has_complained = true;
        log_line(LOG_ERROR, WHO, "%s; make room or mend the disk", error.text);
    }
    json_decref(live);
    json_decref(whole);
}

void api_campaign_counted(struct api *api, uint64_t campaign)
{
    (void)server_report_now(api->server, campaign);
    api_keep(api, campaign);
}

/* Copies the ids: the overview is borrowed until the next one. */
void api_keep_all(struct api *api)
{
    const struct coordinator_overview *overview = server_overview(api->server);
    size_t count = 0;
    uint64_t *live = memory_new(overview->live_campaign_count + 1, sizeof *live);
    for (size_t i = 0; i < overview->campaign_count; i++) {
        if (overview->campaigns[i].state != CAMPAIGN_ENDED) {
            live[count++] = overview->campaigns[i].campaign;
        }
    }
    for (size_t i = 0; i < count; i++) {
        api_keep(api, live[i]);
    }
    memory_free(live);
}

static void keep_what_is_new(struct api *api)
{
    const struct coordinator_overview *overview = server_overview(api->server);
    size_t count = overview->campaign_count;
    uint64_t *campaigns = memory_new(count + 1, sizeof *campaigns);
    for (size_t i = 0; i < count; i++) {
        campaigns[i] = overview->campaigns[i].campaign;
    }
    for (size_t i = 0; i < count; i++) {
        struct archived archived;
        if (!archive_find(api->archive, campaigns[i], &archived) || !archived.has_ended) {
            api_keep(api, campaigns[i]);
        }
    }
    memory_free(campaigns);
}

void api_catch_up(struct api *api, const char *why)
{
    if (api->archive == NULL) {
        return;
    }
    SCOPED(memory_free_at)
    char *reason = memory_format("the coordinator was killed, and could not go on with it: %s",
                                 why != NULL ? why : "there was no journal");
    server_flush(api->server);
    keep_what_is_new(api);
    for (size_t i = 0; i < archive_count(api->archive); i++) {
        struct archived archived = archive_at(api->archive, i);
        if (!archived.has_ended && !server_knows(api->server, archived.campaign)) {
            log_line(LOG_WARNING, WHO, "campaign %llu has ended: aborted: %s",
                     (unsigned long long)archived.campaign, reason);
            struct error error;
            if (!archive_abandon(api->archive, archived.campaign, reason, &error)) {
                log_line(LOG_ERROR, WHO, "%s", error.text);
            }
        }
    }
}

const json_t *api_archived_live(const struct api *api, uint64_t campaign)
{
    struct archived archived;
    bool is_there = api->archive != NULL && archive_find(api->archive, campaign, &archived);
    return is_there ? archived.live : NULL;
}

json_t *api_archived_report(const struct api *api, uint64_t campaign)
{
    return api->archive != NULL ? archive_report(api->archive, campaign) : NULL;
}

bool api_forget_archived(const struct api *api, uint64_t campaign, struct error *error)
{
    if (api->artifacts != NULL) {
        artifact_store_delete(api->artifacts, campaign);
    }
    return api->archive == NULL || archive_delete(api->archive, campaign, error);
}

static json_t *row_of(const json_t *live)
{
    static const char *const keys[] = {"campaign", "script",     "name",     "labels",    "state", "verdict",
                                       "workers",  "started_at", "ended_at", "elapsed_s", "steps"};
    json_t *row = json_object();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        json_t *value = json_object_get(live, keys[i]);
        json_put(row, keys[i], value != NULL ? json_incref(value) : json_null());
    }
    json_put_count(row, "agents", json_array_size(json_object_get(live, "agents")));
    return row;
}

void api_list_archived(const struct api *api, json_t *list)
{
    for (size_t i = 0; api->archive != NULL && i < archive_count(api->archive); i++) {
        struct archived archived = archive_at(api->archive, i);
        if (!server_knows(api->server, archived.campaign)) {
            json_array_append_new(list, row_of(archived.live));
        }
    }
}

json_t *api_journal_object(const struct api *api)
{
    json_t *object = json_object();
    const struct recovery *recovery = server_recovery(api->server);
    if (recovery == NULL) {
        json_put(object, "state", json_string("off"));
        return object;
    }
    struct recovery_state state = recovery_state(recovery);
    json_put(object, "state", json_string(state.is_failed ? "failed" : "on"));
    json_put_text(object, "reason", bytes_of_string(state.reason));
    json_put_count(object, "bytes", state.bytes);
    return object;
}

const struct report_view *api_find(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    const struct report_view *report = server_report(api->server, campaign);
    if (report == NULL && api_archived_live(api, campaign) != NULL) {
        api_answer_error(request, 409, "campaign %llu has ended, and only its report was kept",
                         (unsigned long long)campaign);
    } else if (report == NULL) {
        api_answer_unknown(request, campaign);
    }
    return report;
}
