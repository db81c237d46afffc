/* The API's way to a new campaign. */
#include "coordinator/api_inside.h"

#include "common/memory.h"
#include "coordinator/creation.h"

static void create(struct api *api, struct http_request *request, const struct creation *creation)
{
    const struct server_campaign wanted = {.options = &creation->options,
                                           .bundle = &creation->bundle,
                                           .script = creation->script,
                                           .agents = creation->agents,
                                           .deadline_ms = creation->deadline_ms};
    uint64_t campaign = server_create(api->server, &wanted);
    json_t *answer = json_object();
    json_put_count(answer, "campaign", campaign);
    SCOPED(memory_free_at) char *location = memory_format("/v1/campaigns/%llu", (unsigned long long)campaign);
    SCOPED(memory_free_at) char *text = json_to_text(answer, false);
    json_decref(answer);
    http_answer(request, &(struct http_answer){.status = 201,
                                               .content_type = "application/json",
                                               .body = bytes_of_string(text),
                                               .header = "Location",
                                               .header_value = location});
}

void api_create_campaign(struct api *api, struct http_request *request, uint64_t campaign)
{
    struct creation creation;
    struct error error;
    (void)campaign;
    if (api->is_draining) {
        api_answer_error(request, 503, "the coordinator is shutting down and takes no new campaigns");
        return;
    }
    if (server_overview(api->server)->live_campaign_count >= API_LIVE_CAMPAIGNS) {
        api_answer_error(request, 503, "%u campaigns are under way already; wait for one to end",
                         API_LIVE_CAMPAIGNS);
        return;
    }
    json_t *body = api_body_object(request);
    if (body == NULL) {
        return;
    }
    if (creation_read(&creation, body, &error)) {
        create(api, request, &creation);
    } else {
        api_answer_error(request, 400, "%s", error.text);
    }
    creation_finish(&creation);
    json_decref(body);
}
