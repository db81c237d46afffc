/* Lists, shows, stops and deletes campaigns. */
#include "coordinator/api/api_inside.h"

#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/report_json.h"
#include "proto/message/labels.h"

#define REASON_MAX_BYTES 300u

/* Which campaigns a list is to have: those of this name, and with all of these labels. Empty: all. */
struct campaign_filter {
    struct bytes name;
    struct bytes labels;
};

static bool campaign_filter_read(const struct http_exchange *request, struct campaign_filter *filter,
                                 struct error *error)
{
    filter->name = bytes_of_string(http_argument(request, "name"));
    filter->labels = bytes_of_string(http_argument(request, "label"));
    return labels_check(filter->labels, error);
}

static bool campaign_filter_takes(const struct campaign_filter *filter, const json_t *row)
{
    struct bytes rest = filter->labels;
    struct bytes name;
    struct bytes value;
    if (filter->name.size > 0 && !bytes_equal(filter->name, json_get_text(row, "name"))) {
        return false;
    }
    while (labels_next(&rest, &name, &value)) {
        char key[LABEL_MAX_BYTES + 1];
        bytes_to_text(name, key, sizeof key);
        if (!bytes_equal(value, json_get_text(json_object_get(row, "labels"), key))) {
            return false;
        }
    }
    return true;
}

static json_t *campaign_filter_apply(const struct campaign_filter *filter, json_t *all)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(all); i++) {
        if (campaign_filter_takes(filter, json_array_get(all, i))) {
            json_array_append(list, json_array_get(all, i));
        }
    }
    json_decref(all);
    return list;
}

void api_list_campaigns(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    struct campaign_filter filter;
    struct error error;
    (void)campaign;
    if (!campaign_filter_read(request, &filter, &error)) {
        api_answer_error(request, 400, "label: %s", error.text);
        return;
    }
    json_t *list = json_array();
    api_list_archived(api, list);
    const struct coordinator_overview *overview = server_overview(api->server);
    for (size_t i = 0; i < overview->campaign_count; i++) {
        const struct report_view *report = server_report(api->server, overview->campaigns[i].campaign);
        json_array_append_new(list, report_json_summary(report));
    }
    json_t *answer = json_object();
    json_put(answer, "campaigns", campaign_filter_apply(&filter, list));
    json_put(answer, "journal", api_journal_object(api));
    api_answer_json(request, 200, answer);
}

void api_show_campaign(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    const struct report_view *report = server_report(api->server, campaign);
    const json_t *archived = report == NULL ? api_archived_live(api, campaign) : NULL;
    if (report != NULL) {
        api_answer_json(request, 200, report_json_live(report));
    } else if (archived != NULL) {
        api_answer_json(request, 200, json_copy((json_t *)archived));
    } else {
        api_answer_unknown(request, campaign);
    }
}

void api_show_report(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    const struct report_view *report = server_report(api->server, campaign);
    json_t *object = report != NULL ? report_json_object(report) : api_archived_report(api, campaign);
    if (object != NULL) {
        api_answer_json(request, 200, object);
    } else {
        api_answer_unknown(request, campaign);
    }
}

void api_show_artifact(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    if (!server_knows(api->server, campaign) && api_archived_live(api, campaign) == NULL) {
        api_answer_unknown(request, campaign);
        return;
    }
    uint64_t number = http_request_match(request)->numbers[1];
    SCOPED(buffer_finish) struct buffer content;
    struct artifact artifact = {0};
    buffer_init(&content, LIMIT_ARTIFACT_BYTES);
    size_t count = 0;
    const struct artifact *artifacts = server_artifacts(api->server, campaign, &count);
    if (number > 0 && number <= count) {
        artifact = artifacts[number - 1];
    } else if (api->artifacts == NULL ||
               !artifact_store_read(api->artifacts, campaign, number, &content, &artifact)) {
        api_answer_error(request, 404, "campaign %llu has no artifact %llu, or not any more",
                         (unsigned long long)campaign, (unsigned long long)number);
        return;
    }
    http_answer(request, &(struct http_answer){.status = 200,
                                               .content_type = artifact_content_type(&artifact),
                                               .body = artifact.content});
}

struct stop {
    bool is_at_once;
    char reason[REASON_MAX_BYTES + 1];
};

static bool read_stop(const json_t *object, struct stop *stop, struct error *error)
{
    static const char *const keys[] = {"at_once", "reason", NULL};
    const json_t *at_once = json_object_get(object, "at_once");
    const json_t *reason = json_object_get(object, "reason");
    if (!json_check_keys(object, keys, "stop", error)) {
        return false;
    }
    if (at_once != NULL && !json_is_boolean(at_once)) {
        return error_set(error, "at_once is neither true nor false");
    }
    if (reason != NULL && (!json_is_string(reason) || json_string_length(reason) > REASON_MAX_BYTES)) {
        return error_set(error, "reason is not a text of at most %u bytes", REASON_MAX_BYTES);
    }
    stop->is_at_once = json_is_true(at_once);
    if (reason != NULL && json_string_length(reason) > 0) {
        bytes_to_text(bytes_of_string(json_string_value(reason)), stop->reason, sizeof stop->reason);
    }
    return true;
}

void api_stop_campaign(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    struct stop stop = {.reason = "stopped through the API"};
    struct error error;
    const struct report_view *report = api_find(api, request, campaign);
    if (report == NULL) {
        return;
    }
    if (report->state == CAMPAIGN_ENDED) {
        api_answer_error(request, 409, "campaign %llu has ended", (unsigned long long)campaign);
        return;
    }
    json_t *body = http_body(request).size > 0 ? api_body_object(request) : json_object();
    if (body == NULL) {
        return;
    }
    if (!read_stop(body, &stop, &error)) {
        api_answer_error(request, 400, "%s", error.text);
    } else {
        server_stop(api->server, campaign, stop.is_at_once, stop.reason);
        api_answer_json(request, 202, json_object());
    }
    json_decref(body);
}

/* The journal has it before the files go: a coordinator that dies in between shows the report once more, and
 * it can be deleted again; the other way round it would write the report anew. */
void api_delete_campaign(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    struct error error;
    bool is_known = server_knows(api->server, campaign);
    if (!is_known && api_archived_live(api, campaign) == NULL) {
        api_answer_unknown(request, campaign);
        return;
    }
    if (is_known && !server_delete(api->server, campaign, &error)) {
        api_answer_error(request, 409, "%s", error.text);
        return;
    }
    server_flush(api->server);
    if (!api_forget_archived(api, campaign, &error)) {
        api_answer_error(request, 503, "%s", error.text);
        return;
    }
    log_about(LOG_INFO, "coordinator", &(struct log_subject){.campaign = campaign},
              "campaign %llu was deleted", (unsigned long long)campaign);
    json_t *answer = json_object();
    json_put_count(answer, "campaign", campaign);
    api_answer_json(request, 200, answer);
}
